import { randomUUID } from 'node:crypto';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import type { TransactWriteCommandInput } from '@aws-sdk/lib-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { metrics as metricNames } from '../contract.ts';
import { WalletError } from '../domain/errors.ts';
import { metrics } from '../aws/telemetry.ts';
import { parsed, UnreadableItem } from './unreadable.ts';
import { cancellationReasons, isConflict, mayArriveLater, withRetries } from './table.ts';
import type { Table } from './table.ts';

/** An item as it is stored, by attribute name. */
export type Item = Record<string, unknown>;

/** One request of an atomic write: a put, an update, … */
export type WriteRequest = NonNullable<TransactWriteCommandInput['TransactItems']>[number];

/**
 * What a failed condition means:
 *
 * - `replay`: the command's key was used before for the same request; `record` is the item stored under it now
 * - `denied`: the command is answered with this error; `image` is the item that it follows from, where that matters
 * - `changed`: another writer was faster; `image` is the item that it left
 */
export type Refusal =
  | { readonly kind: 'replay'; readonly record: Item }
  | { readonly kind: 'denied'; readonly error: WalletError; readonly image?: Item | undefined }
  | { readonly kind: 'changed'; readonly image: Item | undefined };

/** A failed condition of an item that was made from outdated facts: `again` is made from the stored item. */
interface Outdated {
  readonly kind: 'outdated';
  readonly again: WriteItem;
}

type FoundRefusal = (Refusal | Outdated) & { readonly item: number };

/** A refusal, and the index of its item in the write. */
export type ItemRefusal = Refusal & { readonly item: number };

/** The result of an atomic write: all items, or none and the refusals, first the one that decides. */
export type Written =
  { readonly written: true } | { readonly written: false; readonly refusals: readonly [ItemRefusal, ...ItemRefusal[]] };

/** One item of an atomic write, and what its failed condition means. */
export interface WriteItem {
  /** The item's role in the write, for errors. */
  readonly label: string;
  readonly request: WriteRequest;
  /**
   * Returns what the failed condition means, from the image that it was tested on (undefined: there was no such item).
   * It returns undefined when the image does not say why, which is a programming error.
   */
  readonly refused: (image: Item | undefined) => Refusal | Outdated | undefined;
  /** Called after the write. */
  readonly written?: () => void;
}

/** Returns the refusal of a command with this error; undefined when there is none. */
export function denied(error: WalletError | undefined, image?: Item): Refusal | undefined {
  return error && { kind: 'denied', error, image };
}

/** Returns the refusal that another writer was faster. */
export function changed(image: Item | undefined): Refusal {
  return { kind: 'changed', image };
}

/** Plain reads that decide about a write in place of its conditions. */
export interface Reads {
  /** Whether they decide before the first try, too, and not only after a conflict. */
  readonly first: boolean;
  /** Reads items as `readItems` does. Passed in, so that functions which never read this way do not bundle it. */
  readonly readItems: (table: Table, keys: readonly Item[], deadline: number) => Promise<Item[]>;
}

/**
 * Writes all items or none. Each try is one round trip.
 *
 * A try without an answer is repeated with the same client token. If the try had written, DynamoDB answers the
 * repetition with success, so a write that took effect is never reported as refused. A denial counts only when every try
 * was answered: an unanswered try may still write. A replay or a change counts in any case.
 *
 * Plain reads cause no conflicts. So they may decide before the write touches an item of another owner. They also
 * decide after the first conflict: a caller without money must not keep the receiver's wallet busy for a whole budget.
 *
 * A write that was refused only because items were made from outdated facts is made again at once, within the same budget.
 * That is safe while an earlier try has no answer: the conditions of records and transfers allow one of the writes.
 *
 * @param items at most 100; first the condition that explains most, as callers answer with the first refusal
 * @param reads plain reads of the same items that decide whether the write is tried
 * @param contention when to give up early; absent: only at the end of the budget
 * @throws Contended as `contention` says
 * @throws WalletError `busy` when contention, throttling or time-outs outlast the budget. Also when the write was
 * denied while an earlier try had no answer.
 * @throws UnreadableItem when the image of a refused item is of a newer version, or cannot be read
 * @throws Error when an image does not say why its condition failed
 */
export async function write(
  table: Table,
  items: readonly WriteItem[],
  reads?: Reads,
  contention?: Contention,
): Promise<Written> {
  const startedAt = table.now();
  const tries: Tries = {
    startedAt,
    deadline: Math.min(startedAt + table.retry.budgetMs, table.writeUntil ?? Infinity),
    unanswered: false,
    conflicts: 0,
  };
  let draft = items;
  if (reads?.first) {
    const found = await refusalsNow(table, draft, reads, tries.deadline);
    const [first, ...others] = finalIn(found);
    if (first !== undefined) return { written: false, refusals: [first, ...others] };
    draft = madeAgain(draft, found);
  }
  for (;;) {
    const found = await tryToWrite(table, draft, tries, { reads, contention });
    if (found.length === 0) return { written: true };
    const [first, ...others] = finalIn(found);
    if (first !== undefined) return { written: false, refusals: [first, ...others] };
    if (table.now() >= tries.deadline) throw new WalletError('busy', { retryAfterSeconds: 1 });
    draft = madeAgain(draft, found);
  }
}

/** The tries of one write so far, and its times (epoch ms). */
interface Tries {
  readonly startedAt: number;
  readonly deadline: number;
  /** Whether a try has no answer, and so may write later. */
  unanswered: boolean;
  conflicts: number;
}

/** Tries to write these items until there is an answer. Returns the refusals; none when they are written. */
async function tryToWrite(
  table: Table,
  items: readonly WriteItem[],
  tries: Tries,
  { reads, contention }: { readonly reads: Reads | undefined; readonly contention: Contention | undefined },
): Promise<FoundRefusal[]> {
  const { startedAt, deadline } = tries;
  const command = new TransactWriteCommand({
    ClientRequestToken: randomUUID(),
    TransactItems: items.map(({ request }) => request),
  });
  try {
    return await withRetries(
      table,
      async () => {
        // A try without an answer may have written. Only a repetition of the same write shows that; reads do not.
        if (reads && tries.conflicts === 1 && !tries.unanswered) {
          const refusals = await refusalsNow(table, items, reads, deadline);
          if (refusals.length > 0) return refusals;
        }
        if (table.now() >= (table.writeUntil ?? Infinity)) throw new WalletError('busy', { retryAfterSeconds: 1 });
        await table.client.send(command).catch((error: unknown) => {
          tries.unanswered ||= mayArriveLater(error);
          if (isConflict(error)) {
            tries.conflicts += 1;
            metrics.addMetric(metricNames.conflicts, 'Count', 1);
          }
          const isOver = contention && table.now() - startedAt >= contention.afterMs;
          // While a try is unanswered, no other write may begin: the refusal of this one would not be final.
          if (isOver && !tries.unanswered && isOnlyConflict(error, contention.item)) throw new Contended();
          throw error;
        });
        for (const { written } of items) written?.();
        return [];
      },
      deadline,
    );
  } catch (error) {
    const refusals = refusalsIn(error, items);
    // A replay counts all the same: its record exists.
    if (tries.unanswered && finalIn(refusals)[0]?.kind === 'denied') {
      throw new WalletError('busy', { retryAfterSeconds: 1 }, { cause: error });
    }
    return refusals;
  }
}

/** Refusals that follow from the caller's own commands. */
const ofCaller: readonly WalletError['code'][] = ['rate_limited', 'reference_taken'];

/**
 * Returns the refusals that are final: an outdated item is made again, when nothing else refuses the write. Of denials, one by
 * a full allowance comes first, and then one by a taken reference. A caller who has either could otherwise learn for free what
 * its receiver's wallet takes: another denial would mean that the wallet refuses the amount, and this one that it does not.
 */
function finalIn(found: readonly FoundRefusal[]): ItemRefusal[] {
  const final = found.flatMap((refusal) => (refusal.kind === 'outdated' ? [] : [refusal]));
  const [first] = final;
  // A used key decides in any case.
  if (first?.kind !== 'denied' || first.error.code === 'idempotency_key_reused') return final;
  const rank = (refusal: ItemRefusal) => (refusal.kind === 'denied' ? ofCaller.indexOf(refusal.error.code) : -1);
  const own = final.filter((refusal) => rank(refusal) !== -1).sort((one, other) => rank(one) - rank(other));
  return [...own, ...final.filter((refusal) => !own.includes(refusal))];
}

/** Returns the items with the outdated ones made again. */
function madeAgain(items: readonly WriteItem[], found: readonly FoundRefusal[]): readonly WriteItem[] {
  const again = new Map(
    found.flatMap((refusal) => (refusal.kind === 'outdated' ? [[refusal.item, refusal.again]] : [])),
  );
  return again.size === 0 ? items : items.map((item, index) => again.get(index) ?? item);
}

/** The limit at which a write gives up because of other writes of one of its items. */
export interface Contention {
  /** The index of the item in the write. */
  readonly item: number;
  /** Time since the first try began, ms. */
  readonly afterMs: number;
}

/** Returns whether a write conflicted on this item, and on no other: one caller's own writes conflict on more. */
function isOnlyConflict(error: unknown, item: number): boolean {
  const conflicts = cancellationReasons(error).map(({ Code }) => Code === 'TransactionConflict');
  return conflicts[item] === true && conflicts.indexOf(true) === conflicts.lastIndexOf(true);
}

/** The error of a write that gave up because of contention. The write has no effect, and none of its tries is open. */
export class Contended extends Error {
  override readonly name = 'Contended';

  constructor() {
    super('other writes keep meeting an item of this one');
  }
}

/** Returns the refusals of all conditions that do not hold now, from plain reads in one round trip. */
async function refusalsNow(
  table: Table,
  items: readonly WriteItem[],
  { readItems }: Reads,
  deadline: number,
): Promise<FoundRefusal[]> {
  const keys = items.map(({ request }) => keyIn(request));
  const images = new Map((await readItems(table, keys, deadline)).map((image) => [nameOf(image), image]));
  const refusals = items.flatMap(({ refused }, item) => {
    const refusal = parsed(() => refused(images.get(nameOf(keys[item]))));
    // The write's own condition decides about an image that cannot be read.
    return refusal === undefined || refusal instanceof UnreadableItem ? [] : [{ ...refusal, item }];
  });
  const [record] = items;
  if (refusals.length === 0 || record === undefined || images.has(nameOf(keys[0]))) return refusals;
  // One batch of reads is no snapshot. The refusing image may show the effect of an earlier try, whose record the batch
  // missed.
  const [image] = await readItems(table, keys.slice(0, 1), deadline);
  const replay = image && record.refused(image);
  return replay === undefined ? refusals : [{ ...replay, item: 0 }, ...refusals];
}

function keyIn({ Put, Update, ConditionCheck }: WriteRequest): Item {
  const { pk, sk }: Item = Put?.Item ?? (Update ?? ConditionCheck)?.Key ?? {};
  return { pk, sk };
}

function nameOf(item: Item | undefined): string {
  return JSON.stringify([item?.['pk'], item?.['sk']]);
}

/** Returns the refusals of a refused write. Throws any other error, and one for an image that does not say why. */
function refusalsIn(error: unknown, items: readonly WriteItem[]): FoundRefusal[] {
  const refusals: FoundRefusal[] = [];
  for (const [index, reason] of cancellationReasons(error).entries()) {
    const item = items[index];
    if (reason.Code !== 'ConditionalCheckFailed' || item === undefined) continue;
    const read = () => item.refused(reason.Item && fromItem(reason.Item));
    // A replay or an earlier refusal decides, whatever a later image holds.
    const refusal = refusals.length === 0 ? read() : parsed(read);
    if (refusal instanceof UnreadableItem) continue;
    if (refusal !== undefined) {
      refusals.push({ ...refusal, item: index });
    } else if (refusals.length === 0) {
      throw new Error(`condition of "${item.label}" failed, and its image does not say why`, { cause: error });
    }
  }
  if (refusals.length === 0) throw error;
  return refusals;
}

/** Returns a value as DynamoDB stores it; members that are undefined are left out. */
export function toItem(value: object): Record<string, AttributeValue> {
  return marshall(value, { removeUndefinedValues: true });
}

/**
 * Returns an item as JavaScript values. An integer beyond 2^53-1 becomes a bigint, so that no number is rounded.
 *
 * @throws UnreadableItem when a number is too large and no integer
 */
export function fromItem(item: Record<string, AttributeValue>): Item {
  try {
    return unmarshall(item);
  } catch (cause) {
    const problem = 'it has a number that no JavaScript value holds';
    throw new UnreadableItem({ pk: item['pk']?.S, sk: item['sk']?.S }, problem, { cause });
  }
}

const names = {
  '#at': 'at',
  '#day': 'day',
  '#end': 'end',
  '#in': 'in',
  '#out': 'out',
  '#status': 'status',
  '#total': 'total',
  '#ttl': 'ttl',
  '#type': 'type',
} as const;

/**
 * Returns an update of one item, for `write` or for a call of its own. Reserved words are written `#status`, `#type`.
 *
 * @param change expressions of DynamoDB; the names of `values` have no colon here
 */
export function update(
  table: Table,
  key: Item,
  change: { set: string; remove?: string; if: string; values: Item },
): NonNullable<WriteRequest['Update']> {
  const expression = change.remove === undefined ? `SET ${change.set}` : `SET ${change.set} REMOVE ${change.remove}`;
  const used = Object.entries(names).filter(([name]) => `${expression} ${change.if}`.includes(name));
  return {
    TableName: table.name,
    Key: key,
    UpdateExpression: expression,
    ConditionExpression: change.if,
    ...(used.length > 0 && { ExpressionAttributeNames: Object.fromEntries(used) }),
    ExpressionAttributeValues: namedValues(change.values),
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  };
}

/** Returns values under the names that expressions have for them: with a colon. */
export function namedValues(values: Item): Item {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [`:${name}`, value]));
}
