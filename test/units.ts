/** Whether the engine's capacity figures are those of DynamoDB. Some engines at `DYNAMODB_ENDPOINT` count otherwise. */
import { DynamoDBClient, GetItemCommand, PutItemCommand, TransactWriteItemsCommand } from '@aws-sdk/client-dynamodb';
import { ensureTable, localCredentials } from '../local/dynamodb/dynamodb.ts';

const unknownVariable = 'TEST_UNITS_UNKNOWN';
const region = 'us-east-1';

/** Checks figures of capacity, where the engine's are right. Everything else in the test is checked on any engine. */
export function checkUnits(check: () => void): void {
  if (process.env[unknownVariable] === undefined) check();
}

/** Probes the engine at `DYNAMODB_ENDPOINT`, once before all files. Prints why figures are not checked. */
export async function probeUnits(endpoint = process.env['DYNAMODB_ENDPOINT']): Promise<void> {
  if (!endpoint) return;
  const wrong = await wrongFigure(endpoint);
  if (wrong === undefined) return;
  process.env[unknownVariable] = wrong;
  process.stdout.write(`Figures of capacity are not checked: the DynamoDB at ${endpoint} reports ${wrong}.\n`);
}

/** Returns the first figure that is not DynamoDB's; undefined when all are. */
async function wrongFigure(endpoint: string): Promise<string | undefined> {
  const client = new DynamoDBClient({ endpoint, region, credentials: localCredentials });
  const TableName = `units-${process.pid}-${Date.now()}`;
  await ensureTable(endpoint, region, {
    create: {
      TableName,
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
      BillingMode: 'PAY_PER_REQUEST',
    },
  });
  const counted = { TableName, ReturnConsumedCapacity: 'TOTAL' } as const;
  const Key = { id: { S: 'one' } };
  const TransactItems = Array.from({ length: 100 }, (_, n) => ({ Put: { TableName, Item: { id: { S: String(n) } } } }));
  try {
    const figures: [what: string, expected: number, actual: number | undefined][] = [
      [
        'one item',
        1,
        (await client.send(new PutItemCommand({ ...counted, Item: Key }))).ConsumedCapacity?.CapacityUnits,
      ],
      ['one read', 0.5, (await client.send(new GetItemCommand({ ...counted, Key }))).ConsumedCapacity?.CapacityUnits],
      [
        'a write of 100 items',
        200,
        (await client.send(new TransactWriteItemsCommand({ TransactItems, ReturnConsumedCapacity: 'TOTAL' })))
          .ConsumedCapacity?.[0]?.CapacityUnits,
      ],
    ];
    const wrong = figures.find(([, expected, actual]) => actual !== expected);
    return wrong && `${wrong[2] ?? 'no'} units for ${wrong[0]}, and not ${wrong[1]}`;
  } finally {
    client.destroy();
  }
}
