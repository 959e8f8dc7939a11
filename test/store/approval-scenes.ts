/** Commands that two operators make, through the routes of all of them. */
import assert from 'node:assert/strict';
import { beforeAll } from '@jest/globals';
import { approve } from '../../lambdas/api/approve.ts';
import { charge } from '../../lambdas/api/charge.ts';
import { getApproval } from '../../lambdas/api/get-approval.ts';
import { listApprovals } from '../../lambdas/api/list-approvals.ts';
import { refund } from '../../lambdas/api/refund.ts';
import { reject } from '../../lambdas/api/reject.ts';
import { resolve } from '../../lambdas/api/resolve.ts';
import { setLimits } from '../../lambdas/api/set-limits.ts';
import { unfreeze } from '../../lambdas/api/unfreeze.ts';
import type { Fees, RouteName as AnyRoute } from '../../lambdas/contract.ts';
import type { Tiers } from '../../lambdas/domain/tiers.ts';
import { serve } from '../../lambdas/http/http.ts';
import { openLimits } from '../../lambdas/http/limits.ts';
import { reviewWithdrawal } from '../../lambdas/store/withdrawal-claims.ts';
import type { Call } from '../engine.ts';
import { useTable } from '../fixture.ts';
import { codeOf, issuer, send } from '../request.ts';
import type { CallerContext, Handler, Response } from '../request.ts';
import { newKey, withdraw } from './commands.ts';
import { allItems } from './inspect.ts';
import { claimed, visit } from './visits.ts';
import { balanceOf, fundedWallet } from './wallets.ts';

export const hourMs = 3_600_000;
export const as = (principal: string, scopes = 'charge decide support'): CallerContext => ({
  principal,
  scopes,
  issuer,
});
export const [olga, omar, oda] = [as('olga'), as('omar'), as('oda')];

type RouteName = Extract<
  AnyRoute,
  'charge' | 'refund' | 'resolve' | 'unfreeze' | 'set-limits' | 'approve' | 'reject' | 'get-approval' | 'list-approvals'
>;
export const fourEyes = {
  charge: { above: 100, byCurrency: { JPY: 5_000 } },
  refund: { above: 100, byCurrency: { JPY: 5_000 } },
  resolve: true,
  unfreeze: true,
  limits: true,
  expiresAfterMs: hourMs,
} as const;
export const tiers: Tiers = { basic: { out: { perDay: 500 } }, large: { creditLine: 5_000 } };
const operatorLimits = { charge: 1_000_000, refund: 1_000_000 };

export interface Wanted {
  readonly as?: CallerContext;
  readonly key?: string;
  readonly body?: object;
}

export const stateOf = ({ status, body }: Response) => [status, body?.['status']];
export const isReplay = ({ headers }: Response) => headers['Idempotency-Replayed'] === 'true';
export const namesOf = ({ calls }: { readonly calls: readonly Call[] }) => calls.map(({ operation }) => operation);

/** Asks for an approval. Returns the ids of the approval and of the record that its command gets. */
export async function asked(work: Promise<Response>): Promise<{ approvalId: string; transactionId: string }> {
  const { status, body } = await work;
  assert.deepEqual([status, body?.['status']], [202, 'asked'], JSON.stringify(body));
  return { approvalId: String(body?.['approvalId']), transactionId: String(body?.['transactionId']) };
}

/** Opens a table with a wallet of ann, and the routes of two operators. */
export function useApprovals() {
  const table = useTable();
  const fees: { now: Fees } = { now: {} };
  let handlers: Record<RouteName, Handler>;
  let walletId: string;
  beforeAll(async () => {
    const limits = openLimits({ readsPerHour: 1_000, refusalsPerHour: 1_000, perHour: 1_000 });
    const withFees = <T extends object>(services: T) => ({
      ...services,
      get fees() {
        return fees.now;
      },
    });
    handlers = {
      charge: serve(charge, withFees({ table, fourEyes, operatorLimits })),
      refund: serve(refund, { table, fourEyes, operatorLimits, limits }),
      resolve: serve(resolve, { table, fourEyes }),
      unfreeze: serve(unfreeze, { table, fourEyes }),
      'set-limits': serve(setLimits, { table, fourEyes, tiers }),
      approve: serve(approve, withFees({ table, operatorLimits, tiers })),
      reject: serve(reject, { table }),
      'get-approval': serve(getApproval, { table }),
      'list-approvals': serve(listApprovals, { table }),
    };
    walletId = await fundedWallet(table, 'ann', 100);
  });
  const ask = (name: RouteName, path: Readonly<Record<string, string>>, wanted: Wanted) => {
    const { as: caller = olga, key = newKey(), body = {} } = wanted;
    return send(name, handlers[name], { as: caller, key, path, body });
  };
  return {
    table,
    /** Sets the fees of charges, as a later deployment does. */
    setFees: (charges: Fees['charge']) => {
      fees.now = charges === undefined ? {} : { charge: charges };
    },
    annsWallet: () => walletId,
    ask,
    chargeOf: (amount: number, { body, ...more }: Wanted = {}, to = walletId) =>
      ask('charge', { walletId: to }, { ...more, body: { amount, ...body } }),
    decide: (name: 'approve' | 'reject', approvalId: string, wanted: Wanted = {}) =>
      ask(name, { approvalId }, { as: omar, ...(name === 'reject' && { body: { reason: 'not ours' } }), ...wanted }),
    read: (approvalId: string, caller = omar) =>
      send('get-approval', handlers['get-approval'], { as: caller, path: { approvalId } }),
    list: (query: Readonly<Record<string, string>> = {}, caller = omar) =>
      send('list-approvals', handlers['list-approvals'], { as: caller, query }),
    available: async (of = walletId) => Number((await balanceOf(table, of)).available),

    /** Asserts that the request is refused with this status and code, and that nothing is stored. */
    assertRefused: async (expected: readonly [number, string], work: () => Promise<Response>): Promise<Response> => {
      const before = await allItems(table);
      const answer = await work();
      assert.deepEqual(codeOf(answer), expected);
      assert.deepEqual(await allItems(table), before);
      return answer;
    },

    /** Brings a withdrawal of ann into review. */
    inReview: async (): Promise<{ owned: string; transactionId: string }> => {
      const owned = await fundedWallet(table, 'ann', 100);
      const { transactionId } = (await withdraw(table, owned, { owner: 'ann', amount: 30 })).transaction;
      await reviewWithdrawal(table, await claimed(table, transactionId), visit(table, 'unknown'));
      return { owned, transactionId };
    },
  };
}
