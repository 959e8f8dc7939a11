import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import type { DynamoDBClient, TransactWriteItemsCommandInput } from '@aws-sdk/client-dynamodb';

/**
 * Gives a client the rule of DynamoDB that an engine on one machine has no need of: a transaction that touches an item
 * of another one which is under way is cancelled with `TransactionConflict`
 * (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html, "Transaction conflict
 * handling"). The engine makes it wait for its turn instead, which flatters whoever writes one hot item often.
 */
export function refuseOverlaps(client: DynamoDBClient): void {
  const underWay = new Set<string>();
  client.middlewareStack.add(
    (next, context) => async (args) => {
      if (context.commandName !== 'TransactWriteItemsCommand') return next(args);
      const items = itemsOf(args.input as TransactWriteItemsCommandInput);
      if (items.some((item) => underWay.has(item))) {
        throw new TransactionCanceledException({
          message: 'another transaction is under way on an item of this one',
          $metadata: {},
          CancellationReasons: items.map((item) => ({ Code: underWay.has(item) ? 'TransactionConflict' : 'None' })),
        });
      }
      for (const item of items) underWay.add(item);
      try {
        return await next(args);
      } finally {
        for (const item of items) underWay.delete(item);
      }
    },
    { step: 'initialize', name: 'refuseOverlaps' },
  );
}

function itemsOf({ TransactItems = [] }: TransactWriteItemsCommandInput): string[] {
  return TransactItems.map(({ Put, Update, Delete, ConditionCheck }) => {
    const { pk, sk } = Put?.Item ?? (Update ?? Delete ?? ConditionCheck)?.Key ?? {};
    return `${pk?.S ?? ''} ${sk?.S ?? ''}`;
  });
}
