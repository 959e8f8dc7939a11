import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { TransactWriteCommandInput } from '@aws-sdk/lib-dynamodb';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Gives a client DynamoDB's rule for conflicts: a transaction that touches an item of an open transaction is cancelled
 * with `TransactionConflict` (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html,
 * "Transaction conflict handling"). The engine of this machine makes it wait instead, so a hot item looks faster than
 * it is.
 *
 * @param of items of transactions under way, when several clients share a table; and how long a transaction takes at
 *   least, refused ones too
 * @returns how many transactions were sent, and how many of them met another one, up to now
 */
export function refuseOverlaps(
  client: DynamoDBClient,
  { underWay = new Set<string>(), holdMs = 0 }: { underWay?: Set<string>; holdMs?: number } = {},
): { readonly writes: number; readonly conflicts: number } {
  const counts = { writes: 0, conflicts: 0 };
  client.middlewareStack.add(
    (next, context) => async (args) => {
      if (context.commandName !== 'TransactWriteItemsCommand') return next(args);
      const items = itemsOf(args.input as TransactWriteCommandInput);
      counts.writes += 1;
      if (items.some((item) => underWay.has(item))) {
        counts.conflicts += 1;
        throw new TransactionCanceledException({
          message: 'another transaction is under way on an item of this one',
          $metadata: {},
          CancellationReasons: items.map((item) => ({ Code: underWay.has(item) ? 'TransactionConflict' : 'None' })),
        });
      }
      for (const item of items) underWay.add(item);
      const held = holdMs > 0 ? sleep(holdMs) : undefined;
      try {
        return await next(args);
      } finally {
        await held;
        for (const item of items) underWay.delete(item);
      }
    },
    { step: 'initialize', name: 'refuseOverlaps' },
  );
  return counts;
}

function itemsOf({ TransactItems = [] }: TransactWriteCommandInput): string[] {
  return TransactItems.map(({ Put, Update, Delete, ConditionCheck }) => {
    const { pk, sk } = Put?.Item ?? (Update ?? Delete ?? ConditionCheck)?.Key ?? {};
    return `${String(pk)} ${String(sk)}`;
  });
}
