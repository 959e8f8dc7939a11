/** The service on one machine: the runner with the service's stack, and the simulated bank beside it. */
import type { App, Stack } from 'aws-cdk-lib';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import type { BankSimulator } from '../local/bank/bank-simulator.ts';
import { bankParameters, startStackBank } from '../local/bank/stack-bank.ts';
import type { StackBankSettings } from '../local/bank/stack-bank.ts';
import { runCdkApp } from '../local/cloudformation/assembly.ts';
import { startRunner } from '../local/runner/runner.ts';
import type { Runner, RunnerOptions } from '../local/runner/runner.ts';

export interface LocalServiceOptions extends Omit<RunnerOptions, 'synthesize' | 'partner'> {
  /**
   * The stack, or the folder in which it is synthesized already.
   * @default the stack of local-stack.ts
   */
  readonly stack?: ((app: App) => Stack) | string;
  /**
   * Visits to the bank after which a withdrawal goes to review, in the stack of local-stack.ts.
   * @default those of a deployed stack
   */
  readonly bankVisits?: number | undefined;
  /**
   * The behaviour of the bank simulator.
   * @default its own defaults
   */
  readonly bank?: StackBankSettings;
}

export interface LocalService extends Runner {
  readonly bank: BankSimulator;
}

/** Starts the service and its bank. Throws what `startRunner` throws. */
export async function startLocalService(options: LocalServiceOptions = {}): Promise<LocalService> {
  const { stack, bankVisits, bank: settings = {}, ...rest } = options;
  let bank: BankSimulator | undefined;
  const runner = await startRunner({
    ...rest,
    synthesize(outdir) {
      if (stack === undefined) return runCdkApp(join(import.meta.dirname, 'local-stack.ts'), outdir, { bankVisits });
      if (typeof stack !== 'string') return synthesizeHere(stack, outdir);
      cpSync(stack, outdir, { recursive: true });
    },
    async partner(early) {
      bank = await startStackBank(early, settings);
      return bankParameters(early.template, bank);
    },
  });
  if (!bank) throw new Error('the runner starts the partner of its stack');
  return { ...runner, bank };
}

/** Synthesizes in this process. The CDK is loaded only here: `npm start` needs it in another process alone. */
async function synthesizeHere(stack: (app: App) => Stack, outdir: string): Promise<void> {
  const { newApp } = await import('../lib/app.ts');
  const app = newApp({ outdir, builtinCloudFormationValidation: false });
  stack(app);
  app.synth();
}
