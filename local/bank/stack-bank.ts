/** The simulated bank of a stack that has the parameter `BankUrl`. */
import { isRecord, TemplateError } from '../cloudformation/template.ts';
import type { Resolver, Template } from '../cloudformation/template.ts';
import type { Shutdown } from '../process/shutdown.ts';
import type { Secrets } from '../secrets-manager/secrets.ts';
import type { BankSettings } from './bank-settings.ts';
import { startBankSimulator } from './bank-simulator.ts';
import type { BankSimulator } from './bank-simulator.ts';

const urlParameter = 'BankUrl';
const windowParameter = 'BankNotFoundWindowSeconds';
/** Longer than the simulator works on a call after its caller has timed out. */
const windowSeconds = 2;
const secretVariable = 'BANK_REQUEST_SECRET_ARN';

export interface StackBankOptions {
  readonly template: Template;
  /** Knows the secrets of the template. */
  readonly resolver: Resolver;
  readonly secrets: Secrets;
  readonly settings: Partial<BankSettings> & { readonly seed?: number };
  /** @default the book is kept in memory */
  readonly dataFile: string | undefined;
}

/** Starts the bank once the template's secrets are there. Returns undefined for a template without a bank. */
export async function startStackBank(
  { template, resolver, secrets, settings, dataFile }: StackBankOptions,
  shutdown: Shutdown,
): Promise<BankSimulator | undefined> {
  if (!template.Parameters?.[urlParameter]) return undefined;
  const secretArn = String(resolver.resolve(secretOf(template), secretVariable));
  // The bank accepts a new value at once, and the previous one while Secrets Manager keeps it.
  const keys = (): readonly string[] => secrets.values(secretArn);
  if (keys().length === 0) throw new TemplateError(`${secretVariable} is not a secret of this template`);
  const bank = await startBankSimulator({ ...settings, keys, ...(dataFile && { dataFile }) });
  shutdown.add(() => bank.stop());
  return bank;
}

/** Returns the template's parameters that depend on the bank. */
export function bankParameters({ Parameters = {} }: Template, bank: BankSimulator): Record<string, string> {
  return {
    [urlParameter]: bank.url,
    ...(windowParameter in Parameters && { [windowParameter]: String(windowSeconds) }),
  };
}

function secretOf(template: Template): unknown {
  for (const { Properties } of Object.values(template.Resources)) {
    const environment = Properties?.['Environment'];
    const variables = isRecord(environment) ? environment['Variables'] : undefined;
    if (isRecord(variables) && secretVariable in variables) return variables[secretVariable];
  }
  throw new TemplateError(`the template has the parameter ${urlParameter}, but no function has ${secretVariable}`);
}
