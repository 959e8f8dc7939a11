/** The simulated bank of a stack that has the parameter `BankUrl`. */
import { z } from 'zod';
import { isRecord, TemplateError } from '../cloudformation/template.ts';
import type { Template } from '../cloudformation/template.ts';
import { bad, ok } from '../machine/own-routes.ts';
import type { OwnAnswer } from '../machine/own-routes.ts';
import type { EarlyStack } from '../runner/runner.ts';
import type { BankSettings } from './bank-settings.ts';
import { startBankSimulator } from './bank-simulator.ts';
import type { BankSimulator } from './bank-simulator.ts';

/** Longer than the simulator works on a call after its caller has timed out. */
export const notFoundWindowSeconds = 2;
const secretVariable = 'BANK_REQUEST_SECRET_ARN';

/** The settings of the simulator, and the seed of its random failures. */
export type StackBankSettings = Partial<BankSettings> & { readonly seed?: number };

/** Starts the bank that shares the stack's secret. It stops with the runner. */
export async function startStackBank(stack: EarlyStack, settings: StackBankSettings): Promise<BankSimulator> {
  const secretArn = String(stack.resolve(secretOf(stack.template), secretVariable));
  // The bank accepts a new value at once, and the previous one while Secrets Manager keeps it.
  const keys = (): readonly string[] => stack.secretValues(secretArn);
  if (keys().length === 0) throw new TemplateError(`${secretVariable} is not a secret of this template`);
  const dataFile = stack.dataPath('bank.json');
  const bank = await startBankSimulator({ ...settings, keys, ...(dataFile !== undefined && { dataFile }) });
  stack.onStop(() => bank.stop());
  stack.routes.add(
    {
      route: 'GET /local/bank/payments',
      about: 'the payments at the simulated bank',
      answer: () => ok({ items: bank.book() }),
    },
    {
      route: 'PUT /local/bank/settings',
      about: 'changes the simulated bank: {"down": true}',
      answer: async ({ json }) => configure(bank, await json()),
    },
  );
  return bank;
}

/** Returns the template's parameters that depend on the bank. */
export function bankParameters({ Parameters = {} }: Template, bank: BankSimulator): Record<string, string> {
  return {
    BankUrl: bank.url,
    ...('BankNotFoundWindowSeconds' in Parameters && { BankNotFoundWindowSeconds: String(notFoundWindowSeconds) }),
  };
}

function configure(bank: BankSimulator, settings: unknown): OwnAnswer {
  try {
    return ok(bank.configure(settings));
  } catch (error) {
    if (error instanceof z.ZodError) return bad(z.prettifyError(error));
    throw error;
  }
}

function secretOf(template: Template): unknown {
  for (const { Properties } of Object.values(template.Resources)) {
    const environment = Properties?.['Environment'];
    const variables = isRecord(environment) ? environment['Variables'] : undefined;
    if (isRecord(variables) && secretVariable in variables) return variables[secretVariable];
  }
  throw new TemplateError(`no function of the template has ${secretVariable}`);
}
