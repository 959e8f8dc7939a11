/**
 * The CDK app. Context (`-c name=value`): `tokenIssuer` with `tokenAudience`, and `tokenJwksUri` where the keys are not at
 * the usual place, for an issuer of your own; `peopleCallbackUrls`, separated by commas, to let people sign in at the
 * stack's own user pool; `alarmTopicArn` for where alarms go; `bankId` for a bank whose URL may change;
 * `corsOrigins` for the origins of pages that may use the API, separated by commas;
 * `reservedConcurrency=false` for an account with little concurrency; `webAcl`: `false`, or the ARN of one that exists.
 */
import { App } from 'aws-cdk-lib';
import { WalletStack } from '../lib/wallet-stack.ts';

const app = new App();
const [issuer, audience, jwksUri, peopleCallbackUrls, alarmTopicArn, corsOrigins, bankId] = [
  'tokenIssuer',
  'tokenAudience',
  'tokenJwksUri',
  'peopleCallbackUrls',
  'alarmTopicArn',
  'corsOrigins',
  'bankId',
].map((name) => {
  const value: unknown = app.node.tryGetContext(name);
  return typeof value === 'string' ? value : undefined;
});
if ((issuer === undefined) !== (audience === undefined)) {
  throw new Error('tokenIssuer and tokenAudience go together: give both or neither');
}
if (jwksUri !== undefined && issuer === undefined) {
  throw new Error('tokenJwksUri goes with tokenIssuer and tokenAudience: give all three, or those two, or none');
}
const [reservedConcurrency, webAcl] = ['reservedConcurrency', 'webAcl'].map((name) =>
  String(app.node.tryGetContext(name) ?? ''),
);
if (reservedConcurrency !== '' && reservedConcurrency !== 'false') {
  throw new Error(`reservedConcurrency takes only false here, received ${reservedConcurrency}`);
}
new WalletStack(app, 'Wallet', {
  ...(issuer !== undefined &&
    audience !== undefined && { tokens: { issuer, audience, ...(jwksUri !== undefined && { jwksUri }) } }),
  ...(peopleCallbackUrls !== undefined && { people: { callbackUrls: peopleCallbackUrls.split(',') } }),
  ...(alarmTopicArn !== undefined && { alarmTopicArn }),
  ...(corsOrigins !== undefined && { cors: { allowedOrigins: corsOrigins.split(',') } }),
  ...(bankId !== undefined && { bank: { id: bankId } }),
  ...(reservedConcurrency === 'false' && { reservedConcurrency: false }),
  ...(webAcl !== '' && webAcl !== 'true' && { webAcl: webAcl === 'false' ? false : webAcl }),
});
