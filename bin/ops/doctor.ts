import { DescribeContinuousBackupsCommand, DescribeTableCommand } from '@aws-sdk/client-dynamodb';
import { mostDueShards, mostUncheckedHours, outputs, streamReaders, workKinds } from '../../lambdas/contract.ts';
import { hoursFromText, uncheckedMs } from '../../lambdas/integrity/hours.ts';
import { KnownDiscrepancies } from '../../lambdas/integrity/known.ts';
import { waitsSince } from '../../lambdas/domain/standing-order.ts';
import { openQueueDepth } from '../../lambdas/aws/queue.ts';
import { listOpenBatches } from '../../lambdas/store/batches.ts';
import { getBreaker } from '../../lambdas/store/breaker.ts';
import { earliestDue, listReviews } from '../../lambdas/store/due.ts';
import { orderShards, queuedTypes } from '../../lambdas/store/due-keys.ts';
import { listDueOrders } from '../../lambdas/store/standing-orders.ts';
import { getState } from '../../lambdas/store/integrity.ts';
import { listWebhooks } from '../../lambdas/store/webhooks.ts';
import { UnreadableItem } from '../../lambdas/store/unreadable.ts';
import { countOf } from './review.ts';
import type { Report, Target } from './target.ts';

/** One thing that doctor has looked at. */
interface Finding {
  readonly check: string;
  /** `unknown`: it could not be read. */
  readonly state: 'ok' | 'wrong' | 'unknown';
  readonly detail: string;
  /** The anchor of its entry in docs/runbook.md. */
  readonly runbook?: string;
}

type Check = (target: Target) => Promise<Finding[]>;

/** Open batches that are listed, those that made nothing for the longest time first. */
const mostBatches = 100;

/** How late open work is when its message is lost or its worker crashed. */
const lateSeconds = 300;
/** How long a scheduled payment may wait for its turn, as in its alarm. */
const longestTurnSeconds = 900;
/** Due orders that are listed of each partition; how long one may wait, as in its alarm. */
const mostOrders = 100;
const longestOrderSeconds = 3_600;

const checks: Readonly<Record<string, Check>> = {
  api,
  'open work': openWork,
  'expired holds': expiredHolds,
  'scheduled payments': scheduledPayments,
  'standing orders': standingOrders,
  batches,
  webhooks,
  'in review': inReview,
  bank,
  queues,
  'set aside': setAside,
  books,
  tables,
};

/** Checks state that can be read without metrics. */
export async function doctor(target: Target): Promise<Report> {
  const findings = (
    await Promise.all(
      Object.entries(checks).map(([check, look]) =>
        look(target).catch((error: unknown): Finding[] => [
          {
            check,
            state: 'unknown',
            detail: error instanceof Error ? `${error.name}: ${error.message}` : String(error),
          },
        ]),
      ),
    )
  ).flat();
  const wrong = findings.filter(({ state }) => state !== 'ok');
  return {
    lines: [
      ...findings.map(({ check, state, detail, runbook }) => {
        const entry = runbook === undefined || state === 'ok' ? '' : ` → docs/runbook.md#${runbook}`;
        return `${state.padEnd(7)} ${check}: ${detail}${entry}`;
      }),
      '',
      wrong.length === 0
        ? 'These checks found nothing wrong. Alarms are not read.'
        : `${String(wrong.length)} of ${String(findings.length)} need attention.`,
    ],
    data: { findings },
    isWrong: wrong.length > 0,
  };
}

function finding(check: string, isOk: boolean, detail: string, runbook: string): Finding {
  return { check, state: isOk ? 'ok' : 'wrong', detail, runbook };
}

async function api({ apiUrl }: Target): Promise<Finding[]> {
  const answer = await fetch(`${apiUrl}/health`).catch(() => undefined);
  const detail = answer === undefined ? `no answer from ${apiUrl}` : `GET /health answers ${String(answer.status)}`;
  return [finding('api', answer?.status === 200, detail, 'api-server-errors')];
}

async function openWork({ table }: Target): Promise<Finding[]> {
  // A stack may have more partitions than the default.
  const due = await earliestDue({ ...table, dueShards: mostDueShards }, queuedTypes);
  const late = lateness(table, due);
  const detail =
    due === undefined ? 'none' : late === 0 ? `due from ${due}` : `the oldest is ${String(late)} s overdue`;
  return [finding('open work', late <= lateSeconds, detail, 'sweeper-silent')];
}

async function expiredHolds({ table }: Target): Promise<Finding[]> {
  const late = lateness(table, await earliestDue({ ...table, dueShards: mostDueShards }, ['hold']));
  const detail = late === 0 ? 'none' : `the oldest has expired for ${String(late)} s, and its money is still held`;
  return [finding('expired holds', late <= lateSeconds, detail, 'expired-hold-open-for-too-long')];
}

async function scheduledPayments({ table }: Target): Promise<Finding[]> {
  const late = lateness(table, await earliestDue(table, ['scheduled']));
  const detail = late === 0 ? 'none is late' : `the oldest should have been queued ${String(late)} s ago`;
  return [finding('scheduled payments', late <= longestTurnSeconds, detail, 'scheduled-payment-waits-for-too-long')];
}

async function standingOrders({ table }: Target): Promise<Finding[]> {
  const before = new Date(table.now()).toISOString();
  const shards = Array.from({ length: orderShards }, (_, shard) => shard);
  const pages = await Promise.all(shards.map((shard) => listDueOrders(table, shard, { before, limit: mostOrders })));
  const waiting = pages.flatMap(({ orders }) =>
    orders.flatMap((order) =>
      order instanceof UnreadableItem || order.status === 'ended'
        ? []
        : [{ id: order.standingOrderId, since: waitsSince(order) }],
    ),
  );
  const [first] = waiting.sort((one, other) => (one.since < other.since ? -1 : 1));
  const late = lateness(table, first?.since);
  const detail =
    first === undefined ? 'none waits' : `${first.id} has waited for ${String(late)} s for its next payment`;
  return [finding('standing orders', late <= longestOrderSeconds, detail, 'standing-order-waits-for-too-long')];
}

async function batches(target: Target): Promise<Finding[]> {
  const { table } = target;
  if (!target.does('batch')) return [{ check: 'batches', state: 'ok', detail: 'none: switched off' }];
  const open = await listOpenBatches(table, mostBatches);
  const [first] = open;
  const late = lateness(table, first instanceof UnreadableItem ? undefined : first?.dueAt);
  const detail = open.length === 0 ? 'none is open' : `${open.length} open; one has made nothing for ${String(late)} s`;
  return [finding('batches', late <= lateSeconds, detail, 'batch-open-for-too-long')];
}

async function webhooks({ webhooks: table }: Target): Promise<Finding[]> {
  if (table === undefined) return [{ check: 'webhooks', state: 'ok', detail: 'none: switched off' }];
  const { webhooks: all, unreadable } = await listWebhooks(table);
  const failing = all.flatMap(({ webhookId, disabledBecause, failingSince }) => {
    if (disabledBecause === 'failing') return [`${webhookId} is disabled: it took nothing for a week`];
    return failingSince === undefined ? [] : [`${webhookId} takes nothing since ${failingSince}`];
  });
  const bad = [...failing, ...unreadable.map(({ message }) => message)];
  const detail = bad.join('; ') || (all.length === 0 ? 'none' : `${String(all.length)}, and none fails`);
  return [finding('webhooks', bad.length === 0, detail, 'webhook-disabled')];
}

/** Returns the whole seconds since a due time; 0 before it, and for undefined. */
function lateness(table: Target['table'], due: string | undefined): number {
  return due === undefined ? 0 : Math.max(0, Math.round((table.now() - Date.parse(due)) / 1000));
}

async function inReview({ table }: Target): Promise<Finding[]> {
  const reviews = await listReviews(table);
  const detail = reviews.length === 0 ? 'none' : `${countOf(reviews)} withdrawals, since ${reviews[0]?.since ?? ''}`;
  return [finding('in review', reviews.length === 0, detail, 'withdrawal-in-review')];
}

async function bank({ table }: Target): Promise<Finding[]> {
  const breaker = await getBreaker(table);
  const detail =
    breaker === undefined ? 'the breaker never opened' : `the breaker is ${breaker.state} since ${breaker.since}`;
  return [finding('bank', breaker === undefined || breaker.state === 'closed', detail, 'bank-down')];
}

async function queues(target: Target): Promise<Finding[]> {
  return Promise.all(
    workKinds.map(async (work) => {
      if (!target.does(work)) return { check: `${work} queue`, state: 'ok', detail: 'none: switched off' };
      const [waiting, dead] = await Promise.all([
        depthOf(target, outputs.queueUrl(work)),
        depthOf(target, outputs.deadLettersUrl(work)),
      ]);
      const detail = `${String(waiting)} in the queue, ${String(dead)} in the dead letters`;
      return finding(`${work} queue`, dead === 0, detail, `${work}-dead-letters`);
    }),
  );
}

async function setAside(target: Target): Promise<Finding[]> {
  return Promise.all(
    streamReaders.map(async (reader) => {
      const depth = await depthOf(target, outputs.setAsideUrl(reader));
      return finding(`${reader} set aside`, depth === 0, `${String(depth)} messages`, `${reader}-set-aside`);
    }),
  );
}

async function depthOf({ sqs, output }: Target, name: string): Promise<number> {
  // Messages that a command or worker has received and not yet deleted count, too.
  return openQueueDepth(sqs, output(name))();
}

async function books({ dynamodb, entries }: Target): Promise<Finding[]> {
  const [hours, known, described] = await Promise.all([
    getState(entries, 'hours'),
    getState(entries, 'known'),
    dynamodb.send(new DescribeTableCommand({ TableName: entries.name })),
  ]);
  const now = entries.now();
  const uncheckedHours =
    (hours === undefined
      ? now - (described.Table?.CreationDateTime?.getTime() ?? now)
      : uncheckedMs(hoursFromText(hours.text), now)) / 3_600_000;
  const age = `${uncheckedHours.toFixed(1)} hours`;
  const checked = uncheckedHours === 0 ? 'none' : `the oldest ended ${age} ago`;
  const detail = hours === undefined ? `the job has not run since the table was made ${age} ago` : checked;
  const { all, open } = new KnownDiscrepancies(known?.text);
  const names = open.map(({ kind, subject }) => `${kind} ${subject}`).join('; ') || 'none';
  const others = all.filter(({ acknowledged }) => acknowledged !== undefined).length;
  return [
    finding('unchecked hours', uncheckedHours < mostUncheckedHours, detail, 'unchecked-hours'),
    finding(
      'discrepancies',
      open.length === 0,
      others === 0 ? names : `${names}; ${String(others)} acknowledged`,
      'discrepancy',
    ),
  ];
}

async function tables(target: Target): Promise<Finding[]> {
  const { dynamodb, table, entries } = target;
  const [described, ...backups] = await Promise.all([
    dynamodb.send(new DescribeTableCommand({ TableName: table.name })),
    ...[table, entries].map(({ name }) => hasRecovery(target, name)),
  ]);
  const isStreamed = described.Table?.StreamSpecification?.StreamEnabled === true;
  return [
    finding('stream', isStreamed, isStreamed ? 'on' : 'off: ledger and events get no changes', 'restoring-the-tables'),
    ...backups,
  ];
}

async function hasRecovery({ dynamodb }: Target, name: string): Promise<Finding> {
  const check = `recovery of ${name}`;
  try {
    const { ContinuousBackupsDescription: described } = await dynamodb.send(
      new DescribeContinuousBackupsCommand({ TableName: name }),
    );
    const status = described?.PointInTimeRecoveryDescription?.PointInTimeRecoveryStatus ?? 'DISABLED';
    return finding(check, status === 'ENABLED', `to a point in time: ${status}`, 'restoring-the-tables');
  } catch (error) {
    // The engine of a machine has no backups.
    if (error instanceof Error && error.name === 'UnknownOperationException') {
      return { check, state: 'ok', detail: 'this engine has no backups' };
    }
    throw error;
  }
}
