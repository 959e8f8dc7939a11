/** A file of the bank that arrives in the bucket: its report, metric and event, once for any number of messages. */
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import type { SQSRecord } from 'aws-lambda';
import type { Objects } from '../../lambdas/aws/objects.ts';
import type { ServiceEvent } from '../../lambdas/views/event-schemas.ts';
import { eventSchemas } from '../../lambdas/views/event-schemas.ts';
import { compareArrival } from '../../lambdas/workers/bank-files.ts';
import type { BankFileServices, StoredReport } from '../../lambdas/workers/bank-files.ts';
import { camt, csv, csvColumns, piecesOf } from '../bank-files.ts';
import { useEngine } from '../fixture.ts';
import { withdraw } from './commands.ts';
import { settle } from './histories.ts';
import { bankId } from './visits.ts';
import { fundedWallet } from './wallets.ts';

const engine = useEngine();

/** A bucket in memory. */
class Bucket implements Objects {
  readonly content = new Map<string, string>();
  /** How many objects were opened. */
  opened = 0;

  get(key: string) {
    const content = this.content.get(key);
    this.opened++;
    return Promise.resolve(
      content === undefined ? undefined : { size: Buffer.byteLength(content), content: piecesOf(content) },
    );
  }

  add(key: string, content: string) {
    if (this.content.has(key)) return Promise.resolve(false);
    this.content.set(key, content);
    return Promise.resolve(true);
  }
}

async function newScene() {
  const table = await engine.newTable();
  const walletId = await fundedWallet(table, 'ann', 1_000);
  const { transactionId } = (await withdraw(table, walletId, { owner: 'ann', amount: 100 })).transaction;
  await settle(table, transactionId);
  const objects = new Bucket();
  const events: ServiceEvent[] = [];
  let refusals = 0;
  const services: BankFileServices = {
    ...{ table, objects, queue: { delay: () => Promise.resolve() }, options: { bankId, days: 5, charges: false } },
    publisher: {
      ...table,
      busName: 'bus',
      put: (entries) => {
        if (refusals-- > 0) return Promise.resolve(entries.map(() => 'InternalFailure'));
        for (const { Detail = '' } of entries) events.push(JSON.parse(Detail) as ServiceEvent);
        return Promise.resolve(entries.map(() => undefined));
      },
    },
  };
  return {
    ...{ table, objects, events, transactionId },
    /** Refuses the next events. */
    refuse: (count: number) => {
      refusals = count;
    },
    /** Receives the message of S3 about an object. */
    arrive: (key: string, { size = 100, leftMs = () => 900_000 }: { size?: number; leftMs?: () => number } = {}) => {
      const body = JSON.stringify({ 'detail-type': 'Object Created', detail: { object: { key, size, etag: 'e1' } } });
      return compareArrival(services, { messageId: '1', body } as SQSRecord, leftMs);
    },
    reportOf: (key: string) => JSON.parse(objects.content.get(`reports/${key}.e1.json`) ?? '') as StoredReport,
  };
}

describe('a file that arrives', () => {
  it('gets a report and an event, once: a second message stores and compares nothing', async () => {
    const { objects, events, transactionId, arrive, reportOf, table } = await newScene();
    objects.content.set('incoming/a.xml', camt([{ reference: transactionId, amount: 99 }]));
    await arrive('incoming/a.xml');
    const report = reportOf('a.xml');
    assert.ok(report.outcome === 'differences');
    assert.deepEqual(report.counts.byCode, { amount_differs: 1 });
    assert.equal(report.differences[0]?.file, 'incoming/a.xml');
    const stored = new Map(objects.content);
    const calls = table.calls.length;
    await arrive('incoming/a.xml');
    assert.deepEqual([objects.content, table.calls.length], [stored, calls]);
    assert.deepEqual(events[1], events[0]);
    assert.deepEqual(eventSchemas['bank_file.reconciled'].parse(events[0]).bankFile, {
      ...{ object: 'incoming/a.xml', outcome: 'differences', differences: 1, byCode: { amount_differs: 1 } },
      ...{ lines: 1, matched: 0, report: 'reports/a.xml.e1.json' },
    });
  });

  it('has one report when two workers compare it at once', async () => {
    const { objects, events, transactionId, arrive } = await newScene();
    objects.content.set('incoming/a.xml', camt([{ reference: transactionId, amount: 100 }]));
    await Promise.all([arrive('incoming/a.xml'), arrive('incoming/a.xml')]);
    assert.deepEqual([...objects.content.keys()], ['incoming/a.xml', 'reports/a.xml.e1.json']);
    assert.deepEqual(events[1], events[0]);
  });

  it('is reported again when its event was refused', async () => {
    const { objects, events, transactionId, arrive, refuse } = await newScene();
    objects.content.set('incoming/a.xml', camt([{ reference: transactionId, amount: 100 }]));
    refuse(1_000);
    await assert.rejects(arrive('incoming/a.xml'), /is not published: InternalFailure/);
    refuse(0);
    await arrive('incoming/a.xml');
    assert.deepEqual(
      events.map((event) => event.type),
      ['bank_file.reconciled'],
    );
  });

  it('is named when it is broken, with its line', async () => {
    const { objects, arrive, reportOf } = await newScene();
    objects.content.set('incoming/a.xml', '<Document>\n<a></b></Document>');
    await arrive('incoming/a.xml');
    const { outcome, ...report } = reportOf('a.xml');
    assert.ok(outcome === 'unreadable' && 'code' in report);
    assert.deepEqual([report.code, report.line], ['bad_xml', 2]);
  });

  it('is parked when it is too large, or there is no time', async () => {
    const { objects, events, transactionId, arrive, reportOf } = await newScene();
    for (const key of ['a.xml', 'b.xml']) {
      objects.content.set(`incoming/${key}`, camt([{ reference: transactionId, amount: 100 }]));
    }
    await arrive('incoming/a.xml', { size: 1_000_000_001 });
    await arrive('incoming/b.xml', { leftMs: () => 59_999 });
    assert.deepEqual([reportOf('a.xml').outcome, reportOf('b.xml').outcome], ['parked', 'parked']);
    assert.deepEqual(
      events.map((event) => event.type === 'bank_file.reconciled' && event.bankFile.differences),
      [1, 1],
    );
  });

  it('is a CSV with the columns of the bucket', async () => {
    const { objects, transactionId, arrive, reportOf } = await newScene();
    for (const key of ['a.csv', 'b.csv']) {
      objects.content.set(`incoming/${key}`, csv([{ reference: transactionId, amount: 100 }]));
    }
    await arrive('incoming/a.csv');
    assert.equal(reportOf('a.csv').outcome, 'unreadable');
    objects.content.set('columns.json', JSON.stringify(csvColumns));
    await arrive('incoming/b.csv');
    assert.equal(reportOf('b.csv').outcome, 'matched');
  });

  it('may be gone, and a message may name none', async () => {
    const { objects, events, arrive } = await newScene();
    await arrive('incoming/a.xml');
    await arrive('reports/a.xml');
    assert.deepEqual([objects.content.size, events.length], [0, 0]);
  });
});
