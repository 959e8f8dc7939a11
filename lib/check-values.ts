/** Checks of single values. Each names the prop, and the value that was received. */
import { Stack, Token } from 'aws-cdk-lib';
import type { Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';

/** Throws unless the value is a whole number in the bounds, or absent. */
export function checkWhole(
  name: string,
  value: number | undefined,
  least: number,
  most = Number.MAX_SAFE_INTEGER,
): void {
  if (value === undefined || Token.isUnresolved(value)) return;
  if (Number.isSafeInteger(value) && value >= least && value <= most) return;
  const bounds = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
  throw new Error(`${name} must be a whole number ${bounds}, received ${String(value)}`);
}

const secondsOf = { hour: 3_600, day: 86_400 };

/** Throws unless the time is one or more whole hours or days, or absent, or `false` for a feature that is off. */
export function checkSpan(name: string, time: Duration | false | undefined, unit: keyof typeof secondsOf): void {
  if (time === undefined || time === false || time.isUnresolved()) return;
  const count = time.toSeconds({ integral: false }) / secondsOf[unit];
  if (Number.isInteger(count) && count >= 1) return;
  throw new Error(`${name} must be whole ${unit}s, at least one, received ${time.toHumanString()}`);
}

/** Throws unless the text names a currency. */
export function checkCurrency(name: string, currency: string): void {
  if (/^[A-Z]{3}$/.test(currency)) return;
  throw new Error(`${name} takes currencies as three capital letters, received "${currency}"`);
}

/** The context with the host that an emulator's functions may call by http. It is for `npm run emulator` alone. */
export const plainHostContext = 'emulatorHost';

/** Throws unless the text is an https URL, or absent. Only this machine may be called by http. */
export function checkUrl(scope: Construct, name: string, text: string | undefined): void {
  if (text === undefined || Token.isUnresolved(text)) return;
  const url = URL.parse(text);
  const host = url?.hostname ?? '';
  const isPlainHost =
    /^(localhost|127(\.\d+){3}|\[::1\])$/.test(host) || host === scope.node.tryGetContext(plainHostContext);
  if (url?.protocol === 'https:' || (url?.protocol === 'http:' && isPlainHost)) return;
  throw new Error(`${name} must begin with https://, or http://localhost for development, received "${text}"`);
}

/** Throws for the ARN of a resource in another region than the stack, where both regions are known. */
export function checkRegion(scope: Construct, name: string, arn: string): void {
  const { region } = Stack.of(scope);
  const found = /^arn:[^:]+:[^:]+:([a-z]{2}(?:-[a-z]+)+-\d+):/.exec(arn)?.[1];
  if (Token.isUnresolved(region) || found === undefined || found === region) return;
  throw new Error(`${name} must be in the stack's region, ${region}, received "${arn}"`);
}

/** Throws for a null in a prop, which TypeScript would refuse. Looks into plain objects and lists, into no construct. */
export function checkNoNull(name: string, value: unknown): void {
  if (value === null) throw new Error(`${name} must be left out or have a value, received null`);
  const prototype: unknown = typeof value === 'object' && Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== Array.prototype) return;
  for (const [key, member] of Object.entries(value as object)) {
    checkNoNull(name === '' ? key : `${name}.${key}`, member);
  }
}
