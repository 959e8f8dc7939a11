import * as z from 'zod/mini';
import { askedApproval, needsApproval, showsFacts } from '../domain/approval.ts';
import type { FourEyes, GuardedFacts } from '../domain/approval.ts';
import { actorOf } from '../domain/actor.ts';
import { WalletError } from '../domain/errors.ts';
import type { SeenStatus } from '../domain/wallet.ts';
import { askForApproval } from '../store/approvals.ts';
import { approvalKey } from '../store/keys.ts';
import type { Table } from '../store/table.ts';
import { InvalidItem } from '../store/unreadable.ts';
import { approvalView } from '../views/approval-view.ts';
import { committed } from './committed.ts';
import type { CommandCall } from './http.ts';
import type { Answer } from './problem.ts';

/** The commands that need a second operator, and the time in which they can be approved. */
export interface FourEyesPolicy extends FourEyes {
  readonly expiresAfterMs: number;
}

/** The services of routes whose commands can need a second operator. Without `fourEyes` none does. */
export interface FourEyesServices {
  readonly table: Table;
  readonly fourEyes?: FourEyesPolicy;
}

const amount = z.int().check(z.minimum(0));
const amounts = z.strictObject({
  above: amount,
  byCurrency: z.optional(z.record(z.string().check(z.regex(/^[A-Z]{3}$/)), amount)),
});
const always = z.optional(z.literal(true));
const schema = z.strictObject({
  charge: z.optional(amounts),
  refund: z.optional(amounts),
  resolve: always,
  unfreeze: always,
  limits: always,
  expiresAfterMs: z.int().check(z.minimum(1)),
} satisfies Record<keyof FourEyesPolicy, z.ZodMiniType>);

/**
 * Returns the policy in the variable `FOUR_EYES`. Throws, so that the cold start fails.
 *
 * @throws SyntaxError for a text that is not JSON, ZodError for a value that is no policy
 */
export function readFourEyes(variable: string): FourEyesPolicy {
  return schema.parse(JSON.parse(variable)) as FourEyesPolicy;
}

/** What a new request for an approval sees. With a refusal, only a repetition of an earlier request is answered. */
export interface Sight extends SeenStatus {
  readonly askRefusal?: WalletError | undefined;
}

/** The part of a command that decides whether it needs an approval, and who may not approve it. */
export interface Guarded {
  readonly facts: GuardedFacts;
  /** The most that the command could have moved at any time, which is compared with the guard; absent: its amount. */
  readonly most?: number;
  /** Why the command is refused, guarded or not; then only a repetition is answered. */
  readonly refusal?: WalletError | undefined;
  readonly look?: () => Promise<Sight>;
}

/** What became of a request whose command can need an approval. */
export interface Asked {
  /** The answer to the asker. Absent: the command is executed. */
  readonly answer?: Answer;
  /** Why the command is refused; then it answers only a repetition. */
  readonly refusal?: WalletError | undefined;
}

/**
 * Asks for the approval of a command that needs one. Checks an approved command against what its approval shows.
 *
 * @returns a `refusal` for a command that was executed already
 * @throws WalletError `idempotency_key_reused`, `busy`; `approval_expired` for a repetition after the approval was deleted; for
 * a new request `refusal`, or that of `look`
 * @throws InvalidItem when the approval shows other facts than those of the command; nothing is executed then
 */
export async function askIfNeeded(
  { table, fourEyes }: FourEyesServices,
  { caller, operation, path, body }: CommandCall<object>,
  { facts, most = facts.amount, refusal, look }: Guarded,
): Promise<Asked> {
  const { approval } = operation;
  if (approval !== undefined) {
    if (refusal === undefined && !showsFacts(approval.asked, facts)) {
      throw new InvalidItem(approvalKey(approval.asked.approvalId), 'it shows other facts than those of its command');
    }
    return { refusal };
  }
  const { currency } = facts;
  const money = most === undefined || currency === undefined ? undefined : { amount: most, currency };
  const isGuarded = fourEyes !== undefined && needsApproval(fourEyes, facts.command, money);
  if (!isGuarded) return { refusal };
  const { idempotencyKey, fingerprint, at } = operation;
  const { expiresAfterMs } = fourEyes;
  const request = { path, body, askedBy: actorOf(caller), idempotencyKey, fingerprint, at, expiresAfterMs };
  const sight: Sight | undefined = refusal === undefined ? await look?.() : undefined;
  const { askRefusal, ...seen } = sight ?? {};
  const asked = await askForApproval(table, askedApproval({ ...request, ...facts, ...seen }), refusal ?? askRefusal);
  // Records are never deleted, so the command finds the one that was found here.
  if (asked === undefined) return { refusal: refusal ?? new WalletError('busy', { retryAfterSeconds: 1 }) };
  return { answer: committed(202, approvalView(asked.approval, at), asked.replayed) };
}
