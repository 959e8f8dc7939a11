/**
 * The CDK app. Its context (`-c name=value`):
 *
 * - `tokenIssuer` with `tokenAudience`: an issuer of your own.
 * - `tokenJwksUri`: the URL of the keys of that issuer, or of the stack's user pool, where it is not the usual one.
 * - `peopleCallbackUrls`, separated by commas: people sign in at the stack's own user pool.
 * - `alarmTopicArn`: the topic for alarms; `criticalTopicArn`, `warningTopicArn`: that for alarms of one severity.
 * - `bankId`: the id of a bank whose URL may change.
 * - `corsOrigins`, separated by commas: the origins of pages that may use the API.
 * - `reservedConcurrency=false`: for an account with little concurrency.
 * - `webAcl`: `false`, or the ARN of an existing one.
 * - `ledgerTableArn` with `ledgerStreamArn`, `entriesTableArn`: tables that exist already (docs/deploy.md, Adopting tables).
 * - `logLevel`: `WARN` or `ERROR`, for fewer lines in logs.
 * - `monthlyBudget`: the dollars a month from which `warningTopicArn`, or `alarmTopicArn`, is warned.
 */
import { App } from 'aws-cdk-lib';
import type { LogLevel } from '../lib/service-settings.ts';
import { WalletStack } from '../lib/wallet-stack.ts';

const app = new App();
const [
  issuer,
  audience,
  jwksUri,
  peopleCallbackUrls,
  alarmTopicArn,
  criticalTopicArn,
  warningTopicArn,
  corsOrigins,
  bankId,
  ledgerTableArn,
  ledgerStreamArn,
  entriesTableArn,
] = [
  'tokenIssuer',
  'tokenAudience',
  'tokenJwksUri',
  'peopleCallbackUrls',
  'alarmTopicArn',
  'criticalTopicArn',
  'warningTopicArn',
  'corsOrigins',
  'bankId',
  'ledgerTableArn',
  'ledgerStreamArn',
  'entriesTableArn',
].map((name) => {
  const value: unknown = app.node.tryGetContext(name);
  return typeof value === 'string' ? value : undefined;
});
if ((issuer === undefined) !== (audience === undefined)) {
  throw new Error('tokenIssuer and tokenAudience go together: give both or neither');
}
if ((ledgerTableArn === undefined) !== (ledgerStreamArn === undefined)) {
  throw new Error('ledgerTableArn and ledgerStreamArn go together: give both or neither');
}
const [reservedConcurrency, webAcl, logLevel, monthlyBudget] = [
  'reservedConcurrency',
  'webAcl',
  'logLevel',
  'monthlyBudget',
].map((name) => String(app.node.tryGetContext(name) ?? ''));
if (reservedConcurrency !== '' && reservedConcurrency !== 'false') {
  throw new Error(`reservedConcurrency takes only false here, received ${reservedConcurrency}`);
}
new WalletStack(app, 'Wallet', {
  ...(issuer !== undefined &&
    audience !== undefined && { tokens: { issuer, audience, ...(jwksUri !== undefined && { jwksUri }) } }),
  ...(issuer === undefined && jwksUri !== undefined && { tokenJwksUri: jwksUri }),
  ...(peopleCallbackUrls !== undefined && { people: { callbackUrls: peopleCallbackUrls.split(',') } }),
  ...(alarmTopicArn !== undefined && { alarmTopicArn }),
  ...(criticalTopicArn !== undefined && { criticalTopicArn }),
  ...(warningTopicArn !== undefined && { warningTopicArn }),
  ...(corsOrigins !== undefined && { cors: { allowedOrigins: corsOrigins.split(',') } }),
  ...(bankId !== undefined && { bank: { id: bankId } }),
  ...(ledgerTableArn !== undefined &&
    ledgerStreamArn !== undefined && { ledgerTable: { tableArn: ledgerTableArn, streamArn: ledgerStreamArn } }),
  ...(entriesTableArn !== undefined && { entriesTable: { tableArn: entriesTableArn } }),
  ...(reservedConcurrency === 'false' && { reservedConcurrency: false }),
  ...(logLevel !== '' && { logLevel: logLevel as LogLevel }),
  ...(monthlyBudget !== '' && { monthlyBudget: { dollars: Number(monthlyBudget) } }),
  ...(webAcl !== '' && webAcl !== 'true' && { webAcl: webAcl === 'false' ? false : webAcl }),
});
