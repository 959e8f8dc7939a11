import { environments } from '../contract.ts';
import type { Environment, FunctionName } from '../contract.ts';

/**
 * Returns the environment of function `name`. It is called while the module loads. So a missing variable fails the cold
 * start, and the deployment that caused it, instead of the first request that needs it.
 */
export function readEnvironment<F extends FunctionName>(name: F): Environment<F> {
  const variables: readonly string[] = environments[name];
  const missing = variables.filter((variable) => !process.env[variable]);
  if (missing.length > 0) throw new Error(`function ${name} lacks environment variables: ${missing.join(', ')}`);
  return Object.fromEntries(variables.map((variable) => [variable, process.env[variable]])) as Environment<F>;
}

/** Returns the value of a variable that holds a whole number, 1 or more. */
export function positiveInteger(name: string, value: string): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number) || number < 1) {
    throw new Error(`environment variable ${name} must be a whole number of at least 1, received "${value}"`);
  }
  return number;
}
