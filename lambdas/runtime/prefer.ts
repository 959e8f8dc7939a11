import type { APIGatewayProxyEvent } from 'aws-lambda';
import type { Transaction } from '../domain/transaction.ts';
import { isAtRest } from '../domain/withdrawal.ts';
import type { Table } from '../store/table.ts';
import { getTransaction } from '../store/transactions.ts';
import { headerOf } from './request.ts';

/** What the client would like of an asynchronous command (RFC 7240); preferences that we do not know are ignored. */
export interface Preferences {
  /** Answer before the end, and let a worker do the rest. */
  readonly respondAsync: boolean;
  /** Wait this long for the end, in whole seconds, 0 to 20. */
  readonly waitSeconds: number;
}

/** The gateway gives up after 29 s; waiting ends early enough for the answer to be read and sent. */
const longestWaitSeconds = 20;
const pollMs = 250;

export function preferencesOf(event: APIGatewayProxyEvent): Preferences {
  const preferences = (headerOf(event, 'prefer') ?? '')
    .split(/[,;]/)
    .map((preference) => preference.trim().toLowerCase());
  const wait = preferences.map((preference) => /^wait="?(\d{1,6})"?$/.exec(preference)?.[1]).find(Boolean);
  return {
    respondAsync: preferences.includes('respond-async'),
    waitSeconds: Math.min(Number(wait ?? 0), longestWaitSeconds),
  };
}

/** The transaction as it is at its end, or after the time that the client is willing to wait. */
export async function waitForEnd(table: Table, transaction: Transaction, waitSeconds: number): Promise<Transaction> {
  const deadline = table.now() + waitSeconds * 1000;
  let current = transaction;
  while (!isAtRest(current)) {
    const left = deadline - table.now();
    if (left <= 0) break;
    await table.sleep(Math.min(pollMs, left));
    current = (await getTransaction(table, transaction.transactionId)) ?? current;
  }
  return current;
}
