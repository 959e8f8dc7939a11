import { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { newApp } from '../lib/app.ts';
import { capacityFor } from '../lib/capacity.ts';
import { EntriesTable } from '../lib/entries-table.ts';
import { LedgerTable } from '../lib/ledger-table.ts';
import type { TableProperties } from '../local/dynamodb/service.ts';
import type { Tables } from './tables.ts';

/**
 * Synthesizes the tables of the CDK constructs. Jest does it once for all files: a file would spend more time on loading
 * the CDK than on its tests.
 */
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
