/**
 * Returns the value of a variable that holds a whole number, 1 or more. It is called while a function opens. So a wrong
 * value fails the cold start, and the deployment that caused it, instead of the first request that needs it.
 */
export function positiveInteger<Variable extends string>(
  environment: Readonly<Record<Variable, string>>,
  name: Variable,
): number {
  const value = environment[name];
  const number = Number(value);
  if (!Number.isSafeInteger(number) || number < 1) {
    throw new Error(`environment variable ${name} must be a whole number of at least 1, received "${value}"`);
  }
  return number;
}
