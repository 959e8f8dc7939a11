/** The view of approvals: for operators and for consumers of the bus. Neither owners nor counterparties see one. */
import type * as z from 'zod';
import type { Actor } from '../domain/actor.ts';
import { statusAt } from '../domain/approval.ts';
import type { Approval, EndedApproval, ShownStatus } from '../domain/approval.ts';
import type { namedSchemas } from './answer-schemas.ts';
import type { EventOf } from './event-schemas.ts';
import { shown } from './view.ts';
import { limitsOf } from './wallet-view.ts';
import type { Audience, View } from './view.ts';

/** The audiences of approvals. */
type ApprovalAudience = Extract<Audience, 'operator' | 'subscriber'>;

/** An approval with the fields that are computed for its views. */
interface ShownApproval extends Omit<EndedApproval, 'status' | 'endedBy'> {
  readonly status: ShownStatus;
  readonly endedBy?: Actor;
}

const everyAudience = { operator: true, subscriber: true } as const;
const operatorOnly = { operator: true, subscriber: false } as const;
const internal = { operator: false, subscriber: false } as const;

/** The view of an approval. */
export const approvalFields: View<ShownApproval, ApprovalAudience> = {
  approvalId: everyAudience,
  command: everyAudience,
  status: everyAudience,
  walletIds: everyAudience,
  amount: everyAudience,
  fee: everyAudience,
  currency: everyAudience,
  limits: { operator: limitsOf, subscriber: limitsOf },
  limitsVersion: everyAudience,
  transactionId: everyAudience,
  askedBy: { operator: true, subscriber: ({ principal }) => principal },
  askedAt: everyAudience,
  expiresAt: everyAudience,
  reason: everyAudience,
  updatedAt: everyAudience,
  // They may hold evidence and words about a person, which the archive could not delete.
  body: { operator: inOrder, subscriber: false },
  path: { operator: inOrder, subscriber: false },
  // The event names the actor itself.
  endedBy: operatorOnly,
  idempotencyKey: internal,
  fingerprint: internal,
  requestedBy: internal,
  statusChangedAt: internal,
};

type ApprovalView = z.output<(typeof namedSchemas)['Approval']>;

/** Returns an approval as operators see it at a moment (ISO 8601 UTC). */
export function approvalView(approval: Approval, at: string): ApprovalView {
  return shown(approvalFields, { ...approval, status: statusAt(approval, at) }, 'operator') as ApprovalView;
}

/** Returns an approval as events carry it. */
export function publishedApproval(approval: Approval): EventOf<'approval.asked'>['approval'] {
  return shown(approvalFields, approval, 'subscriber') as EventOf<'approval.asked'>['approval'];
}

/** Returns the same value with the members of all objects sorted by name: the database keeps no order. */
function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(members.map(([name, member]) => [name, inOrder(member)]));
}
