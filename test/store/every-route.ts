/** Every route, as its function serves it. */
import { approve } from '../../lambdas/api/approve.ts';
import { bankNotifications } from '../../lambdas/api/bank-notifications.ts';
import { cancel } from '../../lambdas/api/cancel.ts';
import { capture } from '../../lambdas/api/capture.ts';
import { changeWallet } from '../../lambdas/api/change-wallet.ts';
import { charge } from '../../lambdas/api/charge.ts';
import { createBatch } from '../../lambdas/api/create-batch.ts';
import { getBatch } from '../../lambdas/api/get-batch.ts';
import { listBatchItems } from '../../lambdas/api/list-batch-items.ts';
import { close } from '../../lambdas/api/close.ts';
import { createWallet } from '../../lambdas/api/create-wallet.ts';
import { findTransactions } from '../../lambdas/api/find-transactions.ts';
import { freeze } from '../../lambdas/api/freeze.ts';
import { getApproval } from '../../lambdas/api/get-approval.ts';
import { getBalance } from '../../lambdas/api/get-balance.ts';
import { getNotificationPreferences } from '../../lambdas/api/get-notification-preferences.ts';
import { getReceipt, getTransaction } from '../../lambdas/api/get-transaction.ts';
import { getWallet } from '../../lambdas/api/get-wallet.ts';
import { health } from '../../lambdas/api/health.ts';
import { integrity } from '../../lambdas/api/integrity.ts';
import { listApprovals } from '../../lambdas/api/list-approvals.ts';
import { listEntries } from '../../lambdas/api/list-entries.ts';
import { listTransactions } from '../../lambdas/api/list-transactions.ts';
import { listWallets } from '../../lambdas/api/list-wallets.ts';
import { putNotificationPreferences } from '../../lambdas/api/put-notification-preferences.ts';
import { openHold } from '../../lambdas/api/open-hold.ts';
import { refund } from '../../lambdas/api/refund.ts';
import { reject } from '../../lambdas/api/reject.ts';
import { release } from '../../lambdas/api/release.ts';
import { resolve } from '../../lambdas/api/resolve.ts';
import { setLimits } from '../../lambdas/api/set-limits.ts';
import { split } from '../../lambdas/api/split.ts';
import {
  cancelStandingOrder,
  getStandingOrder,
  listStandingOrders,
  openStandingOrder,
} from '../../lambdas/api/standing-orders.ts';
import { getTotals } from '../../lambdas/api/get-totals.ts';
import { getStatement } from '../../lambdas/api/statements.ts';
import { transfer } from '../../lambdas/api/transfer.ts';
import { unfreeze } from '../../lambdas/api/unfreeze.ts';
import { withdraw } from '../../lambdas/api/withdraw.ts';
import type { RouteName } from '../../lambdas/contract.ts';
import { serve } from '../../lambdas/http/http.ts';
import { openLimits } from '../../lambdas/http/limits.ts';
import { issuer } from '../request.ts';
import type { Handler } from '../request.ts';
import { bankId } from './visits.ts';
import type { Table } from '../../lambdas/store/table.ts';

export type Routes = ReturnType<typeof openRoutes>;

/** All that can need a second operator, except small charges. */
export const fourEyes = {
  charge: { above: 1_000_000 },
  refund: { above: 1_000_000 },
  resolve: true,
  unfreeze: true,
  limits: true,
  expiresAfterMs: 3_600_000,
} as const;
const tiers = { basic: { out: { perDay: 1_000_000 } } };
const noDepth = () => Promise.resolve(0);

/** Returns every route, with limits so low that its function also does what it does at a limit. */
export function openRoutes(table: Table, entries: Table, bankKey: string) {
  // So few reads that each one fills a lot and is reported.
  const limits = openLimits({ readsPerHour: 40, refusalsPerHour: 40, perHour: 1_000 });
  const limited = { table, limits };
  const queued = {
    ...limited,
    queue: { send: () => Promise.resolve() },
    isOverloaded: () => Promise.resolve(false),
  };
  return {
    'create-wallet': serve(createWallet, limited),
    'change-wallet': serve(changeWallet, limited),
    'list-wallets': serve(listWallets, limited),
    'get-wallet': serve(getWallet, limited),
    'get-balance': serve(getBalance, { ...limited, entries }),
    'list-entries': serve(listEntries, { ...limited, entries }),
    'get-statement': serve(getStatement, { ...limited, entries }),
    'get-totals': serve(getTotals, { ...limited, entries }),
    charge: serve(charge, { table, fourEyes }),
    withdraw: serve(withdraw, queued),
    transfer: serve(transfer, queued),
    'list-transactions': serve(listTransactions, limited),
    'find-transactions': serve(findTransactions, limited),
    'get-transaction': serve(getTransaction, limited),
    'get-receipt': serve(getReceipt, limited),
    'get-notification-preferences': serve(getNotificationPreferences, limited),
    'put-notification-preferences': serve(putNotificationPreferences, limited),
    freeze: serve(freeze, { table }),
    unfreeze: serve(unfreeze, { table, fourEyes }),
    close: serve(close, { table }),
    'set-limits': serve(setLimits, { table, tiers, fourEyes }),
    // So few cancels that the repetition is looked up by its key.
    cancel: serve(cancel, { table, limits: openLimits({ cancellationsPerHour: 1 }) }),
    'open-hold': serve(openHold, limited),
    capture: serve(capture, limited),
    release: serve(release, { table, limits: openLimits({ cancellationsPerHour: 1 }) }),
    refund: serve(refund, { ...limited, fourEyes }),
    split: serve(split, limited),
    'open-standing-order': serve(openStandingOrder, limited),
    'list-standing-orders': serve(listStandingOrders, limited),
    'get-standing-order': serve(getStandingOrder, limited),
    'cancel-standing-order': serve(cancelStandingOrder, { table, limits: openLimits({ cancellationsPerHour: 1 }) }),
    resolve: serve(resolve, { table, fourEyes }),
    approve: serve(approve, { table, tiers }),
    reject: serve(reject, { table }),
    'get-approval': serve(getApproval, { table }),
    'list-approvals': serve(listApprovals, { table }),
    'create-batch': serve(createBatch, { table, queue: { send: () => Promise.resolve() } }),
    'get-batch': serve(getBatch, { table }),
    'list-batch-items': serve(listBatchItems, { table }),
    'bank-notifications': serve(bankNotifications, { table, keys: () => Promise.resolve([bankKey]), bankId }),
    integrity: serve(integrity, { table: entries }),
    health: serve(health, {
      table,
      verify: () => Promise.resolve({ principal: 'operator-1', scopes: 'operate', issuer }),
      depths: { withdrawals: noDepth, withdrawalsDead: noDepth, transfers: noDepth, transfersDead: noDepth },
    }),
  } satisfies Partial<Record<RouteName, Handler>>;
}
