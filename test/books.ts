/** Both tables of the books on a test engine, with the stream between them and the projector that reads it. */
import type { DynamoDBRecord } from 'aws-lambda';
import { CreateTableCommand } from '@aws-sdk/client-dynamodb';
import { openRecords } from '../bench/records.ts';
import type { TestEngine, TestTable } from './engine.ts';
import { describeTables } from './tables.ts';
import { Heads } from '../lambdas/store/heads.ts';
import type { SetAside } from '../lambdas/aws/set-aside.ts';
import { project } from '../lambdas/workers/projector.ts';

export interface TestBooks {
  readonly table: TestTable;
  readonly entries: TestTable;
  /** Returns the records of the stream that no earlier call returned, oldest first. */
  readonly takeRecords: () => Promise<DynamoDBRecord[]>;
  /** The same, and only the records of items with this sort key; the others are lost. */
  readonly takeRecordsOf: (sk: 'WALLET' | 'TX') => Promise<DynamoDBRecord[]>;
  /** The records that the projector set aside. */
  readonly aside: DynamoDBRecord[];
  /**
   * Passes records to the projector. Returns the sequence number from which the projector wants them again.
   *
   * @param heads the wallet heads that the projector's container has from earlier batches; leave out for a new
   * container
   */
  readonly hand: (records: readonly DynamoDBRecord[], heads?: Heads) => Promise<string | undefined>;
  /** Brings the entries up to date. */
  readonly follow: () => Promise<void>;
  readonly close: () => void;
}

/** Creates empty books. */
export async function newBooks(engine: TestEngine): Promise<TestBooks> {
  const table = await engine.newTable();
  const entries = await newEntriesTable(engine, `${table.name}-entries`);
  const { next: takeRecords, close } = await openRecords(engine.endpoint, table.name);
  const aside: DynamoDBRecord[] = [];

  async function hand(records: readonly DynamoDBRecord[], heads = new Heads()): Promise<string | undefined> {
    const services = {
      entries,
      heads,
      setAside: {
        send: ({ Records }: SetAside) => {
          aside.push(...Records);
          return Promise.resolve();
        },
      },
    };
    return (await project(records, services))?.dynamodb?.SequenceNumber;
  }

  return {
    table,
    entries,
    takeRecords,
    takeRecordsOf: async (sk) => (await takeRecords()).filter(({ dynamodb }) => dynamodb?.Keys?.['sk']?.S === sk),
    aside,
    hand,
    async follow() {
      const records = await takeRecords();
      for (let start = 0; start < records.length; start += 100) {
        const again = await hand(records.slice(start, start + 100));
        if (again !== undefined) throw new Error(`not projected from ${again}`);
      }
    },
    close,
  };
}

/** Creates the entries table as the CDK construct describes it. */
export async function newEntriesTable(engine: TestEngine, name: string): Promise<TestTable> {
  const { AttributeDefinitions, KeySchema, GlobalSecondaryIndexes } = (await describeTables()).entries;
  const entries = engine.openTable(name);
  await entries.client.send(
    new CreateTableCommand({
      TableName: name,
      AttributeDefinitions,
      KeySchema,
      GlobalSecondaryIndexes,
      BillingMode: 'PAY_PER_REQUEST',
    }),
  );
  return entries;
}
