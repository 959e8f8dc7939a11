import type { APIGatewayProxyEvent } from 'aws-lambda';
import { longestWaitSeconds } from '../contract.ts';
import { isAtRest } from '../domain/transaction.ts';
import type { OpenTransaction, Transaction } from '../domain/transaction.ts';
import type { Table } from '../store/table.ts';
import { getTransaction } from '../store/transactions.ts';
import { headersOf } from './request.ts';
import { describe, logger } from '../aws/telemetry.ts';

/** The client's preferences for an asynchronous command (RFC 7240). Unknown preferences are ignored. */
export interface Preferences {
  /** Answer before the end, and let a worker do the rest. */
  readonly respondAsync: boolean;
  /** Wait this long for the end, in whole seconds, 0 to 20. */
  readonly waitSeconds: number;
  /** The same as a time, epoch ms. */
  readonly waitUntil: number;
}

const pollMs = 250;

/**
 * Returns the preferences of a request.
 *
 * @param at when the request came, ISO 8601: the time to accept the command is a part of the wait
 */
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
 * Returns the transaction at its end, or as it is when the wait is over. The wait ends early for work that was put back
 * beyond it. So callers do not hold functions that others need while the bank is down. A failed read ends the wait too:
 * the command was accepted all the same.
 *
 * @param until epoch ms
 */
export async function waitForEnd(table: Table, transaction: Transaction, until: number): Promise<Transaction> {
  let current = transaction;
  while (!isAtRest(current) && table.now() < until && !isPutBack(current, until)) {
    await table.sleep(Math.min(pollMs, until - table.now()));
    try {
      current = (await getTransaction(table, transaction.transactionId)) ?? current;
    } catch (error) {
      logger.warn('status not read, so the wait ended', {
        transactionId: transaction.transactionId,
        error: describe(error),
      });
      break;
    }
  }
  return current;
}

/** Returns whether no worker will end the transaction before `until`. */
function isPutBack(transaction: OpenTransaction, until: number): boolean {
  const isLate = Date.parse(transaction.dueAt) > until;
  if (transaction.type === 'transfer') return isLate;
  return transaction.waitingFor !== undefined || (transaction.claimId === undefined && isLate);
}
