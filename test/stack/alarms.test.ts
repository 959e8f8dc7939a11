/** The definitions of the alarms: what they watch, whom they call, and where they lead. */
import { Duration, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Topic } from 'aws-cdk-lib/aws-sns';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from '@jest/globals';
import { metricNamespace, metrics } from '../../lambdas/contract.ts';
import { newApp } from '../../lib/app.ts';
import { WalletService } from '../../lib/wallet-service.ts';
import type { WalletServiceProps } from '../../lib/wallet-service-props.ts';
import { resourcesOf, synthesize, theOnly } from './synthesized.ts';

const { template } = synthesize();
const alarms = [...resourcesOf(template, 'AWS::CloudWatch::Alarm').values()].map(({ Properties }) => Properties);
const [, moneyAtRisk] = theOnly(template, 'AWS::CloudWatch::CompositeAlarm');
const all = [...alarms, moneyAtRisk.Properties];

interface MetricQuery {
  readonly Expression?: string;
  readonly MetricStat?: { readonly Metric: { readonly MetricName: string } };
}

/** Returns the names of the metrics of an alarm, or of its expression. */
function metricsOf({ MetricName, Metrics }: Record<string, unknown>): string[] {
  if (typeof MetricName === 'string') return [MetricName];
  return [...new Set((Metrics as MetricQuery[]).flatMap(({ MetricStat }) => MetricStat?.Metric.MetricName ?? []))];
}

function embed(props: (stack: Stack) => Partial<WalletServiceProps>) {
  const stack = new Stack(newApp({ builtinCloudFormationValidation: false }), 'Embedding');
  const bank = { url: 'https://bank.example', notFoundWindow: Duration.seconds(5) };
  const service = new WalletService(stack, 'Wallets', { bank, ...props(stack) });
  return { stack, service, template: Template.fromStack(stack) };
}

/** The alarms of features that are off by default. */
const optional = [
  ...resourcesOf(
    synthesize({
      ...{ backup: {}, batches: true, webhooks: true, bankFiles: {}, statementFiles: true },
      fees: { revenueWallets: { USD: `w_usd_${'a'.repeat(26)}` } },
    }).template,
    'AWS::CloudWatch::Alarm',
  ).values(),
];

describe('alarms', () => {
  const anchors = [...all, ...optional.map(({ Properties }) => Properties)].map(
    ({ AlarmDescription }) => /docs\/runbook\.md#([\w-]+)$/.exec(AlarmDescription as string)?.[1],
  );
  const [runbook = ''] = readFileSync(new URL('../../docs/runbook.md', import.meta.url), 'utf8').split(
    '\n# Procedures\n',
  );
  const entries = new Map(
    runbook
      .split(/^## /m)
      .slice(1)
      .map((entry) => [entry.split('\n', 1)[0]!.toLowerCase().replaceAll(' ', '-'), entry]),
  );

  it('watch the failures that would otherwise go unnoticed', () => {
    const watched = alarms.map((alarm) => metricsOf(alarm).join(' + '));
    const counts = Object.fromEntries([...Map.groupBy(watched, (metric) => metric)].map(([m, all]) => [m, all.length]));
    assert.deepEqual(counts, {
      // A warning and a critical one each.
      '5XXError': 2,
      'ApproximateNumberOfMessagesVisible + ApproximateNumberOfMessagesNotVisible': 4,
      CommandDuration: 2,
      OldestDueStandingOrder: 2,
      OldestExpiredHold: 2,
      OldestOpenTransfer: 2,
      OldestOpenWithdrawal: 2,
      OldestScheduledPayment: 2,
      // Withdrawals, transfers, notifications, screening.
      ApproximateAgeOfOldestMessage: 4,
      // Their dead letters, the records that relay and projector set aside, and the events that the audit missed.
      ApproximateNumberOfMessagesVisible: 7,
      BankContradiction: 1,
      'BankFailed + BreakerOpen': 1,
      ClaimedAccountConcurrency: 1,
      ClockDoubted: 1,
      'DeliveryToS3.DataFreshness': 1,
      Discrepancies: 1,
      // The four workers, the sweeper, the check of the books.
      Errors: 6,
      HoursSincePass: 1,
      // Relay and projector.
      IteratorAge: 2,
      'ReadThrottleEvents + WriteThrottleEvents': 1,
      Throttles: 1,
      UncheckedHours: 1,
      WithdrawalsInReview: 1,
      // Much of it, and none at all from a silent sweeper.
      WorkRequeued: 2,
    });
  });

  it("watch this service's metrics under the dimensions that functions emit", () => {
    const own = new Set<string>(Object.values(metrics));
    const queries = all.flatMap((alarm) => [alarm, ...((alarm['Metrics'] as MetricQuery[] | undefined) ?? [])]);
    const found = queries
      .map((query) => (query as MetricQuery).MetricStat?.Metric ?? query)
      .filter((metric) => own.has((metric as Record<string, unknown>)['MetricName'] as string));
    assert.ok(found.length > 10);
    for (const metric of found as Record<string, unknown>[]) {
      assert.equal(metric['Namespace'], metricNamespace);
      assert.deepEqual(metric['Dimensions'], [{ Name: 'service', Value: 'Wallet-Service' }]);
    }
  });

  it('of two services in one account watch metrics of their own', () => {
    const { stack, service } = embed(() => ({}));
    const other = resourcesOf(Template.fromStack(stack), 'AWS::CloudWatch::Alarm');
    const dimensions = [...other.values()].map(({ Properties }) => JSON.stringify(Properties['Dimensions'] ?? ''));
    assert.ok(dimensions.some((text) => text.includes('"Value":"Embedding-Wallets"')));
    assert.ok(!dimensions.some((text) => text.includes('Wallet-Service')));
    assert.ok(service.api.url);
  });

  it('have a name with their service and severity, and no two the same', () => {
    const names = all.map(({ AlarmName }) => String(AlarmName));
    assert.equal(new Set(names).size, names.length);
    for (const [index, name] of names.entries()) {
      const [, severity = ''] = /^Wallet-Service (critical|warning): [a-z0-9' ]+$/i.exec(name) ?? [];
      assert.notEqual(severity, '', name);
      assert.ok(String(all[index]?.['AlarmDescription']).startsWith(`${severity}: `), name);
    }
  });

  it('have their own entry in the runbook, and every entry before the procedures has its alarm', () => {
    assert.deepEqual([...new Set(anchors)].sort(), [...entries.keys()].sort());
  });

  it('each name a runbook entry that describes, investigates and resolves', () => {
    for (const anchor of anchors) {
      assert.ok(anchor, 'an alarm names no entry');
      const entry = entries.get(anchor);
      assert.ok(entry, `docs/runbook.md has no entry for #${anchor}`);
      for (const part of ['Description', 'Investigation', 'Resolution']) {
        assert.ok(entry.includes(`\n### ${part}\n`), `${anchor} has no ${part}`);
      }
    }
  });

  it('about lost or doubled money make up the one that shows money at risk, in a form that every emulator reads', () => {
    const rule = JSON.stringify(moneyAtRisk.Properties['AlarmRule']);
    const members = [...resourcesOf(template, 'AWS::CloudWatch::Alarm')]
      .filter(([id]) => rule.includes(`"${id}","Arn"`))
      .map(([, { Properties }]) => String(Properties['AlarmName']).split(': ')[1]);
    assert.deepEqual(members.sort(), [
      'bank contradicts the ledger',
      'discrepancy in the books',
      'transfer in dead letters',
      'withdrawal in dead letters',
    ]);
    assert.ok(!/\b(AND|NOT)\b/.test(rule));
  });

  it('of a metric math expression read ten metrics at most, as CloudWatch allows', () => {
    for (const { AlarmName, Metrics } of alarms as { AlarmName: string; Metrics?: MetricQuery[] }[]) {
      assert.ok((Metrics ?? []).filter(({ MetricStat }) => MetricStat).length <= 10, AlarmName);
    }
  });
});

describe('the topics for alarms', () => {
  /** Returns how many alarms publish to each topic, by the id of the topic. */
  const published = (given: readonly ('alarmTopic' | 'criticalTopic' | 'warningTopic')[]) => {
    const { template: embedded } = embed((stack) =>
      Object.fromEntries(given.map((name) => [name, new Topic(stack, name)])),
    );
    const counts: Record<string, number> = {};
    const found = [
      ...resourcesOf(embedded, 'AWS::CloudWatch::Alarm').values(),
      ...resourcesOf(embedded, 'AWS::CloudWatch::CompositeAlarm').values(),
    ];
    for (const { Properties } of found) {
      const actions = (Properties['AlarmActions'] as { Ref: string }[] | undefined) ?? [];
      const severity = /(critical|warning):/.exec(String(Properties['AlarmName']))?.[1] ?? '';
      for (const { Ref } of actions) {
        const name = `${severity} to ${/^[a-z]+/.exec(Ref)?.[0] ?? ''}`;
        counts[name] = (counts[name] ?? 0) + 1;
      }
    }
    assert.equal(Object.keys(embedded.findOutputs('*')).length, 0, 'outputs are for the stack that embeds');
    return counts;
  };
  const critical = all.filter(({ AlarmName }) => String(AlarmName).includes('critical:')).length;
  const warning = all.length - critical;

  it('get the alarms of their severity, and one topic may get both', () => {
    assert.ok(critical > 10 && warning > 10);
    assert.deepEqual(published([]), {});
    assert.deepEqual(published(['alarmTopic']), { 'critical to alarm': critical, 'warning to alarm': warning });
    assert.deepEqual(published(['criticalTopic']), { 'critical to critical': critical });
    assert.deepEqual(published(['alarmTopic', 'criticalTopic']), {
      'critical to critical': critical,
      'warning to alarm': warning,
    });
    assert.deepEqual(published(['warningTopic', 'criticalTopic']), {
      'critical to critical': critical,
      'warning to warning': warning,
    });
  });

  it('are given to the stack by their ARNs', () => {
    const arn = (name: string) => `arn:aws:sns:eu-west-1:111122223333:${name}`;
    const { template: stack } = synthesize({
      alarmTopicArn: arn('on-call'),
      warningTopicArn: arn('office'),
    });
    const actions = [...resourcesOf(stack, 'AWS::CloudWatch::Alarm').values()].flatMap(
      ({ Properties }) => Properties['AlarmActions'] as string[],
    );
    assert.deepEqual(new Set(actions), new Set([arn('on-call'), arn('office')]));
  });

  it('get the end of the money at risk, too: it is the all-clear', () => {
    const { template: embedded } = embed((stack) => ({ alarmTopic: new Topic(stack, 'alarmTopic') }));
    const [, { Properties }] = theOnly(embedded, 'AWS::CloudWatch::CompositeAlarm');
    assert.deepEqual(Properties['OKActions'], Properties['AlarmActions']);
  });
});
