import { WalletError } from '../domain/errors.ts';
import type { Table } from '../store/table.ts';
import { getTransaction } from '../store/transactions.ts';
import { describe, logger } from '../aws/telemetry.ts';

/** A function that returns whether so much work waits in a queue that no more should be accepted. */
export type IsOverloaded = () => Promise<boolean>;

const freshMs = 5_000;
const retryAfterSeconds = 30;

/**
 * Returns a function that watches the depth of a queue. It reads the depth at most every five seconds for each
 * container. The last reading decides. The next one runs beside the command that starts it, so no accepted command
 * waits for it. A refusal rests on a reading of the last five seconds, and waits for one if there is none.
 *
 * After the queue has passed its limit, a container accepts commands until its next reading is due. That is at most
 * five seconds later, and includes the command that starts this reading. A container without a reading accepts one
 * command too. A depth that cannot be read counts as shallow: refusing money because a metric is missing would be the
 * larger harm.
 *
 * @param limit most messages that may wait
 */
export function watchDepth(depth: () => Promise<number>, limit: number, now: () => number): IsOverloaded {
  let readAt = -Infinity;
  let overloaded = false;
  let reading: Promise<void> | undefined;

  async function read(): Promise<void> {
    readAt = now();
    try {
      overloaded = (await depth()) > limit;
    } catch (error) {
      overloaded = false;
      logger.warn('queue depth not read', { error: describe(error) });
    }
  }

  return async () => {
    if (now() - readAt >= freshMs) reading ??= read().finally(() => (reading = undefined));
    if (overloaded) await reading;
    return overloaded;
  };
}

/**
 * Refuses a new command for an overloaded queue. A repetition of an accepted command passes: it adds no work, and its
 * caller must learn the result.
 *
 * @throws WalletError `overloaded`
 */
export async function refuseIfOverloaded(
  isOverloaded: IsOverloaded,
  table: Table,
  transactionId: string,
): Promise<void> {
  if (!(await isOverloaded())) return;
  if ((await getTransaction(table, transactionId)) === undefined) {
    throw new WalletError('overloaded', { retryAfterSeconds });
  }
}
