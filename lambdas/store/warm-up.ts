import { setTimeout as sleep } from 'node:timers/promises';
import { GetCommand } from '@aws-sdk/lib-dynamodb';
import type { Table } from './table.ts';
import type { Item } from './write.ts';

/** Longest wait of a function's start for its first call, ms. */
const patienceMs = 500;

/**
 * Makes a first call to the database while the function starts. So the first request finds an open connection and code
 * that has run. The call reads an item that does not exist, for half a read unit. It never rejects: later requests
 * report the failure. It does nothing outside a function's process.
 *
 * @param key of an item that cannot exist, of a type that the function may read
 * @param beside other work that begins now, and is not awaited; never rejects
 */
export async function warmUp({ client, name }: Table, key: Item, beside?: () => Promise<unknown>): Promise<void> {
  if (process.env['AWS_LAMBDA_INITIALIZATION_TYPE'] === undefined) return;
  void beside?.();
  const call = client.send(new GetCommand({ TableName: name, Key: key })).catch(() => undefined);
  await Promise.race([call, sleep(patienceMs, undefined, { ref: false })]);
}
