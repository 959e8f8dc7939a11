/**
 * The CDK app of the service on one machine. Its bank is the simulator, which has another port each time. Charges above
 * 10,000 Swiss francs need two operators, so that docs/approvals.md can be tried. Fees in Norwegian kroner are for
 * docs/fees.md. The context `bankVisits` sets after how many visits to the bank a withdrawal goes to review.
 */
import { newApp } from '../lib/app.ts';
import { WalletStack } from '../lib/wallet-stack.ts';

const app = newApp({ builtinCloudFormationValidation: false });
const maxAttempts = app.node.tryGetContext('bankVisits') as number | undefined;
new WalletStack(app, 'Wallet', {
  bank: { id: 'simulator', ...(maxAttempts !== undefined && { maxAttempts }) },
  fees: {
    transfer: { byCurrency: { NOK: { flat: 500 } } },
    withdrawal: { byCurrency: { NOK: { flat: 1_000 } } },
    capture: { byCurrency: { NOK: { basisPoints: 500, minimum: 100, maximum: 5_000 } } },
    charge: { byCurrency: { NOK: { basisPoints: 200 } } },
  },
  batches: true,
  console: { development: true },
  // Receivers are on this machine.
  webhooks: { loopback: true },
  statementFiles: true,
  fourEyes: { charge: { above: Number.MAX_SAFE_INTEGER, byCurrency: { CHF: 1_000_000 } } },
});
