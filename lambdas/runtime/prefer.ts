import type { APIGatewayProxyEvent } from 'aws-lambda';
import type { Transaction } from '../domain/transaction.ts';
import { isAtRest } from '../domain/withdrawal.ts';
import type { OpenWithdrawal } from '../domain/withdrawal.ts';
import type { Table } from '../store/table.ts';
import { getTransaction } from '../store/transactions.ts';
import { headersOf } from './request.ts';
import { describe, logger } from './telemetry.ts';

/** What the client would like of an asynchronous command (RFC 7240); preferences that we do not know are ignored. */
export interface Preferences {
  /** Answer before the end, and let a worker do the rest. */
  readonly respondAsync: boolean;
  /** Wait this long for the end, in whole seconds, 0 to 20. */
  readonly waitSeconds: number;
  /** The same as a time, epoch ms. */
  readonly waitUntil: number;
}

/** The gateway gives up after 29 s; waiting ends early enough for the answer to be read and sent. */
export const longestWaitSeconds = 20;
const pollMs = 250;

/** @param at when the request came, ISO 8601: what it took to accept the command is a part of the wait */
export function preferencesOf(event: APIGatewayProxyEvent, at: string): Preferences {
  const preferences = headersOf(event, 'prefer')
    .flatMap((line) => line.split(/[,;]/))
    .map((preference) => preference.trim().toLowerCase());
  const wait = preferences.map((preference) => /^wait="?(\d+)"?$/.exec(preference)?.[1]).find(Boolean);
  const waitSeconds = Math.min(Number(wait ?? 0), longestWaitSeconds);
  return {
    respondAsync: preferences.includes('respond-async'),
    waitSeconds,
    waitUntil: Date.parse(at) + 1000 * waitSeconds,
  };
}

/**
 * The transaction as it is at its end, or as far as it has come by then. Nobody waits for what cannot come in time:
 * work that was put back for longer, so that callers of a bank that is away do not hold functions that others need; and
 * a read that fails ends the wait too, as the command was accepted, whatever becomes of the reads.
 *
 * @param until epoch ms
 */
export async function waitForEnd(table: Table, transaction: OpenWithdrawal, until: number): Promise<Transaction> {
  let current = transaction;
  while (!isAtRest(current) && table.now() < until && !isPutBack(current, until)) {
    await table.sleep(Math.min(pollMs, until - table.now()));
    try {
      current = (await getTransaction(table, transaction.transactionId)) ?? current;
    } catch (error) {
      logger.warn('stopped waiting', { transactionId: transaction.transactionId, error: describe(error) });
      break;
    }
  }
  return current;
}

/** Returns whether no worker will end the withdrawal before `until`. */
function isPutBack({ claimId, dueAt, waitingFor }: OpenWithdrawal, until: number): boolean {
  return waitingFor !== undefined || (claimId === undefined && dueAt !== undefined && Date.parse(dueAt) > until);
}
