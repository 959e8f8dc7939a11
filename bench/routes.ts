import type { APIGatewayProxyEvent, APIGatewayProxyResult, Context } from 'aws-lambda';
import { bankNotifications } from '../lambdas/api/bank-notifications.ts';
import { cancel } from '../lambdas/api/cancel.ts';
import { capture } from '../lambdas/api/capture.ts';
import { charge } from '../lambdas/api/charge.ts';
import { createBatch } from '../lambdas/api/create-batch.ts';
import { close } from '../lambdas/api/close.ts';
import { createWallet } from '../lambdas/api/create-wallet.ts';
import { freeze } from '../lambdas/api/freeze.ts';
import { getBalance } from '../lambdas/api/get-balance.ts';
import { getReceipt, getTransaction } from '../lambdas/api/get-transaction.ts';
import { getWallet } from '../lambdas/api/get-wallet.ts';
import { health } from '../lambdas/api/health.ts';
import { listTransactions } from '../lambdas/api/list-transactions.ts';
import { listWallets } from '../lambdas/api/list-wallets.ts';
import { openHold } from '../lambdas/api/open-hold.ts';
import { refund } from '../lambdas/api/refund.ts';
import { release } from '../lambdas/api/release.ts';
import { resolve } from '../lambdas/api/resolve.ts';
import { setLimits } from '../lambdas/api/set-limits.ts';
import { split } from '../lambdas/api/split.ts';
import { transfer } from '../lambdas/api/transfer.ts';
import { unfreeze } from '../lambdas/api/unfreeze.ts';
import { withdraw } from '../lambdas/api/withdraw.ts';
import type { BankClient } from '../lambdas/bank/client.ts';
import type { SubmitOutcome } from '../lambdas/bank/answers.ts';
import type { WorkMessage } from '../lambdas/contract.ts';
import { serve } from '../lambdas/http/http.ts';
import { openLimits } from '../lambdas/http/limits.ts';
import type { Table } from '../lambdas/store/table.ts';
import { advanceBatch } from '../lambdas/workers/batches.ts';
import { sweep } from '../lambdas/workers/sweeper.ts';
import { endTransfers } from '../lambdas/workers/transfers.ts';
import { advanceWithdrawal } from '../lambdas/workers/withdrawals.ts';

export type Handler = (event: APIGatewayProxyEvent, context: Context) => Promise<APIGatewayProxyResult>;

/** The bank's key for its notifications. */
export const bankKey = 'key of the bank';
const bankId = 'bank.example.com/v1';

type OnSend = (message: WorkMessage) => void;

/**
 * Returns the routes and workers on this table, without queues and bank.
 *
 * @param onSend gets the messages instead of a queue
 */
export function openRoutes(table: Table, onSend: OnSend = () => undefined) {
  return { ...handlersOn(table, onSend), workers: workersOn(table, onSend) };
}

function handlersOn(table: Table, onSend: OnSend) {
  const send = (message: WorkMessage) => {
    onSend(message);
    return Promise.resolve();
  };
  const limits = openLimits({ readsPerHour: 1_000_000, refusalsPerHour: 1_000_000, perHour: 1_000_000 });
  const limited = { table, limits };
  const ending = { table, limits: openLimits({ cancellationsPerHour: 1_000_000 }) };
  const queued = { ...limited, queue: { send }, isOverloaded: () => Promise.resolve(false) };
  return {
    createWallet: serve(createWallet, limited),
    listWallets: serve(listWallets, limited),
    getWallet: serve(getWallet, limited),
    getBalance: serve(getBalance, { ...limited, entries: table }),
    charge: serve(charge, { table }),
    withdraw: serve(withdraw, queued),
    transfer: serve(transfer, queued),
    listTransactions: serve(listTransactions, limited),
    getTransaction: serve(getTransaction, limited),
    getReceipt: serve(getReceipt, limited),
    freeze: serve(freeze, { table }),
    unfreeze: serve(unfreeze, { table }),
    close: serve(close, { table }),
    setLimits: serve(setLimits, { table, tiers: {} }),
    resolve: serve(resolve, { table }),
    cancel: serve(cancel, ending),
    openHold: serve(openHold, limited),
    capture: serve(capture, limited),
    release: serve(release, ending),
    refund: serve(refund, limited),
    split: serve(split, limited),
    createBatch: serve(createBatch, { table, queue: { send } }),
    bankNotifications: serve(bankNotifications, { table, keys: () => Promise.resolve([bankKey]), bankId }),
    health: serve(health, {
      table,
      verify: () => Promise.resolve(undefined),
      depths: { withdrawals: empty, withdrawalsDead: empty, transfers: empty, transfersDead: empty },
    }),
  };
}

function workersOn(table: Table, onSend: OnSend) {
  const swept = {
    depth: empty,
    send: (messages: readonly WorkMessage[]) => {
      for (const message of messages) onSend(message);
      return Promise.resolve([]);
    },
  };
  const resend = () => Promise.reject(new Error('a small batch ends in one run'));
  return {
    /** Visits a bank that has nothing and answers a submit with `outcome`. */
    withdrawal(transactionId: string, outcome: SubmitOutcome, maxAttempts = 10) {
      const bank: BankClient = {
        submit: () => Promise.resolve(outcome),
        find: () => Promise.resolve({ outcome: 'not_found' }),
        statement: () => Promise.reject(new Error('the worker reads no statement')),
        isDown: () => false,
      };
      const policy = { maxAttempts, notFoundWindowMs: 2_000 };
      return advanceWithdrawal(transactionId, { table, bank, bankId, policy });
    },
    /** Ends queued transfers, as `laterMs` from now. */
    transfers: (transactionIds: readonly string[], laterMs = 0) =>
      endTransfers(transactionIds, { ...table, now: () => Date.now() + laterMs }),
    /** Makes the payments of a batch that this command has made. */
    batch: (transactionId: string) => {
      const queue = { sendAll: swept.send, depth: empty };
      const queues = { transfer: queue, withdrawal: queue };
      return advanceBatch(transactionId, { table, queues, again: { send: resend }, mostWaiting: 1_000 });
    },
    /** Runs the sweeper as it would run `laterMs` from now. */
    sweep: (laterMs: number) =>
      sweep({ table: { ...table, now: () => Date.now() + laterMs }, withdrawals: swept, transfers: swept }),
  };
}

/** Returns the depth of an empty queue. */
const empty = () => Promise.resolve(0);
