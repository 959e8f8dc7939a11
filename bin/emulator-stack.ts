/**
 * The CDK app of the service on an emulator of AWS: the stack of bin/wallet.ts, without what emulators lack. Its context:
 * `tokenIssuer`, `tokenAudience` and `tokenJwksUri` of the issuer, and `emulatorHost`, the name of the machine with issuer
 * and bank (lib/emulator-gaps.ts).
 */
import { App, Aspects } from 'aws-cdk-lib';
import { plainHostContext } from '../lib/check-values.ts';
import { EmulatorGaps } from '../lib/emulator-gaps.ts';
import { WalletStack } from '../lib/wallet-stack.ts';

const app = new App();
const context = (name: string): string | undefined => {
  const value: unknown = app.node.tryGetContext(name);
  return typeof value === 'string' ? value : undefined;
};
const [issuer, audience, jwksUri] = ['tokenIssuer', 'tokenAudience', 'tokenJwksUri'].map(context);
if (issuer === undefined || audience === undefined || jwksUri === undefined) {
  throw new Error('tokenIssuer, tokenAudience and tokenJwksUri are needed: an emulator has no user pool with a URL');
}
const stack = new WalletStack(app, 'Wallet', {
  bank: { id: 'simulator' },
  tokens: { issuer, audience, jwksUri },
  // `npm run emulator` deletes the stack that it made.
  terminationProtection: false,
});
Aspects.of(stack).add(new EmulatorGaps(context(plainHostContext)));
