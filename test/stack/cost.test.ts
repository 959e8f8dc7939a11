/** The cost of watching the service, as docs/deploy.md states it. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from '@jest/globals';
import { costOfWatching } from '../../bench/watch-model.ts';
import type { Resource } from '../../bench/watch-model.ts';
import { metrics } from '../../lambdas/contract.ts';
import { synthesize } from './synthesized.ts';

const { Resources } = synthesize().template.toJSON() as { Resources: Record<string, Resource> };
const cost = costOfWatching(Object.values(Resources), Object.values(metrics));
const prose = readFileSync(new URL('../../docs/deploy.md', import.meta.url), 'utf8').replaceAll(/\s+/g, ' ');

describe('the cost of watching', () => {
  it('counts each metric of an alarm, and each metric that the service emits', () => {
    const alarm = (Properties: Record<string, unknown>) => ({ Type: 'AWS::CloudWatch::Alarm', Properties });
    const math = { Metrics: [{ Expression: 'a + b' }, { MetricStat: {} }, { MetricStat: {} }] };
    const composite = { Type: 'AWS::CloudWatch::CompositeAlarm' };
    const counted = costOfWatching([alarm({ MetricName: 'a' }), alarm(math), composite], ['a', 'b']);
    assert.deepEqual([counted.alarms, counted.alarmMetrics, counted.busyMetrics], [2, 3, 8]);
    assert.ok(Math.abs(counted.alarmDollars - 0.8) < 1e-9);
  });

  it('is in the documents as the model computes it for the template', () => {
    const dollars = (value: number) => `$${value.toFixed(2)}`;
    for (const phrase of [
      `${cost.alarms} alarms on ${cost.alarmMetrics} metrics and a composite one ${dollars(cost.alarmDollars)}`,
      `${cost.dashboards === 1 ? 'a dashboard' : `${cost.dashboards} dashboards`} ${dollars(cost.dashboardDollars)}`,
      `${cost.idleMetrics} metrics of the service ${dollars(cost.idleMetricDollars)}`,
      `${cost.busyMetrics} metrics, ${dollars(cost.busyMetricDollars)} in place of ${dollars(cost.idleMetricDollars)}`,
    ]) {
      assert.ok(prose.includes(phrase), `docs/deploy.md does not have "${phrase}"`);
    }
  });
});
