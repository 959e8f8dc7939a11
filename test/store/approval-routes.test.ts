/** Commands that two operators make together: who may do what, and what is written; on the real engine. */
import assert from 'node:assert/strict';
import { beforeAll, describe, it } from '@jest/globals';
import { approve } from '../../lambdas/api/approve.ts';
import { charge } from '../../lambdas/api/charge.ts';
import { getApproval } from '../../lambdas/api/get-approval.ts';
import { listApprovals } from '../../lambdas/api/list-approvals.ts';
import { reject } from '../../lambdas/api/reject.ts';
import { resolve } from '../../lambdas/api/resolve.ts';
import { unfreeze } from '../../lambdas/api/unfreeze.ts';
import type { FunctionName } from '../../lambdas/contract.ts';
import { serve } from '../../lambdas/http/http.ts';
import { approvalKey, transactionKey } from '../../lambdas/store/keys.ts';
import { getTransaction } from '../../lambdas/store/transactions.ts';
import { getWallet } from '../../lambdas/store/wallets.ts';
import { reviewWithdrawal } from '../../lambdas/store/withdrawals.ts';
import { DeleteItemCommand } from '@aws-sdk/client-dynamodb';
import { toItem } from '../../lambdas/store/write.ts';
import { measure } from '../engine.ts';
import type { Call } from '../engine.ts';
import { inTurn, lostAnswer, twice } from '../faults.ts';
import { useTable } from '../fixture.ts';
import { issuer, send } from '../request.ts';
import type { CallerContext, Handler, Response } from '../request.ts';
import { checkUnits } from '../units.ts';
import { newKey, timeOf, withdraw } from './commands.ts';
import { allItems, changeItem, itemOf, plant, withdrawalOf } from './inspect.ts';
import { claimed, visit } from './visits.ts';
import { balanceOf, fundedWallet, openWallet, setStatus } from './wallets.ts';

const table = useTable();
const hourMs = 3_600_000;
const as = (principal: string, scopes = 'charge decide support'): CallerContext => ({ principal, scopes, issuer });
const [olga, omar, oda] = [as('olga'), as('omar'), as('oda')];

type RouteName = Extract<
  FunctionName,
  'charge' | 'resolve' | 'unfreeze' | 'approve' | 'reject' | 'get-approval' | 'list-approvals'
>;
const fourEyes = {
  charge: { above: 100, byCurrency: { JPY: 5_000 } },
  resolve: true,
  unfreeze: true,
  expiresAfterMs: hourMs,
} as const;

let handlers: Record<RouteName, Handler>;
let walletId: string;
beforeAll(async () => {
  handlers = {
    charge: serve(charge, { table, fourEyes, operatorLimits: { charge: 1_000_000 } }),
    resolve: serve(resolve, { table, fourEyes }),
    unfreeze: serve(unfreeze, { table, fourEyes }),
    approve: serve(approve, { table, operatorLimits: { charge: 1_000_000 } }),
    reject: serve(reject, { table }),
    'get-approval': serve(getApproval, { table }),
    'list-approvals': serve(listApprovals, { table }),
  };
  walletId = await fundedWallet(table, 'ann', 100);
});

interface Wanted {
  readonly as?: CallerContext;
  readonly key?: string;
  readonly body?: object;
}

function ask(name: RouteName, path: Readonly<Record<string, string>>, { as: caller = olga, key, body = {} }: Wanted) {
  return send(name, handlers[name], { as: caller, key: key ?? newKey(), path, body });
}

const chargeOf = (amount: number, { body, ...more }: Wanted = {}, to = walletId) =>
  ask('charge', { walletId: to }, { ...more, body: { amount, ...body } });
const decide = (name: 'approve' | 'reject', approvalId: string, wanted: Wanted = {}) =>
  ask(name, { approvalId }, { as: omar, ...(name === 'reject' && { body: { reason: 'not ours' } }), ...wanted });
const read = (approvalId: string, caller = omar) =>
  send('get-approval', handlers['get-approval'], { as: caller, path: { approvalId } });
const list = (query: Readonly<Record<string, string>> = {}, caller = omar) =>
  send('list-approvals', handlers['list-approvals'], { as: caller, query });

const codeOf = ({ status, body }: Response) => [status, body?.['code']];
const stateOf = ({ status, body }: Response) => [status, body?.['status']];
const isReplay = ({ headers }: Response) => headers['Idempotency-Replayed'] === 'true';
const available = async (of = walletId) => Number((await balanceOf(table, of)).available);

const namesOf = ({ calls }: { readonly calls: readonly Call[] }) => calls.map(({ operation }) => operation);

/** Asks for an approval. Returns the ids of the approval and of the record that its command gets. */
async function asked(work: Promise<Response>): Promise<{ approvalId: string; transactionId: string }> {
  const { status, body } = await work;
  assert.deepEqual([status, body?.['status']], [202, 'asked'], JSON.stringify(body));
  return { approvalId: String(body?.['approvalId']), transactionId: String(body?.['transactionId']) };
}

/** Asserts that the request is refused with this status and code, and that nothing is stored. */
async function assertRefused(expected: readonly [number, string], work: () => Promise<Response>): Promise<Response> {
  const before = await allItems(table);
  const answer = await work();
  assert.deepEqual(codeOf(answer), expected);
  assert.deepEqual(await allItems(table), before);
  return answer;
}

async function inReview(): Promise<{ owned: string; transactionId: string }> {
  const owned = await fundedWallet(table, 'ann', 100);
  const { transactionId } = (await withdraw(table, owned, { owner: 'ann', amount: 30 })).transaction;
  await reviewWithdrawal(table, await claimed(table, transactionId), visit(table, 'unknown'));
  return { owned, transactionId };
}

describe('asking', () => {
  it('moves nothing, and answers 202 with the approval and its location', async () => {
    const before = await available();
    const { status, headers, body } = await chargeOf(101, { body: { description: 'Refund of order 7' } });
    const approvalId = String(body?.['approvalId']);
    assert.deepEqual([status, headers['Location']], [202, `/prod/approvals/${approvalId}`]);
    const { command, amount, currency, walletIds, expiresAt } = body ?? {};
    assert.deepEqual([command, amount, currency, walletIds], ['charge', 101, 'EUR', [walletId]]);
    assert.equal(expiresAt, timeOf(table, hourMs));
    assert.equal(await available(), before);
    assert.deepEqual((await read(approvalId)).body, body);
  });

  it('is for charges above the amount of their currency, and all others are booked at once', async () => {
    const yen = await openWallet(table, 'ann', 'JPY');
    assert.deepEqual(stateOf(await chargeOf(100)), [201, 'completed']);
    assert.deepEqual(stateOf(await chargeOf(5_000, {}, yen)), [201, 'completed']);
    await asked(chargeOf(101));
    await asked(chargeOf(5_001, {}, yen));
  });

  it('is answered again to the same request, and refuses another one with its key', async () => {
    const key = newKey();
    const { approvalId } = await asked(chargeOf(200, { key }));
    const again = await chargeOf(200, { key });
    assert.deepEqual([stateOf(again), isReplay(again)], [[202, 'asked'], true]);
    assert.equal(again.body?.['approvalId'], approvalId);
    await assertRefused([422, 'idempotency_key_reused'], () => chargeOf(201, { key }));
    await assertRefused([422, 'idempotency_key_reused'], () => ask('unfreeze', { walletId }, { key }));
    const small = await assertRefused([422, 'idempotency_key_reused'], () => chargeOf(1, { key }));
    assert.match(String(small.body?.['detail']), /asked for a command that needs a second operator/);
    const used = newKey();
    await chargeOf(1, { key: used });
    await assertRefused([422, 'idempotency_key_reused'], () => chargeOf(200, { key: used }));
  });

  it('refuses what would be refused anyway: an amount over the limit, an own wallet or withdrawal, and none in review', async () => {
    await assertRefused([403, 'operator_limit_exceeded'], () => chargeOf(1_000_001));
    await assertRefused([404, 'wallet_not_found'], () => ask('unfreeze', { walletId: `w_eur_${'a'.repeat(26)}` }, {}));
    const own = await openWallet(table, 'olga');
    await assertRefused([403, 'forbidden'], () => ask('unfreeze', { walletId: own }, {}));
    const body = { outcome: 'completed', evidence: 'line 7' };
    const { transactionId } = await inReview();
    await assertRefused([403, 'forbidden'], () => ask('resolve', { transactionId }, { as: as('ann'), body }));
    const pending = (await withdraw(table, walletId, { owner: 'ann', amount: 1 })).transaction;
    await assertRefused([409, 'not_in_review'], () =>
      ask('resolve', { transactionId: pending.transactionId }, { body }),
    );
  });

  it('is judged again by the limits of operators when it is approved', async () => {
    const { approvalId } = await asked(chargeOf(600));
    const stricter = serve(approve, { table, operatorLimits: { charge: 500 } });
    const request = { as: omar, key: newKey(), path: { approvalId }, body: {} };
    const { calls } = await measure(table, async () => {
      await assertRefused([403, 'operator_limit_exceeded'], () => send('approve', stricter, request));
    });
    // DynamoDB refuses values that no expression uses. The local engine does not.
    for (const { input } of calls) {
      for (const { Put } of (input['TransactItems'] ?? []) as readonly {
        readonly Put?: Readonly<Record<string, unknown>>;
      }[]) {
        const values = Object.keys(Put?.['ExpressionAttributeValues'] ?? {});
        assert.deepEqual(
          values.filter((name) => !String(Put?.['ConditionExpression']).includes(name)),
          [],
        );
      }
    }
    assert.deepEqual(stateOf(await read(approvalId)), [200, 'asked']);
    assert.deepEqual(stateOf(await decide('approve', approvalId)), [200, 'approved']);
  });

  it('survives a lost answer and a second delivery', async () => {
    for (const fault of [lostAnswer, twice]) {
      const before = (await allItems(table)).length;
      table.fault = inTurn(fault);
      await asked(chargeOf(300)).finally(() => (table.fault = undefined));
      assert.equal((await allItems(table)).length, before + 2);
    }
  });

  it('takes one write: 5 write units with the index, and a charge without it what it took before', async () => {
    const guarded = await measure(table, () => chargeOf(300));
    assert.deepEqual(namesOf(guarded), ['TransactWriteItems']);
    const unguarded = await measure(table, () => chargeOf(100));
    assert.deepEqual(namesOf(unguarded), ['TransactWriteItems']);
    checkUnits(() => {
      assert.deepEqual([guarded.writeUnits, unguarded.writeUnits], [5, 5]);
    });
  });
});

describe('approving', () => {
  it('executes a charge for its asker, names both operators, and ends the approval', async () => {
    const before = await available();
    const key = newKey();
    const { approvalId, transactionId } = await asked(chargeOf(250, { key, body: { metadata: { order: '7' } } }));
    const approved = await decide('approve', approvalId, { body: { reason: 'checked' } });
    assert.deepEqual(stateOf(approved), [200, 'approved']);
    assert.equal(await available(), before + 250);
    const booked = await getTransaction(table, transactionId);
    assert.ok(booked?.type === 'charge');
    assert.deepEqual([booked.principal, booked.approvedBy?.principal], ['olga', 'omar']);
    assert.deepEqual(booked.metadata, { order: '7' });
    const { body } = await read(approvalId);
    assert.deepEqual(body, approved.body);
    assert.deepEqual([body?.['reason'], (body?.['endedBy'] as { principal: string }).principal], ['checked', 'omar']);

    const again = await chargeOf(250, { key, body: { metadata: { order: '7' } } });
    assert.deepEqual([stateOf(again), isReplay(again)], [[201, 'completed'], true]);
    assert.equal(again.body?.['transactionId'], transactionId);
    assert.equal((again.body['approvedBy'] as { principal: string }).principal, 'omar');
  });

  it('resolves a withdrawal', async () => {
    const { owned, transactionId } = await inReview();
    const body = { outcome: 'failed', evidence: 'letter' };
    const { approvalId } = await asked(ask('resolve', { transactionId }, { body }));
    assert.equal((await withdrawalOf(table, transactionId)).status, 'review');
    assert.deepEqual(stateOf(await decide('approve', approvalId)), [200, 'approved']);
    const { status, resolution, endedBy } = await withdrawalOf(table, transactionId);
    assert.deepEqual([status, resolution?.principal, endedBy?.principal], ['failed', 'olga', 'olga']);
    assert.equal(resolution?.approvedBy?.principal, 'omar');
    assert.equal(await available(owned), 100);
  });

  it('unfreezes a wallet', async () => {
    const owned = await openWallet(table, 'ann');
    await setStatus(table, owned, 'frozen');
    const key = newKey();
    const { approvalId } = await asked(ask('unfreeze', { walletId: owned }, { key, body: { reason: 'cleared' } }));
    assert.equal((await getWallet(table, owned, { consistent: true }))?.status, 'frozen');
    await decide('approve', approvalId);
    const { status, lastStatusChange } = (await getWallet(table, owned, { consistent: true })) ?? {};
    assert.equal(status, 'active');
    const { actor, approvedBy, reason } = lastStatusChange ?? {};
    assert.deepEqual([actor?.principal, approvedBy?.principal, reason], ['olga', 'omar', 'cleared']);
    const again = await ask('unfreeze', { walletId: owned }, { key, body: { reason: 'cleared' } });
    assert.deepEqual([stateOf(again), isReplay(again)], [[200, 'active'], true]);
  });

  it('is for operators with the scope of the command, and not for its asker and the owners of its wallets', async () => {
    const { approvalId } = await asked(chargeOf(300));
    const by = (caller: CallerContext) => decide('approve', approvalId, { as: caller });
    const own = await assertRefused([403, 'forbidden'], () => by(olga));
    assert.match(String(own.body?.['detail']), /asked for this itself/);
    const owner = await assertRefused([403, 'forbidden'], () => by(as('ann')));
    assert.match(String(owner.body?.['detail']), /the wallet is its own/);
    for (const scopes of ['decide', 'support', 'read write']) {
      await assertRefused([403, 'forbidden'], () => by(as('omar', scopes)));
    }
    assert.deepEqual(stateOf(await by(as('omar', 'operate'))), [200, 'approved']);

    const { transactionId } = await inReview();
    const wanted = { body: { outcome: 'completed', evidence: 'line 7' } };
    const resolved = await asked(ask('resolve', { transactionId }, wanted));
    await assertRefused([403, 'forbidden'], () =>
      decide('approve', resolved.approvalId, { as: as('omar', 'charge support') }),
    );
    const requester = await assertRefused([403, 'forbidden'], () =>
      decide('approve', resolved.approvalId, { as: as('ann') }),
    );
    assert.match(String(requester.body?.['detail']), /asked for this withdrawal/);
    assert.deepEqual(stateOf(await decide('approve', resolved.approvalId, { as: as('omar', 'decide') })), [
      200,
      'approved',
    ]);
  });

  it('says that the asker may not do what it asked for', async () => {
    const owned = await fundedWallet(table, 'olga', 100);
    const { transactionId } = (await withdraw(table, owned, { amount: 30 })).transaction;
    await reviewWithdrawal(table, await claimed(table, transactionId), visit(table, 'unknown'));
    const body = { outcome: 'completed', evidence: 'line 7' };
    const { approvalId } = await asked(ask('resolve', { transactionId }, { body }));
    const answer = await assertRefused([403, 'forbidden'], () => decide('approve', approvalId));
    assert.match(String(answer.body?.['detail']), /^its asker may not do this: /);
  });

  it('unfreezes no wallet whose status changed after it was asked for', async () => {
    const owned = await openWallet(table, 'ann');
    await setStatus(table, owned, 'frozen');
    const { approvalId } = await asked(ask('unfreeze', { walletId: owned }, {}));
    const { approvalId: other } = await asked(ask('unfreeze', { walletId: owned }, {}));
    table.clock.now += 1;
    assert.deepEqual(stateOf(await decide('approve', approvalId)), [200, 'approved']);
    await setStatus(table, owned, 'frozen');
    const stale = await assertRefused([409, 'approval_expired'], () => decide('approve', other));
    assert.match(String(stale.body?.['detail']), /changed at .*, after this was asked for/);
    assert.deepEqual(stateOf(await decide('reject', other)), [200, 'rejected']);
  });

  it('executes exactly what was asked for, and nothing that a stored request became', async () => {
    for (const members of [
      { body: { amount: 999_999 } },
      { path: { walletId: await openWallet(table, 'olga') } },
      { amount: 3 },
    ]) {
      const { approvalId } = await asked(chargeOf(300));
      await changeItem(table, approvalKey(approvalId), members);
      await assertRefused([500, 'internal_error'], () => decide('approve', approvalId));
    }
  });

  it('answers the refusal of the command, and stays open', async () => {
    const owned = await openWallet(table, 'ann');
    await setStatus(table, owned, 'frozen');
    const key = newKey();
    const { approvalId } = await asked(chargeOf(300, {}, owned));
    await assertRefused([409, 'wallet_frozen'], () => decide('approve', approvalId, { key }));
    assert.deepEqual(stateOf(await read(approvalId)), [200, 'asked']);
    await setStatus(table, owned, 'active');
    assert.deepEqual(stateOf(await decide('approve', approvalId, { key })), [200, 'approved']);
    assert.equal(await available(owned), 300);
    const lost = await asked(chargeOf(300, {}, `w_eur_${'a'.repeat(26)}`));
    await assertRefused([404, 'wallet_not_found'], () => decide('approve', lost.approvalId));
  });

  it('is answered again to the same approver and key, and refused to all others', async () => {
    const { approvalId } = await asked(chargeOf(300));
    const key = newKey();
    const before = await available();
    const first = await decide('approve', approvalId, { key });
    table.clock.now += hourMs;
    const again = await decide('approve', approvalId, { key });
    assert.deepEqual([stateOf(again), isReplay(again), again.body], [[200, 'approved'], true, first.body]);
    assert.equal(await available(), before + 300);
    await assertRefused([422, 'idempotency_key_reused'], () =>
      decide('approve', approvalId, { key, body: { reason: 'another' } }),
    );
    await assertRefused([409, 'approval_ended'], () => decide('approve', approvalId));
    await assertRefused([409, 'approval_ended'], () => decide('approve', approvalId, { as: oda }));
    await assertRefused([409, 'approval_ended'], () => decide('reject', approvalId));
  });

  it('takes no key that was used before', async () => {
    const { approvalId } = await asked(chargeOf(300));
    const key = newKey();
    await chargeOf(1, { as: omar, key });
    await assertRefused([422, 'idempotency_key_reused'], () => decide('approve', approvalId, { key }));
    await assertRefused([422, 'idempotency_key_reused'], () => decide('reject', approvalId, { key }));
  });

  it('survives a lost answer and a second delivery of its write', async () => {
    for (const fault of [lostAnswer, twice]) {
      const { approvalId } = await asked(chargeOf(300));
      const before = await available();
      const first = inTurn(fault);
      table.fault = (call, perform) => (call.operation === 'TransactWriteItems' ? first(call, perform) : perform());
      const answer = await decide('approve', approvalId).finally(() => (table.fault = undefined));
      assert.deepEqual(stateOf(answer), [200, 'approved']);
      assert.equal(await available(), before + 300);
    }
  });

  it('has one end when many operators approve and reject it at once', async () => {
    for (let round = 0; round < 10; round++) {
      const { approvalId } = await asked(chargeOf(300));
      const before = await available();
      const answers = await Promise.all(
        Array.from({ length: 6 }, (_, n) =>
          decide(n % 3 === 2 ? 'reject' : 'approve', approvalId, { as: as(`decider-${String(n)}`) }),
        ),
      );
      const ends = answers.filter(({ status }) => status === 200);
      assert.equal(ends.length, 1);
      for (const answer of answers.filter((one) => !ends.includes(one))) {
        assert.deepEqual(codeOf(answer), [409, 'approval_ended']);
      }
      const { body } = await read(approvalId);
      assert.deepEqual(body, ends[0]?.body);
      assert.equal(await available(), before + (body?.['status'] === 'approved' ? 300 : 0));
    }
  });

  it('ends at the expiry, by the condition of the write', async () => {
    const { approvalId } = await asked(chargeOf(300));
    const expiresAt = table.now() + hourMs;
    const slow = await asked(chargeOf(300));
    table.clock.now = expiresAt - 1;
    // The time of the request counts, so a write that begins later is as good as one at once.
    assert.deepEqual(stateOf(await decide('approve', approvalId)), [200, 'approved']);
    table.clock.now = expiresAt;
    await assertRefused([409, 'approval_expired'], () => decide('approve', slow.approvalId));
    await assertRefused([409, 'approval_expired'], () => decide('reject', slow.approvalId));
    assert.deepEqual(stateOf(await read(slow.approvalId)), [200, 'expired']);
    // The check of a reader whose clock is behind passes; the condition has the time of this request.
    await plantOpen(slow.approvalId, timeOf(table, 1));
    assert.deepEqual(stateOf(await decide('approve', slow.approvalId)), [200, 'approved']);
  });

  it('takes its command, its approval and the approver in one write: 5 write units more than the charge', async () => {
    const { approvalId } = await asked(chargeOf(300));
    const measured = await measure(table, () => decide('approve', approvalId));
    assert.deepEqual(namesOf(measured), ['GetItem', 'BatchGetItem', 'TransactWriteItems']);
    checkUnits(() => {
      assert.equal(measured.writeUnits, 10);
    });
  });
});

/** Gives a stored approval another expiry. */
async function plantOpen(approvalId: string, expiresAt: string): Promise<void> {
  await changeItem(table, approvalKey(approvalId), { expiresAt, dueAt: expiresAt });
}

describe('rejecting', () => {
  it('ends the approval without its command, for other operators and for the asker', async () => {
    const before = await available();
    for (const caller of [omar, olga]) {
      const key = newKey();
      const askKey = newKey();
      const { approvalId } = await asked(chargeOf(300, { key: askKey }));
      const rejected = await decide('reject', approvalId, { as: caller, key });
      assert.deepEqual([stateOf(rejected), rejected.body?.['reason']], [[200, 'rejected'], 'not ours']);
      const again = await decide('reject', approvalId, { as: caller, key });
      assert.deepEqual([again.body, isReplay(again)], [rejected.body, true]);
      await assertRefused([409, 'approval_ended'], () => decide('approve', approvalId, { as: oda }));
      const repeated = await chargeOf(300, { key: askKey });
      assert.deepEqual([stateOf(repeated), isReplay(repeated)], [[202, 'rejected'], true]);
    }
    assert.equal(await available(), before);
  });

  it('needs a reason, the scope of the command, and a key of its own', async () => {
    const key = newKey();
    const { approvalId } = await asked(chargeOf(300, { key }));
    await assertRefused([400, 'invalid_request'], () => decide('reject', approvalId, { body: {} }));
    await assertRefused([403, 'forbidden'], () => decide('reject', approvalId, { as: as('omar', 'decide') }));
    await assertRefused([422, 'idempotency_key_reused'], () => decide('reject', approvalId, { as: olga, key }));
  });
});

describe('the approvals', () => {
  it('are shown to operators who read everything, and to those with the scope of the command', async () => {
    const { approvalId } = await asked(chargeOf(300));
    for (const scopes of ['charge', 'support', 'decide', 'operate']) {
      assert.equal((await read(approvalId, as('oda', scopes))).status, 200, scopes);
    }
    assert.deepEqual(codeOf(await read(approvalId, as('ann', 'read write'))), [403, 'forbidden']);
    const { approvalId: other } = await asked(ask('unfreeze', { walletId }, {}));
    assert.deepEqual(codeOf(await read(other, as('oda', 'charge'))), [403, 'forbidden']);
    assert.deepEqual(codeOf(await read(`ap_${'a'.repeat(26)}`)), [404, 'approval_not_found']);
    assert.deepEqual(codeOf(await read('tx_1')), [404, 'approval_not_found']);
    for (const name of ['approve', 'reject'] as const) {
      await assertRefused([404, 'approval_not_found'], () => decide(name, `ap_${'a'.repeat(26)}`));
    }
  });

  it('are listed by their expiry, in pages, while they are open; and apart when they have expired', async () => {
    table.clock.now += 10 * hourMs;
    const ids: string[] = [];
    for (let n = 0; n < 5; n++) {
      ids.push((await asked(chargeOf(300 + n))).approvalId);
      table.clock.now += 1_000;
    }
    const idsOf = ({ body }: Response) =>
      (body?.['items'] as { approvalId: string; status: string }[]).map((one) => [one.approvalId, one.status]);
    const first = await list({ limit: '3' });
    assert.deepEqual(
      idsOf(first),
      ids.slice(0, 3).map((id) => [id, 'asked']),
    );
    const cursor = String(first.body?.['nextCursor']);
    assert.deepEqual(
      idsOf(await list({ limit: '3', cursor })),
      ids.slice(3).map((id) => [id, 'asked']),
    );
    await decide('reject', ids[4]!);
    // Four have expired, and with them the position of the cursor.
    table.clock.now += hourMs;
    assert.deepEqual(idsOf(await list({ cursor })), []);
    const expired = await list({ status: 'expired', limit: '2' });
    assert.deepEqual(
      idsOf(expired),
      [ids[3], ids[2]].map((id) => [id, 'expired']),
    );
    const next = await list({ status: 'expired', limit: '2', cursor: String(expired.body?.['nextCursor']) });
    assert.deepEqual(
      idsOf(next),
      [ids[1], ids[0]].map((id) => [id, 'expired']),
    );
    for (const wrong of ['', 'abc', Buffer.from('2026-03-01T12:00:00.000Z#tx_1').toString('base64url')]) {
      assert.deepEqual(codeOf(await list({ cursor: wrong })), [400, 'invalid_request'], wrong);
    }
    assert.deepEqual(codeOf(await list({}, as('oda', 'charge'))), [403, 'forbidden']);
  });

  it('of a newer release do not hide the others', async () => {
    const newer = `ap_${'n'.repeat(26)}`;
    const { approvalId } = await asked(chargeOf(300));
    const item = await itemOf(table, approvalKey(approvalId));
    await plant(table, { ...item, ...approvalKey(newer), approvalId: newer, command: 'of-tomorrow' });
    const { body } = await list({ limit: '100' });
    const ids = (body?.['items'] as { approvalId: string }[]).map((one) => one.approvalId);
    assert.ok(ids.includes(approvalId) && !ids.includes(newer));
    assert.equal((await decide('approve', newer)).status, 500);
  });
});

describe('the key of a request', () => {
  it('executes nothing when fewer commands need a second operator later, whatever became of the request', async () => {
    const unguarded = serve(charge, { table });
    for (const end of ['open', 'rejected', 'expired'] as const) {
      const key = newKey();
      const { approvalId } = await asked(chargeOf(300, { key }));
      if (end === 'rejected') await decide('reject', approvalId);
      if (end === 'expired') table.clock.now += hourMs;
      const repeat = () => send('charge', unguarded, { as: olga, key, path: { walletId }, body: { amount: 300 } });
      const { body } = await assertRefused([422, 'idempotency_key_reused'], repeat);
      assert.match(String(body?.['detail']), /its approval shows the end/);
    }
  });

  it('is taken for ever: a request whose record is gone is not asked for again', async () => {
    const key = newKey();
    const { approvalId } = await asked(chargeOf(300, { key }));
    await decide('reject', approvalId);
    await remove(approvalKey(approvalId));
    const { body } = await assertRefused([409, 'approval_expired'], () => chargeOf(300, { key }));
    assert.match(String(body?.['detail']), /no longer kept/);
  });
});

async function remove(key: { pk: string; sk: string }): Promise<void> {
  await table.client.send(new DeleteItemCommand({ TableName: table.name, Key: toItem(key) }));
}

describe('after a restored table', () => {
  it('an approval that is open again ends without executing its command a second time', async () => {
    const { approvalId, transactionId } = await asked(chargeOf(300));
    const open = await itemOf(table, approvalKey(approvalId));
    await decide('approve', approvalId);
    const before = await available();
    const record = await itemOf(table, transactionKey(transactionId));
    for (const fingerprint of [record?.['fingerprint'], 'restored']) {
      await plant(table, { ...open }, { ...record, fingerprint });
      assert.deepEqual(stateOf(await decide('approve', approvalId, { as: oda })), [200, 'approved']);
      assert.equal(await available(), before);
      assert.deepEqual(await itemOf(table, transactionKey(transactionId)), { ...record, fingerprint });
    }
  });

  it('an approval that is open again is not rejected when its command was executed', async () => {
    const { approvalId } = await asked(chargeOf(300));
    const open = await itemOf(table, approvalKey(approvalId));
    await decide('approve', approvalId);
    await plant(table, { ...open });
    const { body } = await assertRefused([409, 'approval_ended'], () => decide('reject', approvalId));
    assert.equal(body?.['detail'], 'its command was executed');
  });

  it('a lost approval is answered by the command that was executed', async () => {
    const key = newKey();
    const { approvalId } = await asked(chargeOf(300, { key }));
    await decide('approve', approvalId);
    const before = await available();
    await remove(approvalKey(approvalId));
    const again = await chargeOf(300, { key });
    assert.deepEqual([again.status, isReplay(again)], [201, true]);
    assert.equal(await available(), before);
  });
});
