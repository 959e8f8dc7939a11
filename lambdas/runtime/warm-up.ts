import { setTimeout as sleep } from 'node:timers/promises';
import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import type { Table } from '../store/table.ts';
import { toItem } from '../store/write.ts';
import type { Item } from '../store/write.ts';

/** How long a function's start waits at most for its first call, ms. */
const patienceMs = 500;

/**
 * Makes a first call to the database while the function starts, so that the first request finds an open connection and
 * code that has run. It reads an item that does not exist, for half a read unit. It never rejects: requests that come later
 * report what is wrong. It does nothing in a process that is not a function's.
 *
 * @param key of an item that cannot exist, of a type that the function may read
 * @param beside what else begins now, and is not waited for; never rejects
 */
export async function warmUp({ client, name }: Table, key: Item, beside?: () => Promise<unknown>): Promise<void> {
  if (process.env['AWS_LAMBDA_INITIALIZATION_TYPE'] === undefined) return;
  void beside?.();
  const call = client.send(new GetItemCommand({ TableName: name, Key: toItem(key) })).catch(() => undefined);
  await Promise.race([call, sleep(patienceMs, undefined, { ref: false })]);
}
