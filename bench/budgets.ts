/** The budgets of all routes and workers: round trips and units of DynamoDB. */
import { sign } from '../lambdas/bank/signature.ts';
import { request } from './requests.ts';
import type { BenchRequest } from './requests.ts';
import { bankKey } from './routes.ts';
import type { Service } from './service.ts';
import { figure, table as tableOf, verdict } from './report.ts';
import {
  measureCharge,
  measureWithdrawals,
  measureTransfers,
  measureHolds,
  measureRefunds,
  measureSplits,
  measureSchedules,
  measureBatches,
  measureLimits,
} from './command-budgets.ts';
import { endUser, money, openBench, supervisor } from './steps.ts';
import type { Bench, Step, Wallets } from './steps.ts';

/**
 * Runs each route and worker once and measures its use of DynamoDB, with the indexes. The figures do not depend on the
 * machine.
 */
export async function measureBudgets(service: Service): Promise<Step[]> {
  const bench = openBench(service);
  await bench.step('create wallet', undefined, () => bench.open());
  await bench.step('create wallet, end user', undefined, () => bench.open(endUser));
  const wallets: Wallets = {
    wallet: await bench.open(),
    other: await bench.open(),
    mine: await bench.open(endUser),
    shop: await bench.open(),
  };
  await measureCharge(bench, wallets);
  await measureWithdrawals(bench, wallets);
  await measureTransfers(bench, wallets);
  await measureHolds(bench, wallets);
  await measureRefunds(bench, wallets);
  await measureSplits(bench, wallets);
  await measureSchedules(bench, wallets);
  await measureBatches(bench, wallets);
  await measureLimits(bench);
  await measureReads(bench, wallets);
  await measureStatus(bench);
  await measureDecisions(bench, wallets);
  await measureBankNotifications(bench, wallets);
  await bench.step('health', undefined, () => bench.get(bench.routes.health, '/health', ''));
  const { sweep } = bench.routes.workers;
  await bench.step('sweeper, nothing due', undefined, () => sweep(0));
  await bench.step('sweeper, all that is open', undefined, () => sweep(120_000));
  return bench.steps;
}

async function measureReads({ step, charge, get, routes }: Bench, { wallet }: Wallets): Promise<void> {
  const replayed = { key: 'replayed', body: money(100) };
  const { receiptCode = '', transactionId = '' } = await charge(wallet, replayed);
  await step('charge, replayed', { roundTrips: 1 }, () => charge(wallet, replayed));
  const balance = '/wallets/{walletId}/balance';
  await step('balance', { roundTrips: 1, readUnits: 0.5 }, () => get(routes.getBalance, balance, wallet));
  await step('balance, consistent', { roundTrips: 1, readUnits: 1 }, () =>
    get(routes.getBalance, balance, wallet, { consistent: 'true' }),
  );
  await step('wallet', undefined, () => get(routes.getWallet, '/wallets/{walletId}', wallet));
  await step('wallets of a caller', undefined, () => get(routes.listWallets, '/wallets', ''));
  await step('history page of 20', { roundTrips: 1, readUnits: 5 }, () =>
    get(routes.listTransactions, '/wallets/{walletId}/transactions', wallet),
  );
  await step('transaction', undefined, () =>
    get(routes.getTransaction, '/transactions/{transactionId}', transactionId),
  );
  await step('receipt', undefined, () => get(routes.getReceipt, '/receipts/{receiptCode}', receiptCode));
}

async function measureStatus({ step, post, open, routes }: Bench): Promise<void> {
  const empty = await open();
  await step('freeze', undefined, () => post(routes.freeze, '/wallets/{walletId}/freeze', empty, 200));
  await step('unfreeze', undefined, () =>
    post(routes.unfreeze, '/wallets/{walletId}/unfreeze', empty, 200, { caller: supervisor }),
  );
  await step('close', undefined, () => post(routes.close, '/wallets/{walletId}/close', empty, 200));
}

async function measureDecisions({ step, post, withdraw, routes }: Bench, { wallet, mine }: Wallets): Promise<void> {
  const [unwanted, waiting] = [await withdraw(wallet), await withdraw(mine)];
  await step('cancel', undefined, () => post(routes.cancel, '/transactions/{transactionId}/cancel', unwanted, 200));
  await post(routes.freeze, '/wallets/{walletId}/freeze', mine, 200);
  await step('withdrawal worker, wallet frozen', { roundTrips: 3, writeUnits: 12, readUnits: 1 }, () =>
    routes.workers.withdrawal(waiting, { outcome: 'accepted' }),
  );
  await post(routes.unfreeze, '/wallets/{walletId}/unfreeze', mine, 200);

  const inReview = await withdraw(wallet);
  await routes.workers.withdrawal(inReview, { outcome: 'unknown', reason: 'time-out' }, 1);
  await step('resolve', undefined, () =>
    post(routes.resolve, '/transactions/{transactionId}/resolve', inReview, 200, {
      caller: supervisor,
      body: { outcome: 'completed', evidence: 'Statement of 2026-11-01, line 12' },
    }),
  );
}

async function measureBankNotifications({ step, call, withdraw, routes }: Bench, { wallet }: Wallets): Promise<void> {
  for (const status of ['paid', 'returned'] as const) {
    const reference = await withdraw(wallet);
    await step(`bank notification, ${status}`, undefined, () =>
      call(routes.bankNotifications, notification({ reference, status, amount: 100, currency: 'EUR' }), 200),
    );
  }
}

function notification(body: object): BenchRequest {
  const path = '/bank/notifications';
  const headers = sign({ method: 'POST', path, body: JSON.stringify(body) }, bankKey, Math.floor(Date.now() / 1000));
  return request('POST', path, {}, { body, headers });
}

/** Returns the steps as a table. */
export function budgetTable(steps: readonly Step[]): string {
  const against = (used: number, most: number | undefined) =>
    most === undefined ? figure(used) : `${figure(used)} / ${figure(most)}`;
  return tableOf(
    ['step (used / budget)', 'round trips', 'calls', 'queue', 'write units', 'read units', ''],
    steps.map(({ step, budget, within, ...used }) => [
      step,
      against(used.roundTrips, budget?.roundTrips),
      figure(used.calls),
      figure(used.sends),
      against(used.writeUnits, budget?.writeUnits),
      against(used.readUnits, budget?.readUnits),
      budget === undefined ? '' : verdict(within),
    ]),
  );
}
