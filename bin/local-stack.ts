/** The CDK app of the service on one machine. Its bank is the simulator, which has another port each time. */
import { newApp } from '../lib/app.ts';
import { WalletStack } from '../lib/wallet-stack.ts';

new WalletStack(newApp({ builtinCloudFormationValidation: false }), 'Wallet', { bank: { id: 'simulator' } });
