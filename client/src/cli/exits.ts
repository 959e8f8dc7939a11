/** Errors as exit codes, with what to do next. */
import {
  ApprovalPendingError,
  NoAnswerError,
  OtherEndError,
  NotReadyError,
  StatementFailedError,
  StillPendingError,
  WalletClientError,
  WalletServiceError,
} from '../errors.ts';
import { UsageError } from './usage.ts';

/** The exit codes, for scripts. */
export const exits = {
  done: 0,
  failed: 1,
  usage: 2,
  refused: 3,
  notAllowed: 4,
  notFound: 5,
  tryLater: 6,
  unknownOutcome: 7,
  stillPending: 8,
  otherEnd: 9,
  approvalPending: 10,
  interrupted: 130,
} as const;

/** What an error means for the exit code, and what its user can do. */
export interface Failure {
  readonly exitCode: number;
  readonly message: string;
  readonly advice: string | undefined;
  /** For `--json`. */
  readonly data: object;
}

/** Advice for a code of the service. */
const adviceFor: Readonly<Record<string, string>> = {
  unauthorized: 'get a new token: wallet login, --token or WALLET_TOKEN',
  forbidden: 'the token lacks a scope for this: sign in with one that has it',
  insufficient_funds: 'wallet balance shows what is available',
  wallet_not_found: 'wallet wallets lists the wallets that this token may see',
  transaction_not_found: 'wallet history lists the transactions of a wallet',
  idempotency_key_reused: 'this key names another command: use a key of its own, or none',
  wallet_frozen: 'an operator can end it: wallet unfreeze',
  limit_exceeded: 'a smaller amount may pass; wallet show lists the limits',
  exceeds_hold: 'wallet tx shows what is left of the hold',
  exceeds_refundable: 'wallet tx shows what was refunded of the payment',
};

/** Returns what to print about an error, and the exit code. */
export function failureOf(error: unknown): Failure {
  const message = error instanceof Error ? error.message : String(error);
  const data = { message, ...(error instanceof WalletClientError && error.key !== undefined && { key: error.key }) };
  if (error instanceof UsageError) return { exitCode: exits.usage, message, advice: 'see wallet --help', data };
  if (error instanceof WalletServiceError) return refusalOf(error, data);
  if (error instanceof NoAnswerError) {
    const cause = error.cause instanceof Error ? ` (${textOfCause(error.cause)})` : '';
    return { ...unknownOutcome(error.key), message: message + cause, data };
  }
  if (error instanceof StillPendingError) {
    const { transactionId } = error.transaction;
    return {
      ...{ exitCode: exits.stillPending, message, data: { ...data, transaction: error.transaction } },
      advice: `wallet wait ${transactionId} waits longer`,
    };
  }
  if (error instanceof NotReadyError) {
    return {
      ...{ exitCode: exits.stillPending, message, data: { ...data, statement: error.statement } },
      advice: 'the same command with the same --key waits longer',
    };
  }
  if (error instanceof StatementFailedError) {
    return {
      ...{ exitCode: exits.otherEnd, message, data: { ...data, statement: error.statement } },
      advice: 'the same command with the same --key has it tried anew',
    };
  }
  if (error instanceof OtherEndError) {
    return {
      ...{ exitCode: exits.otherEnd, message, data: { ...data, transaction: error.transaction } },
      advice: undefined,
    };
  }
  if (error instanceof ApprovalPendingError) {
    return {
      ...{ exitCode: exits.approvalPending, message, data: { ...data, approval: error.approval } },
      advice: `another operator decides: wallet approve ${error.approval.approvalId}`,
    };
  }
  return { exitCode: exits.failed, message, advice: undefined, data };
}

function refusalOf(error: WalletServiceError, data: object): Failure {
  const { code, status, requestId, retryAfterMs, isFinal, key, message } = error;
  const all = { ...data, code, status, requestId, retryAfterMs, isFinal };
  const failure = (exitCode: number, advice: string | undefined) => ({ exitCode, message, advice, data: all });
  if (status === 429 || (status >= 500 && isFinal)) {
    const wait = retryAfterMs === undefined ? 'later' : `in ${Math.ceil(retryAfterMs / 1000)} s`;
    return failure(
      exits.tryLater,
      `repeat the command ${wait}${key === undefined ? '' : ` with --key ${quoted(key)}`}`,
    );
  }
  if (!isFinal && key !== undefined) return { ...unknownOutcome(key), message, data: all };
  if (status >= 500) return failure(exits.tryLater, 'repeat the command later');
  const advice = adviceFor[code];
  if (status === 401 || status === 403) return failure(exits.notAllowed, advice);
  if (status === 404) return failure(exits.notFound, advice);
  return failure(exits.refused, advice);
}

function unknownOutcome(key: string | undefined): Pick<Failure, 'exitCode' | 'advice'> {
  if (key === undefined) return { exitCode: exits.tryLater, advice: 'is the service running, and is --url right?' };
  const advice = `it may have been carried out: repeat the same command with --key ${quoted(key)}`;
  return { exitCode: exits.unknownOutcome, advice };
}

/** Returns text as a shell takes it. */
export function quoted(text: string): string {
  return /^[\w.:@/-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

function textOfCause(error: Error): string {
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
