import fc from 'fast-check';
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import {
  alwaysOpen,
  dueInOpening,
  parsePayoutHours,
  payoutHours,
  weekdays,
} from '../../lambdas/domain/payout-window.ts';
import type { PayoutWindow } from '../../lambdas/domain/payout-window.ts';

const zurich: PayoutWindow = {
  timeZone: 'Europe/Zurich',
  days: ['MON', 'TUE', 'WED', 'THU', 'FRI'],
  from: '08:00',
  to: '17:00',
  holidays: ['2026-12-25', '2027-01-01'],
};
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const at = (time: string) => Date.parse(time);
const times = ({ opensAt, closesAt }: { opensAt: number; closesAt: number }) => [
  new Date(opensAt).toISOString(),
  new Date(closesAt).toISOString(),
];

describe('the hours of a bank', () => {
  const hours = payoutHours(zurich);

  it('begin with its opening and end just before its close, in its own time', () => {
    const winter = [at('2026-12-07T07:00:00Z'), at('2026-12-07T16:00:00Z')] as const;
    assert.equal(hours.current(winter[0] - 1), undefined);
    assert.deepEqual(hours.current(winter[0]), { opensAt: winter[0], closesAt: winter[1] });
    assert.deepEqual(hours.current(winter[1] - 1), { opensAt: winter[0], closesAt: winter[1] });
    assert.equal(hours.current(winter[1]), undefined);
    assert.ok(hours.current(at('2026-07-07T06:00:00Z')), 'an hour earlier in summer');
  });

  it('go on after nights, weekends and holidays', () => {
    const nextAfter = (time: string) => times(hours.next(at(time)))[0];
    assert.equal(nextAfter('2026-12-07T20:00:00Z'), '2026-12-08T07:00:00.000Z');
    assert.equal(nextAfter('2026-12-04T16:00:00Z'), '2026-12-07T07:00:00.000Z', 'from Friday to Monday');
    assert.equal(nextAfter('2026-12-24T23:30:00Z'), '2026-12-28T07:00:00.000Z', 'Christmas, and its weekend');
    assert.equal(nextAfter('2026-03-27T18:00:00Z'), '2026-03-30T06:00:00.000Z', 'the change to summer time');
  });

  it('count for a time only while the bank was open', () => {
    assert.equal(hours.openMs(at('2026-12-04T15:30:00Z'), at('2026-12-07T07:15:00Z')), 45 * minuteMs);
    assert.equal(hours.openMs(at('2026-12-05T00:00:00Z'), at('2026-12-06T23:00:00Z')), 0);
    assert.equal(hours.openMs(at('2026-12-07T09:00:00Z'), at('2026-12-07T08:00:00Z')), 0);
    assert.equal(hours.openMs(at('2026-12-21T00:00:00Z'), at('2026-12-28T00:00:00Z')), 4 * 9 * hourMs);
  });

  it('may last for all of a day, also when the clocks change at midnight or a quarter of an hour counts', () => {
    const allDay = { days: weekdays, from: '00:00', to: '24:00' };
    const havana = payoutHours({ ...allDay, timeZone: 'America/Havana' });
    // Its clocks go from 24:00 to 01:00 on 8 March 2026, and from 01:00 back to 24:00 on 1 November.
    assert.deepEqual(times(havana.next(at('2026-03-08T00:00:00Z'))), [
      '2026-03-08T05:00:00.000Z',
      '2026-03-09T04:00:00.000Z',
    ]);
    assert.deepEqual(times(havana.next(at('2026-10-31T12:00:00Z'))), [
      '2026-11-01T04:00:00.000Z',
      '2026-11-02T05:00:00.000Z',
    ]);
    const kathmandu = payoutHours({ ...allDay, timeZone: 'Asia/Kathmandu' });
    assert.deepEqual(times(kathmandu.next(at('2026-01-01T00:00:00Z'))), [
      '2026-01-01T18:15:00.000Z',
      '2026-01-02T18:15:00.000Z',
    ]);
  });

  it('take the first of a time that a day has twice, and move a missing one by the missing hour', () => {
    const nightly = { timeZone: 'Europe/Zurich', days: weekdays };
    const twice = payoutHours({ ...nightly, from: '02:15', to: '02:45' });
    assert.deepEqual(times(twice.next(at('2026-10-24T12:00:00Z'))), [
      '2026-10-25T00:15:00.000Z',
      '2026-10-25T00:45:00.000Z',
    ]);
    assert.deepEqual(times(twice.next(at('2026-03-28T12:00:00Z'))), [
      '2026-03-29T01:15:00.000Z',
      '2026-03-29T01:45:00.000Z',
    ]);
    const swallowed = payoutHours({ ...nightly, from: '02:30', to: '03:15' });
    assert.deepEqual(times(swallowed.next(at('2026-03-28T12:00:00Z'))), [
      '2026-03-30T00:30:00.000Z',
      '2026-03-30T01:15:00.000Z',
    ]);
  });
});

const zones = ['UTC', 'Europe/Zurich', 'America/New_York', 'Asia/Kolkata', 'Australia/Lord_Howe', 'Pacific/Auckland'];
const clock = (minutes: number) =>
  `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;
const anyWindow = fc
  .record({
    timeZone: fc.constantFrom(...zones),
    days: fc.subarray([...weekdays], { minLength: 1 }),
    // No opening or close in the hours in which clocks change.
    from: fc.integer({ min: 4 * 60, max: 12 * 60 }),
    lasts: fc.integer({ min: 1, max: 12 * 60 }),
  })
  .map(({ from, lasts, ...rest }): PayoutWindow => ({ ...rest, from: clock(from), to: clock(from + lasts) }));
const moment = fc.integer({ min: at('2026-01-01T00:00:00Z'), max: at('2028-01-01T00:00:00Z') });

/** Returns whether the bank is open at a moment, by the words of its country's clock. */
function isOpenByWords({ timeZone, days, from, to }: PayoutWindow, at: number): boolean {
  const words = new Intl.DateTimeFormat('en-GB', { timeZone, weekday: 'short', hour: '2-digit', minute: '2-digit' });
  const part = (type: string) => words.formatToParts(at).find((one) => one.type === type)?.value ?? '';
  const time = `${part('hour')}:${part('minute')}`;
  return days.some((day) => day === part('weekday').toUpperCase()) && from <= time && time < to;
}

describe('any hours', () => {
  it('are those of the country, and the next opening is the first one', () => {
    fc.assert(
      fc.property(
        anyWindow,
        moment,
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (window, at, share) => {
          const hours = payoutHours(window);
          assert.equal(hours.current(at) !== undefined, isOpenByWords(window, at));
          const { opensAt, closesAt } = hours.next(at);
          assert.ok(opensAt > at);
          assert.ok(isOpenByWords(window, opensAt) && !isOpenByWords(window, opensAt - 1));
          assert.ok(isOpenByWords(window, closesAt - 1) && !isOpenByWords(window, closesAt));
          const between = Math.min(Math.floor(at + share * (opensAt - at)), opensAt - 1);
          const current = hours.current(at);
          assert.equal(isOpenByWords(window, between), current !== undefined && between < current.closesAt);
        },
      ),
    );
  });

  it('add up: the time in which the bank was open is that of its parts', () => {
    const span = fc.integer({ min: 0, max: 20 * 24 * hourMs });
    fc.assert(
      fc.property(anyWindow, moment, span, span, (window, from, first, second) => {
        const hours = payoutHours(window);
        const [middle, to] = [from + first, from + first + second];
        assert.equal(hours.openMs(from, to), hours.openMs(from, middle) + hours.openMs(middle, to));
        assert.ok(hours.openMs(from, to) <= to - from);
      }),
      { numRuns: 50 },
    );
  });

  it('spread what waited over the first five minutes, or the first tenth of a short opening', () => {
    const due = (minutes: number, random: number) =>
      dueInOpening({ opensAt: 0, closesAt: minutes * minuteMs }, random) / minuteMs;
    assert.deepEqual([due(600, 0), due(600, 0.5), due(20, 0), due(20, 0.5)], [0, 2.5, 0, 1]);
  });
});

describe('the variable with the hours', () => {
  it('holds them as JSON, or a word for a bank that is always open', () => {
    assert.equal(parsePayoutHours(alwaysOpen), undefined);
    assert.ok(parsePayoutHours(JSON.stringify(zurich))?.current(at('2026-12-07T12:00:00Z')));
  });

  it('is refused when it is not usable', () => {
    for (const wrong of [{ timeZone: 'Europe/Atlantis' }, { from: '8:00' }, { to: 'late' }]) {
      assert.throws(() => parsePayoutHours(JSON.stringify({ ...zurich, ...wrong })));
    }
    const closed = parsePayoutHours(JSON.stringify({ ...zurich, days: [] }));
    assert.throws(() => closed?.next(0), { message: 'the bank does not open in 1000 days' });
  });
});
