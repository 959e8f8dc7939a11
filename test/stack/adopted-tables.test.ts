/** Tables that exist already: the template without them is the usual one, with their names in every place. */
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import type { WalletStackProps } from '../../lib/wallet-stack.ts';
import { resourcesOf, synthesize } from './synthesized.ts';

const tableArn = 'arn:aws:dynamodb:eu-west-1:111122223333:table/restored-ledger';
const streamArn = `${tableArn}/stream/2026-11-27T09:00:00.000`;
const entriesArn = 'arn:aws:dynamodb:eu-west-1:111122223333:table/restored-entries';
const adopting: WalletStackProps = { ledgerTable: { tableArn, streamArn }, entriesTable: { tableArn: entriesArn } };

const usual = synthesize();
const adopted = synthesize(adopting);

/** The references of the usual template, and the texts in their places. */
const replaced = new Map<string, string>();
const tablesOf = ({ stack: { service } }: typeof usual) => [service.table, service.entriesTable] as const;
for (const [index, table] of tablesOf(usual).entries()) {
  const { tableName, tableArn: arn } = tablesOf(adopted)[index]!;
  replaced.set(JSON.stringify(usual.stack.resolve(table.tableName)), tableName);
  replaced.set(JSON.stringify(usual.stack.resolve(table.tableArn)), textOf(adopted.stack.resolve(arn)));
}
replaced.set(JSON.stringify(usual.stack.resolve(usual.stack.service.table.tableStreamArn)), streamArn);

function textOf(value: unknown): string {
  const text = normal(value);
  return typeof text === 'string' ? text : JSON.stringify(text);
}

/** Returns a value of a template with the adopted tables, each text in one piece, and lists in the order of their texts. */
function normal(value: unknown): unknown {
  const text = replaced.get(JSON.stringify(value));
  if (text !== undefined) return text;
  if (Array.isArray(value)) return value.map(normal).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  if (typeof value !== 'object' || value === null) return value;
  if ('Fn::Join' in value) {
    const [separator, parts] = value['Fn::Join'] as [string, unknown[]];
    return parts.map(textOf).join(separator);
  }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, normal(item)]));
}

function resources({ template }: typeof usual): Record<string, unknown> {
  return (template.toJSON() as { Resources: Record<string, unknown> }).Resources;
}

describe('adopted tables', () => {
  it('take the place of the two tables of the template in every grant, variable, mapping, alarm, widget and output', () => {
    assert.deepEqual(
      tablesOf(adopted).map(({ tableName }) => tableName),
      ['restored-ledger', 'restored-entries'],
    );
    const usualIds = Object.keys(resources(usual));
    const gone = usualIds.filter((id) => !(id in resources(adopted)));
    assert.deepEqual(
      gone.map((id) => JSON.stringify({ Ref: id })),
      tablesOf(usual).map(({ tableName }) => JSON.stringify(usual.stack.resolve(tableName))),
    );
    const others = usualIds.filter((id) => !gone.includes(id));
    assert.deepEqual(others.sort(), Object.keys(resources(adopted)).sort());
    for (const id of others) {
      assert.equal(textOf(resources(adopted)[id]), textOf(resources(usual)[id]), id);
    }
    assert.deepEqual(normal(adopted.template.findOutputs('*')), normal(usual.template.findOutputs('*')));
  });

  it('feed relay and projector from the stream of the adopted table', () => {
    const sources = [...resourcesOf(adopted.template, 'AWS::Lambda::EventSourceMapping').values()];
    const fromStream = sources.filter(({ Properties }) => Properties['EventSourceArn'] === streamArn);
    assert.equal(fromStream.length, 2);
  });

  it('are adopted one without the other', () => {
    const one = synthesize({ entriesTable: { tableArn: entriesArn } });
    assert.equal(resourcesOf(one.template, 'AWS::DynamoDB::GlobalTable').size, 3);
    assert.equal(one.stack.service.entriesTable.tableName, 'restored-entries');
  });

  it('must be two tables of the region and account of the stack, and the stream that of the first', () => {
    const env = { region: 'eu-west-1', account: '111122223333' };
    const elsewhere = tableArn.replace('eu-west-1', 'eu-west-2');
    const form = 'must be like arn:aws:dynamodb:eu-west-1:111122223333:table/name';
    const stream = `ledgerTable.streamArn must be ${tableArn}/stream/<time>`;
    for (const [props, message] of [
      [
        { ledgerTable: { tableArn: 'restored-ledger', streamArn } },
        `ledgerTable.tableArn ${form}, received "restored-ledger"`,
      ],
      [{ ledgerTable: { tableArn: streamArn, streamArn } }, `ledgerTable.tableArn ${form}, received "${streamArn}"`],
      [{ entriesTable: { tableArn: 'a' } }, `entriesTable.tableArn ${form}, received "a"`],
      [{ ledgerTable: { tableArn, streamArn: tableArn } }, `${stream}, received "${tableArn}"`],
      [{ ledgerTable: { tableArn, streamArn: `${tableArn}/stream/` } }, `${stream}, received "${tableArn}/stream/"`],
      [
        { ledgerTable: { tableArn, streamArn: `${entriesArn}/stream/2026` } },
        `${stream}, received "${entriesArn}/stream/2026"`,
      ],
      [
        { ledgerTable: { tableArn, streamArn }, entriesTable: { tableArn } },
        `ledgerTable and entriesTable must be two tables, received ${tableArn} for both`,
      ],
      [
        { env, entriesTable: { tableArn: elsewhere } },
        `entriesTable.tableArn must be in the stack's region, eu-west-1, received "${elsewhere}"`,
      ],
      [
        { env: { ...env, account: '999999999999' }, ledgerTable: { tableArn, streamArn } },
        `ledgerTable.tableArn must be in the stack's account, 999999999999, received "${tableArn}"`,
      ],
    ] as const) {
      assert.throws(() => synthesize(props), { message });
    }
  });
});
