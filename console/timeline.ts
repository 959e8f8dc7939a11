/** The life of a transaction, as the API shows it: a step for each known moment, the oldest first. */
import type { Transaction } from '../client/src/index.ts';
import { spanText } from './time.ts';

export interface Step {
  /** ISO 8601 UTC. */
  readonly at: string;
  readonly title: string;
  readonly detail?: string | undefined;
  readonly mood: 'plain' | 'good' | 'bad' | 'waiting';
}

/** An event about the transaction that was published. Only the runner shows them. */
export interface PublishedEvent {
  readonly type: string;
  readonly at: string;
}

const acceptances: Readonly<Record<string, string>> = {
  withdrawal: 'Accepted: the money is held',
  transfer: 'Accepted',
  hold: 'Opened: the money is held',
};

/** Returns the steps of a transaction so far. */
export function stepsOf(transaction: Transaction, events: readonly PublishedEvent[] = []): Step[] {
  const { type, status, createdAt, executeAt, executedAt } = transaction;
  const isLater = executeAt !== undefined;
  const accepted = isLater ? 'Scheduled: no money has moved' : (acceptances[type] ?? 'Booked');
  const steps: Step[] = [{ at: createdAt, title: accepted, detail: requester(transaction), mood: 'plain' }];
  if (executedAt !== undefined) steps.push({ at: executedAt, title: 'Executed', mood: 'plain' });
  for (const [index, attempt] of (transaction.attempts ?? []).entries()) steps.push(visit(attempt, index + 1));
  steps.push(...decisions(transaction));
  const end = endOf(transaction);
  if (end) steps.push(end);
  for (const { type: name, at } of events) steps.push({ at, title: `Event ${name} was published`, mood: 'plain' });
  const sorted = steps.map((step, index) => ({ step, index }));
  sorted.sort((a, b) => (a.step.at < b.step.at ? -1 : a.step.at > b.step.at ? 1 : a.index - b.index));
  const open = openStep(transaction, status);
  return [...sorted.map(({ step }) => step), ...(open ? [open] : [])];
}

/** Returns whether a transaction changes no more. */
export function isAtEnd({ status }: Pick<Transaction, 'status'>): boolean {
  return ['completed', 'failed', 'ended'].includes(status);
}

function requester({ requestedBy }: Transaction): string | undefined {
  return requestedBy && `by ${requestedBy.kind} ${requestedBy.principal}`;
}

type Visit = NonNullable<Transaction['attempts']>[number];

const outcomes: Readonly<Record<string, { readonly text: string; readonly mood: Step['mood'] }>> = {
  accepted: { text: 'it has paid', mood: 'good' },
  rejected: { text: 'it rejects the payment', mood: 'bad' },
  not_accepted: { text: 'it does not take the payment now', mood: 'waiting' },
  unknown: { text: 'the outcome is unknown', mood: 'waiting' },
};

function visit({ at, submitted, outcome, reason }: Visit, n: number): Step {
  const { text, mood } = outcomes[outcome] ?? { text: outcome, mood: 'plain' };
  const action = submitted ? 'payment submitted' : 'asked about the payment';
  return {
    at,
    title: `Visit ${n} to the bank: ${action}`,
    detail: reason === undefined ? text : `${text} (${reason})`,
    mood,
  };
}

function decisions({ resolution, cancellation, approvedBy, completedAt }: Transaction): Step[] {
  const steps: Step[] = [];
  if (resolution) {
    const { outcome, evidence, principal, at } = resolution;
    const title = `Resolved as ${outcome === 'completed' ? 'paid' : 'not paid'}${principal === undefined ? '' : ` by ${principal}`}`;
    steps.push({ at, title, detail: evidence, mood: 'plain' });
  }
  if (cancellation) {
    const { by, reason, at } = cancellation;
    steps.push({ at, title: `Cancelled by ${by}`, detail: reason, mood: 'plain' });
  }
  if (approvedBy && completedAt !== undefined) {
    steps.push({ at: completedAt, title: `Approved by ${approvedBy.principal}`, mood: 'plain' });
  }
  return steps;
}

function endOf({ status, completedAt, failure, end, createdAt }: Transaction): Step | undefined {
  if (completedAt === undefined) return undefined;
  const took = `after ${spanText(Date.parse(completedAt) - Date.parse(createdAt))}`;
  if (status === 'failed') {
    const reason = failure ? `${failure.message} (${failure.code})` : undefined;
    return { at: completedAt, title: `Failed ${took}: the money is back`, detail: reason, mood: 'bad' };
  }
  if (status === 'ended') return { at: completedAt, title: `Ended ${took}: ${end ?? ''}`, mood: 'good' };
  return {
    at: completedAt,
    title: completedAt === createdAt ? 'Completed at once' : `Completed ${took}`,
    mood: 'good',
  };
}

/** Returns the step that the transaction waits in now; undefined at its end. */
function openStep(transaction: Transaction, status: string): Step | undefined {
  const { updatedAt: at, waitingFor, executeAt, expiresAt } = transaction;
  if (isAtEnd(transaction)) return undefined;
  const step = (title: string, detail?: string): Step => ({ at, title, detail, mood: 'waiting' });
  if (status === 'review') return step('In review', 'An operator finds out whether the bank has paid.');
  if (status === 'scheduled') return step('Waits for its time', executeAt);
  if (status === 'open') return step('Holds its money', expiresAt === undefined ? undefined : `until ${expiresAt}`);
  if (waitingFor === 'wallet_frozen') return step('Waits', 'Its wallet is frozen.');
  if (waitingFor === 'bank_closed') return step('Waits', 'The bank is closed.');
  return step(status === 'pending' ? 'Waits in its queue' : 'Under way');
}
