/** Two operators over HTTP: what they ask for and decide, its events, and what operators' commands show of it. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from '@jest/globals';
import { WalletStack } from '../../lib/wallet-stack.ts';
import { eventually } from './eventually.ts';
import { startService } from './service.ts';

let log = '';
const guard = { above: 1_000 };
const fourEyes = { charge: guard, refund: guard, resolve: true, unfreeze: true, limits: true } as const;
const service = await startService({
  stack: (app) => new WalletStack(app, 'Wallet', { bank: { id: 'simulator' }, fourEyes }),
  log: (text) => (log += text),
});
const { newUser, runner } = service;
const root = join(import.meta.dirname, '..', '..');
const patient = { limitMs: 60_000, everyMs: 200 };

const [olga, omar] = await Promise.all(
  ['olga', 'omar'].map((name) => service.as(name, 'wallet:charge wallet:support wallet:decide')),
);
assert.ok(olga && omar);

interface Event {
  readonly type: string;
  readonly actor?: { readonly principal: string };
  readonly approval?: { readonly approvalId: string; readonly reason?: string };
}

/** Returns the events of an approval, oldest first, once there are so many. */
async function eventsOf(approvalId: string, count: number): Promise<Event[]> {
  let found: Event[] = [];
  await eventually(async () => {
    const response = await fetch(`${runner.baseUrl}/local/events?limit=1000`);
    const { items } = (await response.json()) as { items: { event: { detail: Event } }[] };
    found = items.map(({ event }) => event.detail).filter(({ approval }) => approval?.approvalId === approvalId);
    return found.length >= count;
  }, patient);
  return found.reverse();
}

function ops(...args: string[]): Promise<string> {
  const script = join(root, 'bin', 'ops.ts');
  return new Promise((resolve) => {
    execFile(process.execPath, [script, ...args, '--url', runner.baseUrl], (_error, stdout, stderr) => {
      resolve(stdout + stderr);
    });
  });
}

describe('a command of two operators', () => {
  it('moves money when the second one approves it, and each step is published and shown to operators alone', async () => {
    const { ask: ann, walletId } = await newUser();
    const body = { amount: 2_000, description: 'words about a person' };
    const asked = await olga(`/wallets/${walletId}/charge`, { body, key: 'big-charge' });
    assert.deepEqual([asked.status, asked.body['status']], [202, 'asked']);
    const approvalId = String(asked.body['approvalId']);
    assert.equal(asked.headers.get('location'), `/approvals/${approvalId}`);
    assert.equal((await ann(`/wallets/${walletId}/balance?consistent=true`)).body['available'], 0);
    assert.equal((await ann(`/approvals/${approvalId}`)).status, 403);
    const listed = await omar('/approvals');
    assert.deepEqual(
      (listed.body['items'] as { approvalId: string }[]).map((one) => one.approvalId),
      [approvalId],
    );

    const waiting = await ops('review');
    assert.match(waiting, new RegExp(`^${approvalId}: charge, asked$`, 'm'));
    assert.match(waiting, /^Commands that wait for a second operator: 1 /m);
    const transactionId = String(asked.body['transactionId']);
    for (const id of [approvalId, transactionId]) {
      assert.match(await ops('where', id), /^next: another operator approves or rejects it/m);
    }

    assert.equal((await olga(`/approvals/${approvalId}/approve`, { body: {} })).status, 403);
    const approved = await omar(`/approvals/${approvalId}/approve`, { body: { reason: 'checked' } });
    assert.deepEqual([approved.status, approved.body['status']], [200, 'approved']);
    assert.equal((await ann(`/wallets/${walletId}/balance?consistent=true`)).body['available'], 2_000);
    const again = await olga(`/wallets/${walletId}/charge`, { body, key: 'big-charge' });
    assert.deepEqual([again.status, again.body['transactionId']], [201, transactionId]);
    const shown = (await ann(`/transactions/${transactionId}`)).body;
    assert.deepEqual([shown['status'], shown['approvedBy'], shown['requestedBy']], ['completed', undefined, undefined]);
    assert.match(await ops('where', approvalId), /^next: nothing, its command was executed$/m);

    const events = await eventsOf(approvalId, 2);
    assert.deepEqual(
      events.map(({ type, actor, approval }) => [type, actor?.principal, approval?.reason]),
      [
        ['approval.asked', 'olga', undefined],
        ['approval.approved', 'omar', 'checked'],
      ],
    );
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    for (const event of events) {
      const schema = JSON.parse(readFileSync(join(root, 'docs', 'events', `${event.type}.json`), 'utf8')) as object;
      assert.ok(ajv.validate(schema, event), JSON.stringify(ajv.errors));
      assert.ok(!JSON.stringify(event).includes('words about a person'));
    }
    assert.ok(!log.includes('words about a person'), 'no log has the body of a request');
  });

  it('is not executed when it is rejected', async () => {
    const { ask: ann, walletId } = await newUser();
    await service.operator(`/wallets/${walletId}/freeze`, { body: {} });
    const asked = await olga(`/wallets/${walletId}/unfreeze`, { body: {} });
    const approvalId = String(asked.body['approvalId']);
    const rejected = await omar(`/approvals/${approvalId}/reject`, { body: { reason: 'still suspicious' } });
    assert.deepEqual([rejected.status, rejected.body['status']], [200, 'rejected']);
    assert.equal((await omar(`/approvals/${approvalId}/approve`, { body: {} })).status, 409);
    assert.equal((await ann(`/wallets/${walletId}`)).body['status'], 'frozen');
    const events = await eventsOf(approvalId, 2);
    assert.deepEqual(
      events.map(({ type }) => type),
      ['approval.asked', 'approval.rejected'],
    );
  });

  it('gives money back, and raises limits, with the words of operators about both', async () => {
    const { walletId } = await newUser();
    const [first, second] = await Promise.all(['otto', 'ossi'].map((name) => service.as(name, 'wallet:operate')));
    assert.ok(first && second);
    const charged = await first(`/wallets/${walletId}/charge`, { body: { amount: 2_000 } });
    const approveNext = async ({ status, body }: { status: number; body: Record<string, unknown> }) => {
      assert.deepEqual([status, body['status']], [202, 'asked']);
      const approved = await second(`/approvals/${String(body['approvalId'])}/approve`, { body: {} });
      assert.equal(approved.status, 200, JSON.stringify(approved.body));
      return approved.body;
    };
    const { transactionId } = await approveNext(charged);
    const back = { reason: 'booked twice', chargeback: true };
    await approveNext(await first(`/transactions/${String(transactionId)}/refund`, { body: back }));
    const { body: wallet } = await first(`/wallets/${walletId}`);
    assert.deepEqual([(wallet['balance'] as { available: number }).available, wallet['chargedBack']], [0, 2_000]);

    const put = (body: object) => first(`/wallets/${walletId}/limits`, { method: 'PUT', body });
    assert.equal((await put({ reason: 'new', limits: { out: { perDay: 500 } } })).status, 200);
    const higher = await put({ reason: 'known', limits: { out: { perDay: 900 }, creditLine: 100 } });
    const shown = await ops('where', String(higher.body['approvalId']));
    assert.match(shown, /^limits: out.perDay 900, creditLine 100, in place of those of version 1$/m);
    await approveNext(higher);
    const { limits, lastLimitsChange } = (await first(`/wallets/${walletId}`)).body;
    assert.deepEqual(limits, { out: { perDay: 900 }, creditLine: 100 });
    assert.equal((lastLimitsChange as { approvedBy: { principal: string } }).approvedBy.principal, 'ossi');
  });

  it('is approved for an operator of every scope as for the others', async () => {
    const { walletId } = await newUser();
    await service.operator(`/wallets/${walletId}/freeze`, { body: {} });
    const asked = await service.operator(`/wallets/${walletId}/unfreeze`, { body: {} });
    assert.equal(asked.status, 202);
    const approved = await omar(`/approvals/${String(asked.body['approvalId'])}/approve`, { body: {} });
    assert.equal(approved.status, 200);
    assert.equal((await service.operator(`/wallets/${walletId}`)).body['status'], 'active');
  });
});
