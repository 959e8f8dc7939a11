/** The dashboard and the saved queries: each of the service's metrics has a reader, and each query its logs. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from '@jest/globals';
import { errorTitles, metrics, refusalMetric } from '../../lambdas/contract.ts';
import type { ErrorCode } from '../../lambdas/contract.ts';
import { resourcesOf, synthesize, theOnly } from './synthesized.ts';

const { template } = synthesize();
const [, dashboard] = theOnly(template, 'AWS::CloudWatch::Dashboard');
const body = JSON.stringify(dashboard.Properties['DashboardBody']);
const queries = [...resourcesOf(template, 'AWS::Logs::QueryDefinition').values()].map(({ Properties }) => Properties);
const runbook = readFileSync(new URL('../../docs/runbook.md', import.meta.url), 'utf8');

describe('the dashboard', () => {
  it('shows every metric that functions emit: one without a reader would only cost', () => {
    const codes = Object.keys(errorTitles) as ErrorCode[];
    const missing = [...Object.values(metrics), ...codes.map(refusalMetric)].filter(
      (name) => !body.includes(String.raw`\"${name}\"`),
    );
    assert.deepEqual(missing, []);
  });

  it('goes from the alarms and the callers down to the parts, and has the name of the service', () => {
    assert.equal(dashboard.Properties['DashboardName'], 'Wallet-Service');
    const titles = [...body.matchAll(/## ([^"\\]+)/g)].map(([, title = '']) => title.split(':')[0]);
    assert.deepEqual(titles, ['Business', 'Latency', 'Queues and open work', 'Bank', 'Streams', 'Books', 'Cost']);
    assert.ok(body.indexOf(String.raw`\"type\":\"alarm\"`) < body.indexOf('## Business'));
  });

  it('shows the dollars an hour of every function, and of every table and index, used or provisioned', () => {
    const idsIn = (page: string, label: string) => new Set(page.match(new RegExp(`\\b${label}_\\d+`, 'g'))).size;
    const functions = [...resourcesOf(template, 'AWS::Lambda::Function').values()].filter(({ Properties }) =>
      String(Properties['Description']).startsWith('Wallet service: '),
    );
    assert.equal(idsIn(body, 'lambda_requests'), functions.length);
    assert.equal(idsIn(body, 'lambda_time_with_1024_mb') + idsIn(body, 'lambda_time_with_1769_mb'), functions.length);
    // Four tables, and four indexes of one of them.
    assert.equal(idsIn(body, 'dynamodb_writes'), 8);
    // Four periods of a quarter of an hour; $0.625 for a million units.
    assert.match(body, /SUM\(\[dynamodb_writes_0[^\]]*\]\) \* 0\.0000025/);
    assert.ok(!body.includes('ProvisionedWriteCapacityUnits'));
    const load = { least: 1, most: 10 };
    const provisioned = synthesize({ provisioned: { commands: load, reads: load } }).template;
    const [, page] = theOnly(provisioned, 'AWS::CloudWatch::Dashboard');
    assert.match(JSON.stringify(page), /SUM\(\[dynamodb_writes_0[^\]]*\]\) \* 0\.00065/);
    assert.ok(JSON.stringify(page).includes('ProvisionedWriteCapacityUnits'));
  });

  it('shows the state of every alarm', () => {
    const alarms = [
      ...resourcesOf(template, 'AWS::CloudWatch::Alarm').keys(),
      ...resourcesOf(template, 'AWS::CloudWatch::CompositeAlarm').keys(),
    ];
    assert.deepEqual(
      alarms.filter((id) => !body.includes(`["${id}","Arn"]`)),
      [],
    );
  });
});

describe('the saved queries', () => {
  const names = queries.map(({ Name }) => String(Name).replace('Wallet-Service/', ''));

  it('are those that the runbook names', () => {
    const named = [...runbook.matchAll(/quer(?:y|ies)\s+`([^`]+)`/g)].map(([, name]) => name);
    assert.ok(named.length >= 5);
    assert.deepEqual(
      named.filter((name) => !names.includes(String(name))),
      [],
    );
  });

  it('read logs of the stack, and at most fifty of them, as CloudWatch allows', () => {
    const logs = resourcesOf(template, 'AWS::Logs::LogGroup');
    for (const { LogGroupNames, Name } of queries) {
      const groups = (LogGroupNames as { Ref: string }[]).map(({ Ref }) => Ref);
      assert.ok(groups.length > 0 && groups.length <= 50, String(Name));
      for (const group of groups) assert.ok(logs.has(group), `${String(Name)} reads ${group}`);
    }
  });
});
