/** The errors that the client throws. */
import type { Approval, ErrorCode, Problem, StatementFile, Transaction } from './types.ts';

/** An error of the client. */
export class WalletClientError extends Error {
  override readonly name: string = 'WalletClientError';
  /** The Idempotency-Key of the command; undefined for a read. */
  readonly key: string | undefined;

  constructor(message: string, key?: string, options?: ErrorOptions) {
    super(message, options);
    this.key = key;
  }
}

/** The facts about a refusal that are not in its body. */
export interface RefusalFacts {
  readonly status: number;
  readonly key: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly isFinal: boolean;
}

/** A refusal by the service, or by a gateway in front of it. */
export class WalletServiceError extends WalletClientError {
  override readonly name = 'WalletServiceError';
  /** The reason. `unknown` when the answer is not one of the service. */
  readonly code: ErrorCode;
  /** The HTTP status. */
  readonly status: number;
  readonly title: string | undefined;
  /** About this case, for people. */
  readonly detail: string | undefined;
  /** For `invalid_request`: each field and its defect. */
  readonly errors: Problem['errors'];
  /** Of a split: the index of the leg that is refused. */
  readonly leg: number | undefined;
  /** For `limit_exceeded`: the limit, the most that it allows now in minor units, and when it allows more. */
  readonly limit: Problem['limit'];
  readonly left: number | undefined;
  readonly resetsAt: string | undefined;
  /** The gateway's id of the request: quote it when you ask for help. */
  readonly requestId: string | undefined;
  /** How long the service asks to wait before the next request. */
  readonly retryAfterMs: number | undefined;
  /**
   * Whether no request of this call has been carried out, or will be. When it is `false`, one of them had no certain
   * answer: repeat the command with the same key.
   */
  readonly isFinal: boolean;

  constructor(problem: Partial<Problem>, facts: RefusalFacts) {
    const code = problem.code ?? 'unknown';
    const defects = problem.errors?.map(({ path, message }) => `${path || 'body'}: ${message}`).join('; ');
    const about = [problem.detail ?? problem.title ?? `the answer has status ${facts.status}`, defects];
    super(`${code}: ${about.filter(Boolean).join(': ')}`, facts.key);
    this.code = code;
    this.status = facts.status;
    this.title = problem.title;
    this.detail = problem.detail;
    this.errors = problem.errors;
    this.leg = problem.leg;
    this.limit = problem.limit;
    this.left = problem.left;
    this.resetsAt = problem.resetsAt;
    this.requestId = problem.requestId;
    this.retryAfterMs = facts.retryAfterMs;
    this.isFinal = facts.isFinal;
  }
}

/** No answer came within the limit. A command may have been carried out: repeat it with the same `key` to learn more. */
export class NoAnswerError extends WalletClientError {
  override readonly name = 'NoAnswerError';

  constructor(key: string | undefined, attempts: number, cause: unknown) {
    const advice = key === undefined ? '' : `: it may have been carried out, so repeat it with the same key, ${key}`;
    super(`no answer after ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}${advice}`, key, { cause });
  }
}

/** Nothing has moved: a second operator must approve the command. */
export class ApprovalPendingError extends WalletClientError {
  override readonly name = 'ApprovalPendingError';
  readonly approval: Approval;

  constructor(approval: Approval, key: string) {
    super(`nothing has moved: a second operator must approve ${approval.approvalId}`, key);
    this.approval = approval;
  }
}

/** `waitFor` timed out, and the transaction goes on: nothing is known to be wrong with it. */
export class StillPendingError extends WalletClientError {
  override readonly name = 'StillPendingError';
  /** The transaction as it was last read. */
  readonly transaction: Transaction;

  constructor(transaction: Transaction, timeoutMs: number) {
    const { transactionId, status } = transaction;
    super(`${transactionId} is ${status} after ${timeoutMs} ms: the wait is over, and the transaction goes on`);
    this.transaction = transaction;
  }
}

/** A file of a statement was not ready in time. The service still makes it: wait for it again. */
export class NotReadyError extends WalletClientError {
  override readonly name = 'NotReadyError';
  /** The statement as it was last read. */
  readonly statement: StatementFile;

  constructor(statement: StatementFile, timeoutMs: number) {
    super(
      `${statement.statementId} is not ready after ${timeoutMs} ms: the wait is over, and the service still makes it`,
    );
    this.statement = statement;
  }
}

/** The service could not make the file of a statement. A repetition with the key of the request has it tried anew. */
export class StatementFailedError extends WalletClientError {
  override readonly name = 'StatementFailedError';
  readonly statement: StatementFile;

  constructor(statement: StatementFile) {
    const { statementId, failure } = statement;
    super(`${statementId} has failed${failure === undefined ? '' : `: ${failure.message}`}`);
    this.statement = statement;
  }
}

/** The transaction has ended, with another status than the one that was waited for. */
export class OtherEndError extends WalletClientError {
  override readonly name = 'OtherEndError';
  readonly transaction: Transaction;

  constructor(transaction: Transaction, wanted: string) {
    const { transactionId, status, failure } = transaction;
    super(`${transactionId} is ${status}, not ${wanted}${failure === undefined ? '' : `: ${failure.message}`}`);
    this.transaction = transaction;
  }
}
