/** Synthesizes the wallet service's stack into the folder that is its argument. */
import { newApp } from '../../lib/app.ts';
import { WalletStack } from '../../lib/wallet-stack.ts';

/** The simulator has another port each time, and is the same bank. */
const bankId = 'simulator';

const [outdir] = process.argv.slice(2);
if (outdir === undefined) throw new Error('the first argument is the folder of the cloud assembly');
const app = newApp({ outdir, builtinCloudFormationValidation: false });
new WalletStack(app, 'Wallet', { bank: { id: bankId } });
app.synth();
