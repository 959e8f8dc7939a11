import { App } from 'aws-cdk-lib';
import { WalletStack } from '../lib/wallet-stack.ts';

const app = new App();
// Without an issuer the stack brings its own: cdk deploy -c tokenIssuer=https://… -c tokenAudience=…
const issuer: unknown = app.node.tryGetContext('tokenIssuer');
const audience: unknown = app.node.tryGetContext('tokenAudience');
new WalletStack(
  app,
  'Wallet',
  typeof issuer === 'string' && typeof audience === 'string' ? { tokens: { issuer, audience } } : {},
);
