/** The alarms of the template, evaluated over metrics: each can go off, and none does over a healthy or an idle service. */
import { Metrics } from '@aws-lambda-powertools/metrics';
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { metricNamespace, metrics as names } from '../../lambdas/contract.ts';
import { epoch } from '../engine.ts';
import { furtherPeriods, stateOf, Watch } from '../watch/alarms.ts';
import type { AlarmState, Definition, Missing } from '../watch/alarms.ts';
import { MetricData } from '../watch/metric-data.ts';
import { valueOf } from '../watch/metric-math.ts';
import type { Resource } from './synthesized.ts';
import { synthesize } from './synthesized.ts';

const { Resources: resources } = synthesize().template.toJSON() as { Resources: Record<string, Resource> };
const minuteMs = 60_000;

describe('the evaluation of an alarm', () => {
  const points = (text: string) =>
    text
      .split(' ')
      .map((point) => (point === '-' ? undefined : point === 'X'))
      .reverse();

  for (const [datapointsToAlarm, text, expected] of [
    // The examples of "Configuring how CloudWatch alarms treat missing data": X is wrong, 0 is right, - is missing.
    [3, '0 - X - X', 'OK OK OK OK'],
    [3, '- - - - 0', 'OK OK OK OK'],
    [3, '- - - - -', 'INSUFFICIENT_DATA before ALARM OK'],
    [3, '0 X X - X', 'ALARM ALARM ALARM ALARM'],
    [3, '- - X - -', 'ALARM before ALARM OK'],
    [2, '0 - X - X', 'ALARM ALARM ALARM ALARM'],
    [2, '0 0 X 0 X', 'ALARM ALARM ALARM ALARM'],
    [2, '0 - X - -', 'OK OK ALARM OK'],
    [2, '- - - - 0', 'OK OK ALARM OK'],
    [2, '- - - X -', 'ALARM before ALARM OK'],
  ] as const) {
    it(`of ${datapointsToAlarm} of 3 points over ${text} is as AWS documents it`, () => {
      const treatments: readonly Missing[] = ['missing', 'ignore', 'breaching', 'notBreaching'];
      const before: AlarmState = 'INSUFFICIENT_DATA';
      const states = treatments.map((missing) => {
        const settings = { evaluationPeriods: 3, datapointsToAlarm, missing, threshold: 1, comparison: '' };
        const [state, other] = ([before, 'ALARM'] as const).map((now) => stateOf(settings, points(text), now));
        return state === before && other === 'ALARM' && missing === 'ignore' ? 'before' : state;
      });
      assert.equal(states.join(' '), expected);
    });
  }

  it('computes metric math, and has no value where an operand is missing', () => {
    assert.equal(valueOf('(a + 2 * b) / c', { a: 1, b: 3, c: 2 }), 3.5);
    assert.equal(valueOf('IF((a >= 20 AND b >= 0.9) OR c > 1, 1, 0)', { a: 20, b: 0.5, c: 2 }), 1);
    assert.equal(valueOf('IF((a >= 20 AND b >= 0.9) OR c > 1, 1, 0)', { a: 20, b: 0.5, c: 1 }), 0);
    assert.equal(valueOf('a + b', { a: 1, b: undefined }), undefined);
    assert.equal(valueOf('SUM(METRICS())', { a: 1, b: undefined }), 1);
    assert.equal(valueOf('SUM(METRICS())', { a: undefined }), undefined);
    assert.throws(() => valueOf('FILL(a, 0)', { a: 1 }), /the function FILL is not known/);
    assert.throws(() => valueOf('a ? b', { a: 1 }), /not understood|no metric/);
  });

  it('reads the lines that functions write, also with several values, and in the log of the runner', () => {
    const written = new Metrics({ namespace: metricNamespace, serviceName: 'Wallet-Service' });
    for (const value of [1, 2, 9]) written.addMetric(names.withdrawalAge, 'Milliseconds', value);
    written.addMetric(names.replays, 'Count', 1);
    const line = JSON.stringify(written.serializeMetrics());
    const data = new MetricData();
    data.putLine(`{"function":"worker",${line.slice(1)}`);
    data.putLine('{"message":"no metric"}');
    const now = Date.now();
    const metric = { namespace: metricNamespace, name: names.withdrawalAge, dimensions: { service: 'Wallet-Service' } };
    const statistic = (name: string) => data.statistic(metric, name, now - minuteMs, now + minuteMs);
    assert.deepEqual(['SampleCount', 'Sum', 'Average', 'Maximum', 'p50', 'p99'].map(statistic), [3, 12, 4, 9, 2, 9]);
    assert.equal(data.statistic(metric, 'Sum', now + minuteMs, now + 2 * minuteMs), undefined);
  });
});

/** Puts values into the metrics of an alarm for one period, of a right or of a wrong one. */
function drive({ data }: Watch, definition: Definition, at: number, isWrong: boolean): void {
  const { metrics, threshold, comparison, expression = '' } = definition;
  const [first] = Object.values(metrics);
  assert.ok(first);
  if (expression.startsWith('IF')) {
    const { failed, open } = metrics;
    assert.ok(failed && open);
    for (let turn = 0; turn < 30; turn++) {
      data.put(failed, at, Number(isWrong || turn < 9));
      data.put(open, at, 0);
    }
  } else if (comparison === 'LessThanThreshold') {
    for (let count = isWrong ? 1 : 0; count < threshold; count++) data.put(first, at, 0);
  } else {
    data.put(first, at, isWrong ? threshold : threshold - Math.min(1, threshold / 10));
  }
}

describe('each alarm', () => {
  const { definitions } = new Watch(resources);
  for (const definition of definitions) {
    const { name, period, evaluationPeriods } = definition;
    it(`can go off, and ends: ${name}`, () => {
      const watch = new Watch(resources);
      const periodMs = period * 1000;
      // Long enough for every earlier point to be out of the evaluation.
      const rightMs = (evaluationPeriods + 4) * periodMs;
      const wrongFrom = epoch + rightMs;
      // A point counts as missing only when those of the periods before it are, too.
      const waits = definition.comparison === 'LessThanThreshold' ? furtherPeriods : 0;
      const wrongTo = wrongFrom + (evaluationPeriods + waits) * periodMs;
      const end = wrongTo + rightMs;
      for (let at = epoch; at < end; at += periodMs) drive(watch, definition, at, at >= wrongFrom && at < wrongTo);
      watch.evaluateEach(epoch, wrongTo - periodMs);
      assert.notEqual(watch.stateOf(name), 'ALARM', 'before the last of its periods');
      watch.evaluate(wrongTo);
      assert.equal(watch.stateOf(name), 'ALARM');
      watch.evaluateEach(wrongTo, end);
      assert.equal(watch.stateOf(name), 'OK');
    });
  }

  it('stays silent over a stack without callers, whose schedules run', () => {
    const watch = new Watch(resources);
    const end = epoch + 3 * 3_600_000;
    const own = (name: string) => ({ namespace: metricNamespace, name, dimensions: { service: 'Wallet-Service' } });
    for (let at = epoch; at < end; at += minuteMs) {
      for (const name of [
        names.workRequeued,
        names.oldestWithdrawal,
        names.oldestTransfer,
        names.oldestExpiredHold,
        names.oldestScheduled,
        names.oldestDueOrder,
        names.withdrawalsInReview,
      ]) {
        watch.data.put(own(name), at, 0);
      }
      if ((at - epoch) % (15 * minuteMs) > 0) continue;
      for (const name of [names.discrepancies, names.uncheckedHours, names.hoursSincePass]) {
        watch.data.put(own(name), at, 0);
      }
    }
    watch.evaluateEach(epoch, end);
    assert.deepEqual(watch.fired(), []);
  });

  it('that waits for a report goes off when schedules stop', () => {
    const watch = new Watch(resources);
    watch.evaluateEach(epoch, epoch + 3 * 3_600_000);
    assert.deepEqual(watch.fired().sort(), [
      'Wallet-Service critical: sweeper silent',
      'Wallet-Service warning: hours unchecked',
    ]);
  });
});

describe('the alarms about money', () => {
  const contradiction = 'Wallet-Service critical: bank contradicts the ledger';
  const discrepancy = 'Wallet-Service critical: discrepancy in the books';
  const moneyAtRisk = 'Wallet-Service critical: money at risk';
  const own = (name: string) => ({ namespace: metricNamespace, name, dimensions: { service: 'Wallet-Service' } });

  it('keep a contradiction until an operator acknowledges it, and then are silent', () => {
    const watch = new Watch(resources);
    watch.data.put(own(names.bankContradiction), epoch, 1);
    watch.evaluateEach(epoch, epoch + 12 * 3_600_000);
    assert.deepEqual([watch.stateOf(contradiction), watch.stateOf(moneyAtRisk)], ['ALARM', 'ALARM']);
    watch.acknowledge(contradiction, epoch + 12 * 3_600_000);
    watch.evaluateEach(epoch + 12 * 3_600_000, epoch + 13 * 3_600_000);
    assert.deepEqual([watch.stateOf(contradiction), watch.stateOf(moneyAtRisk)], ['OK', 'OK']);
  });

  it('keep a discrepancy until the check reports that none is left', () => {
    const watch = new Watch(resources);
    const quarter = 15 * minuteMs;
    for (const [run, known] of [1, 1, 1, 1, 0].entries()) {
      watch.data.put(own(names.discrepancies), epoch + run * quarter, known);
      watch.evaluateEach(epoch + run * quarter, epoch + (run + 1) * quarter - minuteMs);
      const state = known > 0 ? 'ALARM' : 'OK';
      assert.deepEqual([watch.stateOf(discrepancy), watch.stateOf(moneyAtRisk)], [state, state]);
    }
  });
});
