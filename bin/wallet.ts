/**
 * The CDK app. Its context (`-c name=value`):
 *
 * - `tokenIssuer` with `tokenAudience`: an issuer of your own.
 * - `tokenJwksUri`: the URL of the keys of that issuer, or of the stack's user pool, where it is not the usual one.
 * - `peopleCallbackUrls`, separated by commas: people sign in at the stack's own user pool.
 * - `alarmTopicArn`: the topic for alarms; `criticalTopicArn`, `warningTopicArn`: that for alarms of one severity.
 * - `bankId`: the id of a bank whose URL may change.
 * - `corsOrigins`, separated by commas: the origins of pages that may use the API.
 * - `reservedConcurrency=false`: for an account with little concurrency.
 * - `holds=false`, `refunds=false`, `splits=false`, `schedules=false`: leaves out the routes of holds, of refunds, of splits, or of
 *   standing orders.
 * - `batches=true`: adds the routes of batches, and their worker; `webhooks=true` those of webhooks, and
 *   `statementFiles=true` those of statements as files.
 * - `console=true`: adds the page for operators at `/console`.
 * - `bankFiles=true`: adds the bucket for files of the bank.
 * - `webAcl`: `false`, or the ARN of an existing one.
 * - `ledgerTableArn` with `ledgerStreamArn`, `entriesTableArn`: tables that exist already (docs/deploy.md, Adopting tables).
 * - `logLevel`: `WARN` or `ERROR`, for fewer lines in logs.
 * - `monthlyBudget`: the dollars a month from which `warningTopicArn`, or `alarmTopicArn`, is warned.
 */
import { App } from 'aws-cdk-lib';
import type { LogLevel } from '../lib/service-settings.ts';
import { WalletStack } from '../lib/wallet-stack.ts';

const app = new App();

/** Returns a value of the context as text; undefined where it is absent or empty. */
function text(name: string): string | undefined {
  const value = String(app.node.tryGetContext(name) ?? '');
  return value === '' ? undefined : value;
}

/** Returns two values that go together; undefined where both are absent. */
function pair(one: string, other: string): readonly [string, string] | undefined {
  const [first, second] = [text(one), text(other)];
  if (first !== undefined && second !== undefined) return [first, second];
  if (first === second) return undefined;
  throw new Error(`${one} and ${other} go together: give both or neither`);
}

/** Returns the values that are there, by their names, which are those of props. */
function present<const Name extends string>(...names: readonly Name[]): Partial<Record<Name, string>> {
  const values: Partial<Record<Name, string>> = {};
  for (const name of names) {
    const value = text(name);
    if (value !== undefined) values[name] = value;
  }
  return values;
}

/** Returns the props that the context switches off, by their names. Throws for another value. */
function switchedOff<const Name extends string>(...names: readonly Name[]): Partial<Record<Name, false>> {
  const props: Partial<Record<Name, false>> = {};
  for (const name of names) {
    const value = text(name);
    if (value !== undefined && value !== 'false') throw new Error(`${name} takes only false here, received ${value}`);
    if (value === 'false') props[name] = false;
  }
  return props;
}

/** Returns whether the context switches a prop on. Throws for another value. */
function isSwitchedOn(name: string): boolean {
  const value = text(name);
  if (value !== undefined && value !== 'true') throw new Error(`${name} takes only true here, received ${value}`);
  return value === 'true';
}

/** Returns the props for tokens: an issuer, or the place of the keys of the stack's own user pool. */
function tokenProps() {
  const issuer = pair('tokenIssuer', 'tokenAudience');
  const jwksUri = text('tokenJwksUri');
  if (issuer === undefined) return jwksUri === undefined ? {} : { tokenJwksUri: jwksUri };
  return { tokens: { issuer: issuer[0], audience: issuer[1], ...(jwksUri !== undefined && { jwksUri }) } };
}

/** Returns the dollars of the budget. Throws for a text that is no number. */
function dollarsOf(budget: string): number {
  const dollars = Number(budget);
  if (Number.isNaN(dollars)) throw new Error(`monthlyBudget must be a number of dollars, received ${budget}`);
  return dollars;
}

const ledgerTable = pair('ledgerTableArn', 'ledgerStreamArn');
const entriesTableArn = text('entriesTableArn');
const [callbackUrls, corsOrigins] = [text('peopleCallbackUrls'), text('corsOrigins')];
const [bankId, webAcl] = [text('bankId'), text('webAcl')];
const [logLevel, budget] = [text('logLevel'), text('monthlyBudget')];
new WalletStack(app, 'Wallet', {
  ...tokenProps(),
  ...present('alarmTopicArn', 'criticalTopicArn', 'warningTopicArn'),
  ...(callbackUrls !== undefined && { people: { callbackUrls: callbackUrls.split(',') } }),
  ...(corsOrigins !== undefined && { cors: { allowedOrigins: corsOrigins.split(',') } }),
  ...(bankId !== undefined && { bank: { id: bankId } }),
  ...(ledgerTable !== undefined && { ledgerTable: { tableArn: ledgerTable[0], streamArn: ledgerTable[1] } }),
  ...(entriesTableArn !== undefined && { entriesTable: { tableArn: entriesTableArn } }),
  ...switchedOff('reservedConcurrency', 'holds', 'refunds', 'splits', 'schedules'),
  ...(isSwitchedOn('batches') && { batches: true }),
  ...(isSwitchedOn('console') && { console: {} }),
  ...(isSwitchedOn('bankFiles') && { bankFiles: {} }),
  ...(isSwitchedOn('webhooks') && { webhooks: true }),
  ...(isSwitchedOn('statementFiles') && { statementFiles: true }),
  ...(logLevel !== undefined && { logLevel: logLevel as LogLevel }),
  ...(budget !== undefined && { monthlyBudget: { dollars: dollarsOf(budget) } }),
  ...(webAcl !== undefined && webAcl !== 'true' && { webAcl: webAcl === 'false' ? false : webAcl }),
});
