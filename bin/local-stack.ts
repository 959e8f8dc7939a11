/**
 * The CDK app of the service on one machine. Its bank is the simulator, which has another port each time. Charges above
 * 10,000 Swiss francs need two operators, so that docs/approvals.md can be tried.
 */
import { newApp } from '../lib/app.ts';
import { WalletStack } from '../lib/wallet-stack.ts';

new WalletStack(newApp({ builtinCloudFormationValidation: false }), 'Wallet', {
  bank: { id: 'simulator' },
  batches: true,
  fourEyes: { charge: { above: Number.MAX_SAFE_INTEGER, byCurrency: { CHF: 1_000_000 } } },
});
