import type { Actor } from './actor.ts';
import { waitBeforeRetry } from './backoff.ts';
import type { Backoff } from './backoff.ts';
import type { ChainedEntry } from './entries.ts';
import type { StatementSums } from './statement.ts';

/** The formats of statements. */
export const formatNames = ['json', 'csv', 'camt.053'] as const;
export type FormatName = (typeof formatNames)[number];

/** The beginning of a statement's file, and all that its content follows from. It is fixed when the file is asked for. */
export interface StatementFileTerms {
  readonly statementId: string;
  readonly walletId: string;
  /** The caller who asked for it. The file shows what this caller may see. */
  readonly by: Actor & { readonly kind: 'owner' | 'operator' };
  readonly format: FormatName;
  /** The period, ISO 8601 UTC: `from` inclusive, `to` exclusive. */
  readonly from: string;
  readonly to: string;
  /** Whether no command can be booked in the period any more. */
  readonly final: boolean;
  /** The last entry before the period; undefined where the wallet was opened later. */
  readonly opening: ChainedEntry | undefined;
  /** The last entry that the file covers. Later ones are not in it, however long its worker takes. */
  readonly closing: ChainedEntry;
  /** ISO 8601 UTC. */
  readonly createdAt: string;
  /** From when on there is no such statement, ISO 8601 UTC. */
  readonly expiresAt: string;
}

/** The parts of a file that are stored. The next turn of the worker goes on behind them. */
export interface StatementProgress {
  /** Names the upload in the bucket. */
  readonly uploadId: string;
  /** Entity tags of the parts behind the first one. The first part begins with sums, so it is uploaded last. */
  readonly etags: readonly string[];
  /** The last entry whose lines are in the parts. */
  readonly version: number;
  /** Of the lines in the parts. */
  readonly sums: StatementSums;
  /** Bytes of the parts. */
  readonly bytes: number;
}

/**
 * Why a statement could not be made. Their texts are for its caller, and the log of the worker has the cause.
 *
 * - `ledger_behind`: the ledger lacked an entry of the period, or a transaction of one, at the last try
 * - `not_made`: the worker failed or died
 */
export const statementFailures = {
  ledger_behind: 'The ledger lacked an entry of the period for too long',
  not_made: 'The file could not be made',
} as const;
export type StatementFailure = keyof typeof statementFailures;

/** Failed tries after which a statement has failed. They take about an hour, by the waits of the queue. */
export const mostFailedTries = 20;

/** A statement that is made as a file. Times of the work are epoch milliseconds. */
export type StatementFile = StatementFileTerms &
  (
    | {
        readonly status: 'pending';
        /** When a message last asked for the work. */
        readonly askedAt: number;
        /** How often its caller asked for the work again. */
        readonly asks?: number;
        /** Until when a worker has it; no other one takes it before. */
        readonly leaseUntil?: number;
        readonly progress?: StatementProgress;
        /** Tries that failed, and the one at work. A try that a dead worker did not end counts as failed. */
        readonly tries?: number;
        /** Why the last try failed that was ended. */
        readonly problem?: StatementFailure;
      }
    | {
        readonly status: 'ready';
        readonly fileBytes: number;
        readonly sums: StatementSums;
      }
    | {
        readonly status: 'failed';
        readonly failure: StatementFailure;
      }
  );

/** A pending statement. */
export type PendingFile = Extract<StatementFile, { readonly status: 'pending' }>;
/** A statement that failed. */
export type FailedFile = Extract<StatementFile, { readonly status: 'failed' }>;

export const statementFileStatuses = [
  'pending',
  'ready',
  'failed',
] as const satisfies readonly StatementFile['status'][];

/** The type of item in the table of statement files, with the beginning of its partition keys. */
export const statementItems = { statement: 'STATEMENT#' } as const;

/** Days for which a statement and its file are kept. The bucket deletes the file by itself. */
export const statementFileDays = 7;

/** Changes of a wallet that count as one file in the limit of an hour. */
const changesOfOneFile = 100_000;

/** Returns as how many files a statement counts: the work follows from the changes that it covers. */
export function filesCountedFor(
  { opening, closing }: Pick<StatementFileTerms, 'opening' | 'closing'>,
  changesOfOne = changesOfOneFile,
): number {
  return Math.max(1, Math.ceil((closing.version - (opening?.version ?? -1)) / changesOfOne));
}

/** Time after which a pending statement without a worker is asked for once more, ms: its message may be lost. */
export const askAgainMs = 120_000;
/** The waits before it is asked for again. Each message has turns of its own, so a message that is only late must have few. */
const askAgain: Backoff = { first: askAgainMs, longest: 86_400_000 };

/** Returns when a pending statement may be asked for again, epoch ms. */
export function askAgainAt({ askedAt, asks = 0 }: Pick<PendingFile, 'askedAt' | 'asks'>): number {
  return askedAt + waitBeforeRetry(asks, askAgain);
}

/** Returns whether a caller may see a statement: the one who asked for it, and any operator. */
export function seesFile({ kind, principal, issuer }: Actor, { by }: StatementFileTerms): boolean {
  return kind === 'operator' || (by.kind === 'owner' && by.principal === principal && by.issuer === issuer);
}
