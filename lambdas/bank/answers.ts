/**
 * Reads the bank's answers. An outcome is definite only if status, code, reference, amount and currency are all as the
 * protocol says. A proxy's 404, a load balancer's 422, or an answer about another payment must never end ours.
 */
import { isCode, withoutAccounts } from './words.ts';

/** A payment to make. `reference` is the bank's idempotency key; `amount` is in minor units. */
export interface Payment {
  readonly reference: string;
  readonly amount: number;
  readonly currency: string;
  readonly destination: { readonly account: string; readonly name?: string | undefined };
}

/**
 * The bank's answer about a payment. `accepted`: it has paid. `rejected`: it has not paid and never will. `unknown`:
 * anything else, and it may have paid; `reason` is for logs and holds nothing from the payment.
 */
type KnownOutcome =
  | { readonly outcome: 'accepted' }
  | { readonly outcome: 'rejected'; readonly code: string; readonly message: string }
  | { readonly outcome: 'unknown'; readonly reason: string };

/**
 * The outcome of a submit. `not_accepted`: the bank did not and will not pay because of it, so it may be sent again at
 * once.
 */
export type SubmitOutcome = KnownOutcome | { readonly outcome: 'not_accepted'; readonly reason: string };

/**
 * The bank's record of a payment. `not_found` proves something only after the bank's window (docs/bank-protocol.md).
 */
export type FindOutcome = KnownOutcome | { readonly outcome: 'not_found' };

/** A payment in the bank's statement, with its time (ISO 8601, by the bank's clock). */
export interface StatementItem {
  readonly reference: string;
  readonly amount: number;
  readonly currency: string;
  readonly paidAt: string;
}

/** A page of a statement; `next` is the cursor of the next page. */
export type StatementOutcome =
  | { readonly outcome: 'page'; readonly items: readonly StatementItem[]; readonly next: string | undefined }
  | { readonly outcome: 'unknown'; readonly reason: string };

export type Answer = { readonly status: number; readonly body: Record<string, unknown> };
/** A call without a readable answer. `lost` says why, `sent` whether the request may have reached the bank. */
export type Lost = { readonly lost: string; readonly sent: boolean };

export type Outcome = SubmitOutcome | FindOutcome | StatementOutcome;
type PaymentFacts = Pick<Payment, 'reference' | 'amount' | 'currency'>;

/** Returns the outcome of a submit. */
export function readSubmit(answer: Answer | Lost, payment: Payment): SubmitOutcome {
  if ('lost' in answer) return answer.sent ? unknown(answer.lost) : { outcome: 'not_accepted', reason: answer.lost };
  const { status, body } = answer;
  const misfit = misfitOf(answer, payment);
  switch (status) {
    case 200:
    case 201:
      return misfit ?? (body['status'] === 'paid' ? { outcome: 'accepted' } : surprise(answer));
    case 422:
      return misfit ?? readRejection(body, payment.destination.account) ?? surprise(answer);
    case 429:
    case 503:
      // Only for exactly this payment: a proxy that answers so may have sent the request to the bank.
      return misfit === undefined && body['code'] === notAccepted
        ? { outcome: 'not_accepted', reason: `status ${String(status)}` }
        : surprise(answer);
    default:
      return surprise(answer);
  }
}

/** Returns the outcome of a question about a payment. */
export function readFind(answer: Answer | Lost, payment: PaymentFacts): FindOutcome {
  if ('lost' in answer) return unknown(answer.lost);
  const { status, body } = answer;
  if (status === 404) {
    // The bank cannot name the amount of a payment that it does not know.
    if (body['reference'] !== payment.reference) return unknown('status 404 for another reference');
    return body['code'] === 'payment_not_found' ? { outcome: 'not_found' } : surprise(answer);
  }
  if (status !== 200) return surprise(answer);
  const misfit = misfitOf(answer, payment);
  if (misfit !== undefined) return misfit;
  if (body['status'] === 'paid') return { outcome: 'accepted' };
  if (body['status'] === 'processing') return processing;
  return readRejection(body) ?? surprise(answer);
}

/** Returns the outcome of an answer that names another payment than ours; undefined when it names ours. */
function misfitOf({ status, body }: Answer, payment: PaymentFacts): UnknownOutcome | undefined {
  if (body['reference'] !== payment.reference) return unknown(`status ${String(status)} for another reference`);
  return body['amount'] === payment.amount && body['currency'] === payment.currency
    ? undefined
    : unknown(`status ${String(status)} with another amount or currency`);
}

/** Reads a statement, whole or not at all: an unreadable item may be a payment that the ledger does not have. */
export function readStatement(answer: Answer | Lost): StatementOutcome {
  if ('lost' in answer) return unknown(answer.lost);
  if (answer.status !== 200) return surprise(answer);
  const { items, next } = answer.body;
  if (!Array.isArray(items) || !items.every(isStatementItem)) return unknown('status 200 without a statement');
  if (next !== undefined && typeof next !== 'string') return unknown('status 200 with an unknown cursor');
  return { outcome: 'page', items, next };
}

function isStatementItem(item: unknown): item is StatementItem {
  if (typeof item !== 'object' || item === null) return false;
  const { reference, amount, currency, paidAt } = item as Partial<Record<keyof StatementItem, unknown>>;
  return (
    typeof reference === 'string' &&
    Number.isSafeInteger(amount) &&
    typeof currency === 'string' &&
    typeof paidAt === 'string'
  );
}

function readRejection(body: Record<string, unknown>, account?: string): KnownOutcome | undefined {
  const { status, code, message } = body;
  if (status !== 'rejected' || !isCode(code) || typeof message !== 'string') return undefined;
  return { outcome: 'rejected', code, message: withoutAccounts(message, account) };
}

const notAccepted = 'not_accepted';
const processing = { outcome: 'unknown', reason: 'processing' } as const;

/** Returns whether the bank says that it still works on the payment. */
export function isProcessing(outcome: SubmitOutcome | FindOutcome): boolean {
  return outcome.outcome === 'unknown' && outcome.reason === processing.reason;
}

/** Returns whether an outcome counts as a failure of the bank. A bank that still works on a payment is up. */
export function isBankFailure(outcome: Outcome): boolean {
  return outcome.outcome === 'not_accepted' || (outcome.outcome === 'unknown' && outcome !== processing);
}

/** Returns whether the bank has refused a signature before any work. A 401 with another code may be a proxy's. */
export function isRefusedSignature(answer: Answer | Lost): boolean {
  return !('lost' in answer) && answer.status === 401 && answer.body['code'] === 'signature_invalid';
}

type UnknownOutcome = Extract<KnownOutcome, { outcome: 'unknown' }>;

function unknown(reason: string): UnknownOutcome {
  return { outcome: 'unknown', reason };
}

function surprise({ status, body: { code } }: Answer): UnknownOutcome {
  return unknown(`status ${String(status)}${isCode(code) ? ` ${code}` : ''}`);
}
