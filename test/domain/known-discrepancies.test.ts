/** The list of discrepancies that were reported, and still exist. */
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { KnownDiscrepancies } from '../../lambdas/integrity/known.ts';

const at = '2026-01-01T00:00:00.000Z';
const nowhere = { hour: undefined, bankId: undefined, at };

describe('the list of discrepancies', () => {
  it('counts an acknowledged discrepancy again when its amount changes, and always has room for a new one', () => {
    const known = new KnownDiscrepancies();
    const found = { kind: 'balance_differs', subject: 'w', detail: '10 too little' } as const;
    assert.ok(known.note(found, nowhere));
    known.all[0]!.acknowledged = { by: 'Ann', evidence: 'ticket 7', at };
    assert.ok(!known.note(found, nowhere));
    assert.equal(known.open.length, 0);
    assert.ok(known.note({ ...found, detail: '20 too little' }, nowhere));
    assert.deepEqual(known.open, [{ ...found, detail: '20 too little', hour: undefined, since: at, seenAt: at }]);

    const many = Array.from({ length: 400 }, (_, n) => ({
      ...{ kind: 'unreadable', subject: `${n}`, detail: '', since: at, seenAt: at },
      ...(n > 0 && { acknowledged: { by: 'Ann', evidence: 'ticket 7', at } }),
    }));
    const others = new KnownDiscrepancies(JSON.stringify(many));
    assert.ok(others.hasRoomToAcknowledge);
    others.all[0]!.acknowledged = { by: 'Ann', evidence: 'ticket 7', at };
    assert.ok(!others.hasRoomToAcknowledge);
    assert.ok(others.note(found, nowhere));
    assert.deepEqual([others.all.length, others.open.length], [401, 1], 'a new one has room');

    const later = '2026-02-02T00:00:00.000Z';
    const theirs = new KnownDiscrepancies(JSON.stringify([{ ...found, since: at, seenAt: later }]));
    others.merge(theirs);
    others.dropNotSeenSince('2026-02-01T00:00:00.000Z', undefined);
    assert.deepEqual(others.all, [{ ...found, hour: undefined, since: at, seenAt: later }]);
  });

  it('never outgrows an item of the database', () => {
    const known = new KnownDiscrepancies();
    for (let n = 0; n < 500; n++) {
      known.note({ kind: 'unreadable', subject: `w${n}`, detail: '\u3042'.repeat(400) }, nowhere);
    }
    assert.ok(known.isFull && known.all.length > 100);
    assert.ok(Buffer.byteLength(known.text()) < 400_000);
  });

  it('never outgrows it by what another writer has stored, whose discrepancies keep their room', () => {
    const noted = (name: string) => {
      const known = new KnownDiscrepancies();
      for (let n = 0; n < 400; n++) known.note({ kind: 'unreadable', subject: `${name}${n}`, detail: 'odd' }, nowhere);
      return known;
    };
    const [ours, theirs] = [noted('ours'), noted('theirs')];
    const dropped = ours.merge(theirs);
    assert.equal(ours.all.length, 500);
    assert.deepEqual(ours.all.slice(0, 400), theirs.all);
    assert.equal(dropped.length, 300);
    assert.ok(dropped.every(({ subject }) => ours.find(subject).length === 0));
    assert.ok(
      ours.note({ kind: 'unreadable', subject: dropped[0]!.subject, detail: 'odd' }, nowhere),
      'reported again',
    );
  });

  it('learns the bank of a payment that an earlier release has noted, and keeps it while another bank is compared', () => {
    const found = { kind: 'payment_missing', subject: 'tx_1', detail: 'not paid' } as const;
    const stored = JSON.stringify([{ ...found, since: at, seenAt: at }]);
    const known = new KnownDiscrepancies(stored);
    assert.ok(!known.note(found, { ...nowhere, bankId: 'first' }));
    assert.deepEqual(known.merge(new KnownDiscrepancies(stored)), []);
    known.dropNotSeenSince('2026-02-01T00:00:00.000Z', 'second');
    assert.deepEqual(
      known.all.map(({ bankId }) => bankId),
      ['first'],
    );
  });

  it('finds the one without an hour among several of one subject', () => {
    const known = new KnownDiscrepancies();
    const found = { kind: 'total_differs', subject: 'external:EUR', detail: '10 too much' } as const;
    for (const hour of [undefined, '2026-01-01T07']) known.note(found, { ...nowhere, hour });
    const hours = (hour?: string) => known.find(found.subject, found.kind, hour).map((one) => one.hour);
    assert.deepEqual(hours(), [undefined, '2026-01-01T07']);
    assert.deepEqual(hours('2026-01-01T07'), ['2026-01-01T07']);
    assert.deepEqual(hours('none'), [undefined]);
  });
});
