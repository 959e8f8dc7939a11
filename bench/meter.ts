import type { ConsumedCapacity, DynamoDBClient } from '@aws-sdk/client-dynamodb';

/** The calls to DynamoDB, and the units that it charged. */
export interface Usage {
  readonly calls: number;
  /** Calls made at the same time count once: how often the work waited for the database. */
  readonly roundTrips: number;
  readonly writeUnits: number;
  readonly readUnits: number;
}

/**
 * Measures the use of DynamoDB by `work` through the client, indexes included. A write that is cancelled reports no
 * units, though AWS charges them. One work at a time.
 */
export async function meter(
  client: Pick<DynamoDBClient, 'middlewareStack'>,
  work: () => Promise<unknown>,
): Promise<Usage> {
  const usage = { calls: 0, roundTrips: 0, writeUnits: 0, readUnits: 0 };
  let underWay = 0;
  const name = 'consumedCapacityMeter';
  client.middlewareStack.add(
    (next, context) => async (args) => {
      usage.calls += 1;
      if (underWay === 0) usage.roundTrips += 1;
      underWay += 1;
      try {
        const result = await next({ ...args, input: { ...args.input, ReturnConsumedCapacity: 'TOTAL' } });
        const units = unitsOf(result.output as Consumed);
        if (/^(Get|BatchGet|TransactGet|Query|Scan)/.test(String(context.commandName))) usage.readUnits += units;
        else usage.writeUnits += units;
        return result;
      } finally {
        underWay -= 1;
      }
    },
    { step: 'initialize', name },
  );
  try {
    await work();
  } finally {
    client.middlewareStack.remove(name);
  }
  return usage;
}

interface Consumed {
  readonly ConsumedCapacity?: ConsumedCapacity | readonly ConsumedCapacity[];
}

function unitsOf({ ConsumedCapacity: consumed = [] }: Consumed): number {
  return [consumed].flat().reduce((sum, { CapacityUnits = 0 }) => sum + CapacityUnits, 0);
}
