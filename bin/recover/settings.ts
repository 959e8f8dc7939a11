/** The settings that DynamoDB does not restore with a table. */
import {
  DescribeContinuousBackupsCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  UpdateContinuousBackupsCommand,
  UpdateTableCommand,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';
import { setTimeout as sleep } from 'node:timers/promises';
import { withRetries } from '../../lambdas/store/table.ts';
import type { Table } from '../../lambdas/store/table.ts';
import type { Report } from './report.ts';

/** One setting of a table. */
interface Setting {
  readonly name: string;
  /** Returns whether the table has it; undefined where the database cannot say, as a stand-in on one machine. */
  readonly isSet: () => Promise<boolean | undefined>;
  readonly set: () => Promise<unknown>;
}

const pollMs = 2_000;
const longestMs = 300_000;

/**
 * Sets what a restored table lacks, the stream last: its consumers then see none of the repairs.
 *
 * @param tables `table` has the stream
 */
export async function setSettings(
  { table, entries }: { readonly table: Table; readonly entries: Table },
  { dryRun, report }: { readonly dryRun: boolean; readonly report: Report },
): Promise<void> {
  for (const one of [entries, table]) {
    for (const setting of settingsOf(one, one === table)) {
      const isSet = await setting.isSet();
      if (isSet !== false) continue;
      report.repairs('table', one.name, `${setting.name} is off: set`);
      if (dryRun) continue;
      await setting.set();
      await untilActive(one);
    }
  }
}

function settingsOf(table: Table, hasStream: boolean): Setting[] {
  const { client, name: TableName } = table;
  const describe = () => withRetries(table, () => client.send(new DescribeTableCommand({ TableName })));
  const stream: Setting = {
    name: 'the stream with new and old images',
    async isSet() {
      const { StreamSpecification: stream } = (await describe()).Table ?? {};
      return stream?.StreamEnabled === true && stream.StreamViewType === 'NEW_AND_OLD_IMAGES';
    },
    set: () =>
      client.send(
        new UpdateTableCommand({
          TableName,
          StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
        }),
      ),
  };
  return [
    {
      name: 'expiry by ttl',
      async isSet() {
        const { TimeToLiveDescription: ttl } = await client.send(new DescribeTimeToLiveCommand({ TableName }));
        return ttl?.AttributeName === 'ttl' && /^ENABL/.test(ttl.TimeToLiveStatus ?? '');
      },
      set: () =>
        client.send(
          new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true } }),
        ),
    },
    {
      name: 'recovery to a point in time',
      isSet: () =>
        orUnknown(async () => {
          const described = await client.send(new DescribeContinuousBackupsCommand({ TableName }));
          const { PointInTimeRecoveryDescription: recovery } = described.ContinuousBackupsDescription ?? {};
          return recovery?.PointInTimeRecoveryStatus === 'ENABLED';
        }),
      set: () =>
        client.send(
          new UpdateContinuousBackupsCommand({
            TableName,
            PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
          }),
        ),
    },
    {
      name: 'protection against deletion',
      isSet: async () => (await describe()).Table?.DeletionProtectionEnabled === true,
      set: () => client.send(new UpdateTableCommand({ TableName, DeletionProtectionEnabled: true })),
    },
    ...(hasStream ? [stream] : []),
  ];
}

/** Returns undefined where the database does not know the call. */
async function orUnknown(read: () => Promise<boolean>): Promise<boolean | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof Error && /UnknownOperation/.test(error.name)) return undefined;
    throw error;
  }
}

/** Waits until the table takes the next change of its settings. */
async function untilActive(table: Table): Promise<void> {
  const { client, name: TableName } = table;
  for (let waitedMs = 0; waitedMs < longestMs; waitedMs += pollMs) {
    const { Table: described } = await client.send(new DescribeTableCommand({ TableName }));
    if (described?.TableStatus === 'ACTIVE') return;
    await sleep(pollMs);
  }
  throw new Error(`${TableName} is not active after ${longestMs / 1000} s`);
}
