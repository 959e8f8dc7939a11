/** Rejections and lists of approvals, and approvals in a restored table; on the real engine. */
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { approvalKey, transactionKey } from '../../lambdas/store/keys.ts';
import type { Response } from '../request.ts';
import { codeOf } from '../request.ts';
import { as, asked, hourMs, isReplay, oda, olga, omar, stateOf, useApprovals } from './approval-scenes.ts';
import { newKey } from './commands.ts';
import { itemOf, plant, removeItem } from './inspect.ts';

const { table, annsWallet, ask, chargeOf, decide, read, list, available, assertRefused } = useApprovals();

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
    const { approvalId: other } = await asked(ask('unfreeze', { walletId: annsWallet() }, {}));
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
    await removeItem(table, approvalKey(approvalId));
    const again = await chargeOf(300, { key });
    assert.deepEqual([again.status, isReplay(again)], [201, true]);
    assert.equal(await available(), before);
  });
});
