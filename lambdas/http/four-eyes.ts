import * as z from 'zod/mini';
import { askedApproval, needsApproval } from '../domain/approval.ts';
import type { FourEyes, GuardedCommand } from '../domain/approval.ts';
import { actorOf } from '../domain/actor.ts';
import { WalletError } from '../domain/errors.ts';
import { askForApproval } from '../store/approvals.ts';
import type { Table } from '../store/table.ts';
import { approvalView } from '../views/approval-view.ts';
import { committed } from './http.ts';
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
const schema = z.strictObject({
  charge: z.optional(
    z.strictObject({
      above: amount,
      byCurrency: z.optional(z.record(z.string().check(z.regex(/^[A-Z]{3}$/)), amount)),
    }),
  ),
  resolve: z.optional(z.literal(true)),
  unfreeze: z.optional(z.literal(true)),
  expiresAfterMs: z.int().check(z.minimum(1)),
} satisfies Record<GuardedCommand | 'expiresAfterMs', z.ZodMiniType>);

/**
 * Returns the policy in the variable `FOUR_EYES`. Throws, so that the cold start fails.
 *
 * @throws SyntaxError for a text that is not JSON, ZodError for a value that is no policy
 */
export function readFourEyes(variable: string): FourEyesPolicy {
  return schema.parse(JSON.parse(variable)) as FourEyesPolicy;
}

/** The part of a command that decides whether it needs an approval, and who may not approve it. */
export interface Guarded {
  readonly command: GuardedCommand;
  /** The wallets that the command is about. */
  readonly walletIds: readonly string[];
  /** In minor units; absent: the command moves no money by itself. */
  readonly money?: { readonly amount: number; readonly currency: string };
  /** The requester of the withdrawal that the command is about. */
  readonly requestedBy?: string;
  /** Why the command is refused, guarded or not; then only a repetition is answered. */
  readonly refusal?: WalletError | undefined;
  /** Returns the refusal of a new request; then only a repetition of an earlier one is answered. */
  readonly askRefusal?: () => Promise<WalletError | undefined>;
}

/**
 * Asks for the approval of a command that needs one.
 *
 * @returns `answer`: the answer to the asker; the command is not executed. Otherwise the command is executed with `refusal`:
 *   when it is set, the command answers only a repetition. It is always set for a command that was executed already
 * @throws WalletError `idempotency_key_reused`, `busy`; `approval_expired` for a repetition after the approval was deleted; for
 * a new request `guarded.refusal`, or that of `askRefusal`
 */
export async function askIfNeeded(
  { table, fourEyes }: FourEyesServices,
  { caller, operation, path, body }: CommandCall<object>,
  { money, refusal, askRefusal, ...guarded }: Guarded,
): Promise<{ readonly answer?: Answer; readonly refusal?: WalletError | undefined }> {
  const isGuarded =
    fourEyes !== undefined && operation.approval === undefined && needsApproval(fourEyes, guarded.command, money);
  if (!isGuarded) return { refusal };
  const { idempotencyKey, fingerprint, at } = operation;
  const { expiresAfterMs } = fourEyes;
  const request = { path, body, askedBy: actorOf(caller), idempotencyKey, fingerprint, at, expiresAfterMs };
  const asking = askedApproval({ ...request, ...guarded, ...money });
  const asked = await askForApproval(table, asking, refusal ?? (await askRefusal?.()));
  // Records are never deleted, so the command finds the one that was found here.
  if (asked === undefined) return { refusal: refusal ?? new WalletError('busy', { retryAfterSeconds: 1 }) };
  return { answer: committed(202, approvalView(asked.approval, at), asked.replayed) };
}
