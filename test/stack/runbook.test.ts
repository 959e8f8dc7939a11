import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from '@jest/globals';
import { defaultBreaker } from '../../lambdas/bank/breaker.ts';
import { errorTitles, WalletError } from '../../lambdas/domain/errors.ts';
import type { ErrorCode } from '../../lambdas/domain/errors.ts';
import { endOfWindow } from '../../lambdas/domain/rate.ts';
import { mostFailedTries } from '../../lambdas/domain/statement-file.ts';
import { caps } from '../../lambdas/domain/wallet.ts';
import { bankCallMs, clockErrorMs } from '../../lambdas/domain/withdrawal.ts';
import { problem } from '../../lambdas/http/problem.ts';
import { journalMs } from '../../lambdas/store/journal.ts';
import { rememberedSeconds } from '../../lambdas/store/notifications.ts';
import { document } from '../documented.ts';
import { furtherPeriods } from '../watch/alarms.ts';
import { resourcesOf, synthesize, theOnly } from './synthesized.ts';

const { template } = synthesize({
  people: { callbackUrls: ['https://desk.example/'] },
  batches: true,
  webhooks: true,
  statementFiles: true,
});

type Properties = Readonly<Record<string, unknown>>;

function propertiesOf(type: string): Properties[] {
  return [...resourcesOf(template, type).values()].map(({ Properties }) => Properties);
}

/** Returns a number at a path of a resource's properties. */
function numberAt(properties: Properties, ...path: readonly string[]): number {
  let value: unknown = properties;
  for (const name of path) value = (value as Properties | undefined)?.[name];
  assert.equal(typeof value, 'number', path.join('.'));
  return value as number;
}

/** Returns the only value of a number in all these resources. */
function common(resources: readonly Properties[], ...path: readonly string[]): number {
  const [value, ...others] = new Set(resources.map((properties) => numberAt(properties, ...path)));
  assert.ok(value !== undefined && others.length === 0, `${path.join('.')} is ${[value, ...others].join(' and ')}`);
  return value;
}

const alarms = propertiesOf('AWS::CloudWatch::Alarm');

/** Returns the alarm of an entry. */
function alarmOf(entry: string): Properties {
  const alarm = alarms.find(({ AlarmDescription }) => String(AlarmDescription).endsWith(`#${entry}`));
  assert.ok(alarm, `no alarm names ${entry}`);
  return alarm;
}

/** Returns the time over which an alarm watches its metric, in seconds. */
function watchedSeconds(entry: string): number {
  const alarm = alarmOf(entry);
  return numberAt(alarm, 'Period') * numberAt(alarm, 'EvaluationPeriods');
}

function threshold(entry: string): number {
  return numberAt(alarmOf(entry), 'Threshold');
}

/** Returns the thresholds of an entry with two alarms, by severity. */
function levels(entry: string): { readonly warning: number; readonly critical: number } {
  const thresholdOf = (severity: string) => {
    const [alarm, ...others] = alarms.filter(({ AlarmDescription }) =>
      new RegExp(`^${severity}: .*#${entry}$`).test(String(AlarmDescription)),
    );
    assert.ok(alarm && others.length === 0, `the ${severity} alarm of ${entry}`);
    return numberAt(alarm, 'Threshold');
  };
  return { warning: thresholdOf('warning'), critical: thresholdOf('critical') };
}

/** Returns the least turns, and how many of 20 must fail, which show a bank that is down. */
function bankDown(): { readonly turns: number; readonly inTwenty: number } {
  const { Metrics } = alarmOf('bank-down') as { Metrics?: readonly { readonly Expression?: string }[] };
  const expression = (Metrics ?? []).map(({ Expression = '' }) => Expression).join('');
  const [, turns, share] = /turns >= (\d+) AND failed >= ([\d.]+)/.exec(expression) ?? [];
  return { turns: Number(turns), inTwenty: 20 * Number(share) };
}

function functionNamed(name: string): Properties {
  const functions = propertiesOf('AWS::Lambda::Function');
  const found = functions.find(({ Description }) => Description === `Wallet service: ${name}`);
  assert.ok(found, `no function ${name}`);
  return found;
}

/** Returns the time limit of a function, in seconds. */
function timeoutOf(name: string): number {
  return numberAt(functionNamed(name), 'Timeout');
}

/** Returns the time for which a rotated key of the bank's notifications is valid, in seconds. */
function keyOverlapSeconds(): number {
  const { Variables } = functionNamed('bank-notifications')['Environment'] as { Variables: Record<string, string> };
  return Number(Variables['BANK_KEY_OVERLAP_SECONDS']);
}

const words = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten'];

/** Returns a small number as a word. */
function inWords(value: number): string {
  const word = words[value];
  assert.ok(word, `no word for ${value}`);
  return word;
}

const minutes = (seconds: number) => `${inWords(seconds / 60)} minutes`;
const hours = (seconds: number) => `${inWords(seconds / 3600)} hours`;
const digits = (value: number) => value.toLocaleString('en');

const openTooLong = {
  withdrawal: levels('withdrawal-open-for-too-long'),
  transfer: levels('transfer-open-for-too-long'),
  hold: levels('expired-hold-open-for-too-long'),
  scheduled: levels('scheduled-payment-waits-for-too-long'),
};
const serverErrors = levels('api-server-errors');
const slow = levels('slow-commands');
const depthLimit = Number(
  (functionNamed('withdraw')['Environment'] as { Variables: Record<string, string> }).Variables['QUEUE_DEPTH_LIMIT'],
);

const workQueues = propertiesOf('AWS::SQS::Queue').filter(({ RedrivePolicy }) => RedrivePolicy !== undefined);
const receives = common(workQueues, 'RedrivePolicy', 'maxReceiveCount');
const visibilitySeconds = Math.min(...workQueues.map((queue) => numberAt(queue, 'VisibilityTimeout')));
const redelivery = minutes(visibilitySeconds);
const [, schedule] = [...resourcesOf(template, 'AWS::Events::Rule')].find(([id]) => id.includes('EveryQuarter')) ?? [];
const [, stage] = theOnly(template, 'AWS::ApiGateway::Stage');
const methods = stage.Properties['MethodSettings'] as readonly Properties[];
const streams = propertiesOf('AWS::Lambda::EventSourceMapping').filter((source) => 'MaximumRetryAttempts' in source);
const peopleClients = propertiesOf('AWS::Cognito::UserPoolClient').filter((client) => 'CallbackURLs' in client);
const tokenMinutes = common(peopleClients, 'AccessTokenValidity');

/** Returns the requests a second of an open route. */
function rateOf(route: string): number {
  const method = methods.find(({ ResourcePath }) => ResourcePath === `/~1${route.replaceAll('/', '~1')}`);
  assert.ok(method, `no throttle for ${route}`);
  return numberAt(method, 'ThrottlingRateLimit');
}

/** Returns the longest evidence of a resolution. */
function longestEvidence(): number {
  const { ResolveRequest } = document.components.schemas;
  return numberAt(ResolveRequest as Properties, 'properties', 'evidence', 'maxLength');
}

/** Phrases of the runbook, each with the number that the code or the template has. */
const phrases = [
  `A message of the withdrawal queue was received ${receives} times`,
  `A message of the transfer queue was received ${receives} times`,
  `A message of the batch queue was received ${receives} times`,
  `An event was received ${receives} times`,
  `${receives} times a movement could not be counted`,
  `Messages are redelivered after ${redelivery}, up to ${receives} times.`,
  `Its messages are redelivered after ${redelivery}.`,
  ...['withdrawals', 'transfers', 'batches'].map(
    (name) => `The worker crashes, or needs more than its ${timeoutOf(name)} seconds.`,
  ),
  `The notifier crashes or needs more than its ${timeoutOf('notifier')} seconds.`,
  `The screening crashes or needs more than its ${timeoutOf('fraud')} seconds.`,
  `The worker of webhooks crashes or needs more than its ${timeoutOf('webhooks')} seconds.`,
  `The worker of statement files crashes or needs more than its ${inWords(timeoutOf('statement-writer') / 60)} minutes.`,
  `${receives} times the message of a statement was received,`,
  `${mostFailedTries} tries to make the file of a statement have failed`,
  `A statement waits for its worker for more than ${threshold('statement-queue-too-old') / 60} minutes.`,
  `${receives} times an event could not be stored for its webhooks, or a turn failed.`,
  `Events wait for their webhooks for more than ${minutes(threshold('webhook-queue-too-old'))}.`,
  `\`Task timed out\` after ${timeoutOf('sweeper')} s`,
  `their limit of ${bankCallMs / 1000} seconds`,
  `by more than ${clockErrorMs / 1000} s`,
  `redelivered every ${defaultBreaker.openMs / 1000} seconds at first`,
  `The old key is refused ${keyOverlapSeconds() / 3600} hours after step 1.`,
  `The journal is kept for ${journalMs / 86_400_000} days.`,
  `are not sent again for ${rememberedSeconds / 86_400} days.`,
  `${bankDown().inTwenty} in 20 of at least ${bankDown().turns} turns`,
  `accepted more than ${openTooLong.withdrawal.warning / 60} minutes ago (warning), or more than ${openTooLong.withdrawal.critical / 60} (critical)`,
  `accepted more than ${minutes(openTooLong.transfer.warning)} ago (warning), or more than ${openTooLong.transfer.critical / 60} (critical)`,
  `The time of a scheduled payment came ${openTooLong.scheduled.warning / 60} minutes ago or more (warning), or an hour ago (critical)`,
  `One wallet has at most ${digits(caps.scheduled)}, besides those of its standing orders.`,
  `A hold that expired more than ${minutes(openTooLong.hold.warning)} ago (warning), or more than ${openTooLong.hold.critical / 60} (critical),`,
  ...(['withdrawal', 'transfer'] as const).map((work) => {
    const { warning, critical } = levels(`${work}-queue-nearly-full`);
    const percent = (messages: number) => Math.round((100 * messages) / depthLimit);
    return `The ${work} queue has ${percent(warning)} % (warning) or ${percent(critical)} % (critical) of the messages`;
  }),
  `At least ${100 * serverErrors.warning} % (warning) or ${100 * serverErrors.critical} % (critical) of the answers`,
  `has taken ${slow.warning / 1000} s or more (warning), or ${slow.critical / 1000} s or more (critical)`,
  `has ended no run for ${minutes(60 * (furtherPeriods + numberAt(alarmOf('sweeper-silent'), 'EvaluationPeriods')))}.`,
  `refused at least ${inWords(threshold('functions-throttled'))} invocations a minute`,
  `waiting for its first deliveries for more than ${minutes(threshold('withdrawal-queue-too-old'))}:`,
  `A queued transfer has been waiting for more than ${minutes(threshold('transfer-queue-too-old'))};`,
  `A batch has been waiting for its worker for more than ${minutes(threshold('batch-queue-too-old'))}.`,
  `Owners are notified more than ${minutes(threshold('notification-queue-too-old'))} late.`,
  `Movements are screened more than ${minutes(threshold('screening-queue-too-old'))} after they happened`,
  `The projector is more than ${minutes(threshold('projector-too-far-behind') / 1000)} behind the table.`,
  `Events are published more than ${minutes(threshold('relay-too-far-behind') / 1000)} after their changes.`,
  `${threshold('clocks-doubted')} times in ${minutes(watchedSeconds('clocks-doubted'))} a worker`,
  `In ${minutes(watchedSeconds('work-requeued'))} at least ${threshold('work-requeued')} pieces of work`,
  `The sweeper has failed in ${minutes(watchedSeconds('sweeper-errors'))} in a row.`,
  `has failed in ${hours(watchedSeconds('integrity-errors'))} in a row.`,
  `An hour ended more than ${inWords(threshold('unchecked-hours'))} hours ago`,
  `until the first run, ${/\d+/.exec(String(schedule?.Properties['ScheduleExpression']))?.[0] ?? ''} minutes later`,
  `gave up a batch after ${digits(common(streams, 'MaximumRetryAttempts'))} attempts`,
  `has it, for ${common(propertiesOf('AWS::Events::Archive'), 'RetentionDays')} days`,
  `A token is valid for ${tokenMinutes} minutes.`,
  `until its ${tokenMinutes} minutes are over`,
  `for \`/health\` ${rateOf('health')} and for the bank ${rateOf('bank/notifications')} a second`,
  `a window is ${endOfWindow(0) / 60_000} minutes long`,
  `\`evidence\` (up to ${longestEvidence()} characters)`,
];

/** Phrases with numbers that are no setting of the service. */
const otherPhrases = [
  // Limits of AWS.
  'The stream keeps changes for 24 hours',
  'within 24 hours of their writing',
  '(at most 10)',
  // Estimates and measurements.
  'One wallet takes about 500 transactions a second',
  'One wallet takes about 200 entries a second',
  // Tested in test/store/activity.test.ts.
  'at least its last 50 movements, and up to 550 of the last quarter of an hour',
  // An order of the operator.
  'reserved concurrency of the functions that write (routes, workers, sweeper) to 0.',
  '(step 5 above)',
  'after step 3',
];

describe('the runbook', () => {
  const text = readFileSync(new URL('../../docs/runbook.md', import.meta.url), 'utf8');
  const prose = text
    .replaceAll(/```.*?```/gs, '')
    .replaceAll(/\]\([^)]*\)/g, ']')
    .replaceAll(/^\d+\. /gm, '')
    .replaceAll(/\s+/g, ' ');

  it('has the numbers of the code and of the template in its sentences', () => {
    for (const phrase of phrases) assert.ok(prose.includes(phrase), `docs/runbook.md does not have "${phrase}"`);
  });

  it('has no other number that a change of a setting would make wrong', () => {
    const codes = Object.keys(errorTitles) as ErrorCode[];
    const statuses = codes.map((code) => String(problem(new WalletError(code)).status));
    let rest = prose;
    for (const phrase of [...phrases, ...otherPhrases]) rest = rest.replaceAll(phrase, '');
    const unknown = [...rest.replaceAll(/`[^`]*`/g, '').matchAll(/(?<!ADR )(?<![\w.])\d[\d.,]*\b/g)]
      .filter(([number]) => !statuses.includes(number))
      .map(({ 0: number, index }) => `${number} in "${rest.slice(Math.max(0, index - 40), index + 40)}"`);
    assert.deepEqual(unknown, []);
  });
});
