/**
 * The tables as the CDK constructs describe them. Jest synthesizes them once before all files: a file would spend more
 * time on loading the CDK than on its tests.
 */
import { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { newApp } from '../lib/app.ts';
import { capacityFor } from '../lib/capacity.ts';
import { EntriesTable } from '../lib/entries-table.ts';
import { LedgerTable } from '../lib/ledger-table.ts';
import type { TableProperties } from '../local/dynamodb/service.ts';
import { tablesVariable } from './tables.ts';
import type { Tables } from './tables.ts';
import { probeUnits } from './units.ts';

/** Jest's global set-up: its workers get the environment of this process. */
export default async function setUp(): Promise<void> {
  process.env[tablesVariable] = JSON.stringify(synthesizeTables());
  await probeUnits();
}

export function synthesizeTables(): Tables {
  const capacity = capacityFor(undefined);
  return {
    ledger: propertiesOf((stack) => {
      new LedgerTable(stack, 'Ledger', {
        deletionProtection: true,
        capacity,
        dueShards: 64,
        addAlarm: () => undefined,
      });
    }),
    entries: propertiesOf((stack) => {
      new EntriesTable(stack, 'Entries', { deletionProtection: true, capacity });
    }),
  };
}

function propertiesOf(addTable: (stack: Stack) => void): TableProperties {
  const stack = new Stack(newApp({ builtinCloudFormationValidation: false }), 'Stack');
  addTable(stack);
  const [resource] = Object.values(Template.fromStack(stack).findResources('AWS::DynamoDB::GlobalTable'));
  return (resource as { Properties: TableProperties }).Properties;
}
