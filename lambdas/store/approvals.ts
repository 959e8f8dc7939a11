import { GetCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { indexes } from '../contract.ts';
import { approvalStatuses, decisionRefusal, guardedCommands } from '../domain/approval.ts';
import type { Approval, ApprovalEnd, AskedApproval } from '../domain/approval.ts';
import { WalletError } from '../domain/errors.ts';
import { isTime } from '../domain/hours.ts';
import { approvalIdOfKey, approvalKey, transactionKey } from './keys.ts';
import { approvalShard } from './due-keys.ts';
import {
  askedFingerprint,
  putOperation,
  putRecord,
  refuseKeyOf,
  replayedRecord,
  replayOnly,
  restoredFingerprint,
} from './operations.ts';
import type { Operation } from './operations.ts';
import { withRetries } from './table.ts';
import type { Table } from './table.ts';
import { InvalidItem, itemVersion, ofThisVersion, parsed, requireVersion, UnreadableItem } from './unreadable.ts';
import { denied, update, write } from './write.ts';
import type { Item, WriteItem } from './write.ts';

/** How long an approval is kept after its expiry, in seconds: 90 days. The events are kept longer. */
const keptSeconds = 90 * 86_400;

/**
 * Stores the request for an approval, on condition that its key is new: one write of 5 write units, and 3 more for each
 * further kilobyte of the request.
 *
 * @param refusal why nothing can be asked for; when given, only a repetition is answered
 * @returns `replayed`: the same request was asked for before, and this is its approval now. Undefined: the command is
 *   recorded under the key, so its route answers the replay
 * @throws WalletError `idempotency_key_reused`, `busy`, `approval_expired` for a repetition after the approval was deleted, or
 * `refusal`
 */
export async function askForApproval(
  table: Table,
  approval: AskedApproval,
  refusal?: WalletError,
): Promise<{ approval: Approval; replayed: boolean } | undefined> {
  const put = putAsked(table, approval);
  const asked = refusal === undefined ? put : replayOnly(put, refusal);
  const result = await write(table, [takeKey(table, approval), asked]);
  if (result.written) return { approval, replayed: false };
  const record = replayedRecord(result);
  const [first, second] = result.refusals;
  if (first.item === 0 && record?.['fingerprint'] !== askedFingerprint(approval.fingerprint)) return undefined;
  const stored = first.item === 0 ? second : first;
  if (stored?.kind === 'replay') return { approval: parseApproval(stored.record), replayed: true };
  throw new WalletError('approval_expired', { detail: 'it was asked for long ago, and is no longer kept' });
}

/**
 * Takes the asker's key for the request, so that no other command has it. Its record has a fingerprint of its own: code
 * that knows no approvals refuses the key, also for the same request.
 */
function takeKey(table: Table, { transactionId, fingerprint, askedBy, askedAt }: AskedApproval): WriteItem {
  const record = {
    ...transactionKey(transactionId),
    type: 'operation',
    fingerprint: askedFingerprint(fingerprint),
    principal: askedBy.principal,
    createdAt: askedAt,
  };
  return {
    ...putRecord(table, record),
    refused: (image) => sameRequest(image, [record.fingerprint, fingerprint, restoredFingerprint]),
  };
}

/** Returns an approval as it is stored. */
export function storedApproval(approval: Approval): Item {
  return {
    ...approvalKey(approval.approvalId),
    v: itemVersion,
    ...approval,
    ...(approval.status === 'asked' && { dueShard: approvalShard, dueAt: approval.expiresAt }),
    ttl: Math.ceil(Date.parse(approval.expiresAt) / 1000) + keptSeconds,
  };
}

function putAsked(table: Table, approval: AskedApproval): WriteItem {
  return {
    label: 'approval',
    request: {
      Put: {
        TableName: table.name,
        Item: storedApproval(approval),
        ConditionExpression: 'attribute_not_exists(pk)',
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      },
    },
    refused: (image) => sameRequest(image, [approval.fingerprint]),
  };
}

function sameRequest(image: Item | undefined, fingerprints: readonly unknown[]): ReturnType<WriteItem['refused']> {
  if (image === undefined) return undefined;
  return fingerprints.includes(image['fingerprint'])
    ? { kind: 'replay', record: image }
    : denied(new WalletError('idempotency_key_reused'));
}

/**
 * Returns the items that a command takes into its write to end its approval: the record of the approver's key, and the
 * approval, on condition that it is open and is the one that was read. They stand behind the command's own record, which
 * shows first that the command was executed before.
 */
export function approvalItems(table: Table, approval: Approval, operation: Operation, end: ApprovalEnd): WriteItem[] {
  const refused = (image: Item | undefined) => denied(image && new WalletError('idempotency_key_reused'));
  return [{ ...putOperation(table, operation), refused }, endUpdate(table, approval, end)];
}

/**
 * Ends an approval without its command: a rejection, or the approval of a command that has been recorded already. A
 * rejection is refused when the command was executed, as a restored table may show.
 *
 * @returns `replayed`: the caller's key was used before for the same request
 * @throws WalletError of `decisionRefusal`, `idempotency_key_reused`, `busy`
 */
export async function endApproval(
  table: Table,
  approval: Approval,
  operation: Operation,
  end: ApprovalEnd,
): Promise<{ replayed: boolean }> {
  refuseKeyOf(approval, operation);
  const items = [putOperation(table, operation), endUpdate(table, approval, end)];
  const result = await write(table, end.status === 'rejected' ? [...items, notExecuted(table, approval)] : items);
  return { replayed: replayedRecord(result) !== undefined };
}

/** Returns the condition that an approval's command is not recorded. It writes nothing. */
function notExecuted(table: Table, { transactionId, fingerprint }: Approval): WriteItem {
  return {
    label: 'record of the command',
    request: {
      ConditionCheck: {
        TableName: table.name,
        Key: transactionKey(transactionId),
        ConditionExpression: 'attribute_not_exists(pk) OR NOT fingerprint IN (:executed, :restored)',
        ExpressionAttributeValues: { ':executed': fingerprint, ':restored': restoredFingerprint },
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      },
    },
    refused: (image) => denied(image && new WalletError('approval_ended', { detail: 'its command was executed' })),
  };
}

/**
 * Checks that the caller's key ended this approval before, when nothing can end it any more. Writes nothing.
 *
 * @throws WalletError `refusal` for a new key, `idempotency_key_reused`, `busy`
 */
export async function requireReplay(table: Table, operation: Operation, refusal: WalletError): Promise<void> {
  replayedRecord(await write(table, [replayOnly(putOperation(table, operation), refusal)]));
}

function endUpdate(table: Table, approval: Approval, { status, by, reason, at }: ApprovalEnd): WriteItem {
  const { approvalId, fingerprint } = approval;
  return {
    label: 'approval',
    request: {
      Update: update(table, approvalKey(approvalId), {
        set: `#status = :status, endedBy = :by, updatedAt = :at${reason === undefined ? '' : ', reason = :reason'}`,
        remove: 'dueShard, dueAt',
        if:
          `attribute_exists(pk) AND ${ofThisVersion.if} AND #status = :asked AND expiresAt > :at ` +
          'AND fingerprint = :seen',
        values: { status, by, at, reason, asked: 'asked', seen: fingerprint, ...ofThisVersion.values },
      }),
    },
    refused: (image) => {
      const current = image && parseApproval(image);
      const other = current !== undefined && current.fingerprint !== fingerprint;
      return denied(decisionRefusal(current, at) ?? (other ? new WalletError('approval_not_found') : undefined));
    },
  };
}

/** Reads an approval, consistently; undefined when there is none of this id. */
export async function getApproval(table: Table, approvalId: string): Promise<Approval | undefined> {
  const command = new GetCommand({ TableName: table.name, Key: approvalKey(approvalId), ConsistentRead: true });
  const { Item } = await withRetries(table, () => table.client.send(command));
  return Item && parseApproval(Item);
}

/** A page of approvals that were asked for and not decided. Times are ISO 8601 UTC. */
export interface ApprovalQuery {
  /** Whether they are still open at `at`, or have expired by then. */
  readonly status: 'asked' | 'expired';
  readonly at: string;
  readonly limit: number;
  /** The position behind which the page begins: the `next` of the page before. */
  readonly after?: ApprovalPosition | undefined;
}

/** A position in the list. */
export interface ApprovalPosition {
  readonly expiresAt: string;
  readonly approvalId: string;
}

/**
 * Lists the approvals that no operator has decided about. The open ones come by their expiry, the next one first, and the
 * expired ones the latest first. One query of the `due` index, half a read unit for each 4 kB.
 */
export async function listApprovals(
  table: Table,
  { status, at, limit, after }: ApprovalQuery,
): Promise<{ items: Approval[]; next?: ApprovalPosition }> {
  const isAsked = status === 'asked';
  // DynamoDB refuses a start outside the range: the time has passed it, or the cursor is of the other list.
  const start = after !== undefined && after.expiresAt > at === isAsked ? after : undefined;
  const { Items = [], LastEvaluatedKey } = await withRetries(table, () =>
    table.client.send(
      new QueryCommand({
        TableName: table.name,
        IndexName: indexes.due,
        KeyConditionExpression: `dueShard = :shard AND dueAt ${isAsked ? '>' : '<='} :at`,
        ExpressionAttributeValues: { ':shard': approvalShard, ':at': at },
        ScanIndexForward: isAsked,
        ...(start && {
          ExclusiveStartKey: { ...approvalKey(start.approvalId), dueShard: approvalShard, dueAt: start.expiresAt },
        }),
        Limit: limit,
      }),
    ),
  );
  // One of a newer release does not hide the others.
  const items = Items.flatMap((item) => {
    const approval = parsed(() => parseApproval(item));
    return approval instanceof UnreadableItem ? [] : [approval];
  });
  if (LastEvaluatedKey === undefined) return { items };
  const { pk, dueAt } = LastEvaluatedKey as { readonly pk: string; readonly dueAt: string };
  return { items, next: { expiresAt: dueAt, approvalId: approvalIdOfKey(pk) } };
}

/**
 * Returns the approval in a stored item.
 *
 * @throws UnreadableItem for a newer version, an unknown command or status; InvalidItem for the id of another approval,
 * and for an item that lacks a member
 */
export function parseApproval(item: Item): Approval {
  requireVersion(item);
  const { pk, sk, v, ttl, dueShard, dueAt, ...approval } = item;
  const { approvalId, transactionId, command, status, askedBy, endedBy, walletIds, expiresAt } = approval;
  if (typeof approvalId !== 'string') throw new UnreadableItem(item, 'it has no id');
  if (approvalKey(approvalId).pk !== pk) throw new InvalidItem(item, `its id is ${approvalId}`);
  if (!guardedCommands.some((one) => one === command)) {
    throw new UnreadableItem(item, `command "${String(command)}", which this release does not know`);
  }
  if (!approvalStatuses.some((one) => one === status)) {
    throw new UnreadableItem(item, `status "${String(status)}", which this release does not know`);
  }
  const hasMembers = [askedBy, approval['body'], approval['path'], ...(status === 'asked' ? [] : [endedBy])].every(
    (member) => typeof member === 'object' && member !== null,
  );
  const hasTexts = [transactionId, approval['idempotencyKey'], approval['fingerprint']].every(
    (member) => typeof member === 'string',
  );
  if (!hasMembers || !hasTexts || !Array.isArray(walletIds) || !isTime(expiresAt)) {
    throw new InvalidItem(item, 'it lacks what an approval needs');
  }
  return approval as unknown as Approval;
}
