/**
 * The story of two owners, over HTTP against a running service, for `npm run demo` and `npm run smoke`. It prints
 * each figure with a mark, and leaves wallets that are empty and, where the token allows it, closed.
 */
import { randomUUID } from 'node:crypto';
import { payLater } from './story-later.ts';
import { feeOf, Story } from './storyteller.ts';
import type { Characters, Stage } from './storyteller.ts';

/** Runs the story. Returns the number of wrong figures. Throws when the service gives no answer. */
export async function runStory(stage: Stage): Promise<number> {
  const story = new Story(stage);
  story.chapter(`Ada and Ben each open a wallet in ${stage.currency}`);
  const characters = { ada: await story.openWallet(stage.ada), ben: await story.openWallet(stage.ben) };
  try {
    if (stage.account !== undefined && stage.pays) await moveMoney(story, stage, characters, stage.account);
    else story.chapter('No money moves: an account that takes it back is needed, and a token that may send it there');
    await refuse(story, stage, characters);
  } finally {
    // Also after a request that failed.
    await leaveNothing(story, stage, characters);
  }
  return story.wrong;
}

async function moveMoney(story: Story, stage: Stage, { ada, ben }: Characters, account: string): Promise<void> {
  const { unit, operator } = stage;
  story.chapter(`A payment provider was paid ${story.money(100 * unit)} by Ada: an operator charges her wallet`);
  const charge = { amount: 100 * unit, externalReference: 'invoice 1' };
  const charged = await story.post(operator, `/wallets/${ada.walletId}/charge`, charge);
  story.check('answered', charged.status, 201);
  ada.available += 100 * unit - feeOf(charged.body);
  await story.checkBalances(ada, ben);

  story.chapter(
    `Ada sends Ben ${story.money(30 * unit)}, and her client repeats the request because it lost the answer`,
  );
  const key = randomUUID();
  const transfer = (amount: number, more: object = {}) =>
    story.post(ada.token, `/wallets/${ada.walletId}/transfer`, { amount, toWalletId: ben.walletId, ...more }, key);
  const asked = await transfer(30 * unit, { dryRun: true });
  story.check('asked before, the fee is shown', asked.status, 200);
  const sent = await transfer(30 * unit);
  const repeated = await transfer(30 * unit);
  story.check('first answer', sent.status, 201);
  story.check('its fee, as it was shown', feeOf(sent.body), asked.body['fee']);
  story.check('repetition is marked', repeated.headers.get('idempotency-replayed'), 'true');
  story.check('same transaction', repeated.body['transactionId'], sent.body['transactionId']);
  ada.available -= 30 * unit + feeOf(sent.body);
  ben.available += 30 * unit;
  await story.checkBalances(ada, ben);

  story.chapter('The same key with another amount is refused');
  const reused = await transfer(31 * unit);
  story.check('code', reused.body['code'], 'idempotency_key_reused');

  const isSimulated = account.startsWith('SIM-');
  const ending = isSimulated ? '; the bank fails twice before it pays' : '';
  story.chapter(`Ada withdraws ${story.money(20 * unit)}${ending}`);
  const paid = await story.withdraw(ada, 20 * unit, isSimulated ? 'SIM-FLAKY' : account);
  story.check('in the end', paid['status'], 'completed');
  if (isSimulated) story.check('attempts', (paid['attempts'] as unknown[]).length, 3);
  ada.available -= 20 * unit + feeOf(paid);
  await story.checkBalances(ada, ben);

  if (isSimulated) {
    story.chapter(`Ben withdraws ${story.money(10 * unit)}; the bank rejects it, and the money is back`);
    const failed = await story.withdraw(ben, 10 * unit, 'SIM-REJECT');
    story.check('in the end', failed['status'], 'failed');
    await story.checkBalances(ada, ben);
  }

  story.chapter('Ada reads her receipt and her history');
  const receipt = await story.get(ada.token, `/receipts/${String(sent.body['receiptCode'])}`);
  story.check('receipt', receipt.body['transactionId'], sent.body['transactionId']);
  const history = await story.get(ada.token, `/wallets/${ada.walletId}/transactions?limit=3`);
  const types = (history.body['items'] as { type: string }[]).map(({ type }) => type);
  story.check('newest first', types.join(', '), 'withdrawal, transfer, charge');

  await promiseMoney(story, unit, { ada, ben });
  await giveMoneyBack(story, unit, { ada, ben }, String(sent.body['transactionId']));
  await splitMoney(story, unit, { ada, ben });
  await payLater(story, unit, { ada, ben });
  if (stage.limits) await limitMoney(story, stage, { ada, ben });
  if (stage.batches) await payTogether(story, stage, { ada, ben });
}

/** Pays Ada twice out of Ben's wallet by a file, in which a third line is too large. */
async function payTogether(story: Story, { unit, operator }: Stage, { ada, ben }: Characters): Promise<void> {
  const lines = [unit, unit, 1_000 * unit].map((amount, n) => ({
    ...{ key: `line ${n + 1}`, type: 'transfer', walletId: ben.walletId, toWalletId: ada.walletId, amount },
  }));
  const sent = await story.postLines(operator, '/batches', lines);
  // The gateway of a service without batches has no such route.
  if (sent.status === 403 || sent.status === 404) return;
  story.chapter(
    `An operator sends a file of three payments from Ben to Ada, the last one of ${story.money(1_000 * unit)}`,
  );
  story.check('answered at once', sent.status, 202);
  const path = `/batches/${String(sent.body['batchId'])}`;
  const done = await story.untilCompleted(operator, path);
  story.check('accepted', done['accepted'], 2);
  story.check('refused', done['refused'], 1);
  const { body } = await story.get(operator, `/transactions/${await story.firstOf(operator, path)}`);
  ben.available -= 2 * (unit + feeOf(body));
  ada.available += 2 * unit;
  await story.untilArrived(ada);
  await story.checkBalances(ada, ben);
}

/** Holds money of Ada for Ben, who takes a part of it and releases the rest. */
async function promiseMoney(story: Story, unit: number, { ada, ben }: Characters): Promise<void> {
  story.chapter(`Ada promises Ben up to ${story.money(25 * unit)} for an order: her money is held for an hour`);
  const opening = { amount: 25 * unit, toWalletId: ben.walletId, expiresAt: inAnHour() };
  const hold = await story.post(ada.token, `/wallets/${ada.walletId}/holds`, opening);
  story.check('answered', hold.status, 201);
  story.check('status', hold.body['status'], 'open');
  ada.available -= 25 * unit;
  ada.held += 25 * unit;
  await story.checkBalances(ada, ben);

  const path = `/holds/${String(hold.body['transactionId'])}`;
  try {
    story.chapter(`Ben delivers a part of the order, and captures ${story.money(15 * unit)}`);
    const captured = await story.post(ben.token, `${path}/capture`, { amount: 15 * unit });
    story.check('answered', captured.status, 201);
    ada.held -= 15 * unit;
    ben.available += 15 * unit - feeOf(captured.body);
    await story.checkBalances(ada, ben);

    story.chapter('He tries to capture more than is left');
    const tooMuch = await story.post(ben.token, `${path}/capture`, { amount: 10 * unit + 1 });
    story.check('code', tooMuch.body['code'], 'exceeds_hold');
  } finally {
    // Also after a request that failed: held money could not be paid out at the end.
    story.chapter('He cannot deliver the rest, and releases it: the money is available to Ada again');
    const released = await story.post(ben.token, `${path}/release`, { reason: 'sold out' });
    story.check('status', released.body['status'], 'ended');
    ada.available += ada.held;
    ada.held = 0;
  }
  await story.checkBalances(ada, ben);
}

/** Gives Ada a part of her transfer to Ben back, and no more than that. */
async function giveMoneyBack(story: Story, unit: number, { ada, ben }: Characters, transfer: string): Promise<void> {
  story.chapter(`Ben gives ${story.money(10 * unit)} of Ada's first payment back`);
  const path = `/transactions/${transfer}/refund`;
  const refunded = await story.post(ben.token, path, { amount: 10 * unit, reason: 'a part was missing' });
  story.check('answered', refunded.status, 201);
  ben.available -= 10 * unit;
  ada.available += 10 * unit;
  await story.checkBalances(ada, ben);
  const payment = await story.get(ada.token, `/transactions/${transfer}`);
  story.check('refunded, on the payment', payment.body['refunded'], 10 * unit);

  story.chapter('He tries to give back more than is left of it');
  const tooMuch = await story.post(ben.token, path, { amount: 20 * unit + 1, reason: 'a mistake' });
  story.check('code', tooMuch.body['code'], 'exceeds_refundable');
}

/** Ada pays Ben for two things in one step, and tries to with too large a second part. */
async function splitMoney(story: Story, unit: number, { ada, ben }: Characters): Promise<void> {
  story.chapter(
    `Ada pays Ben ${story.money(4 * unit)} for goods and ${story.money(unit)} for their delivery, in one step`,
  );
  const leg = (amount: number, description: string) => {
    return { fromWalletId: ada.walletId, toWalletId: ben.walletId, amount, description };
  };
  const split = (delivery: number, more: object = {}) =>
    story.post(ada.token, '/transfers', { legs: [leg(4 * unit, 'goods'), leg(delivery, 'delivery')], ...more });
  const asked = await split(unit, { dryRun: true });
  const paid = await split(unit);
  story.check('answered', paid.status, 201);
  const legs = paid.body['legs'] as Parameters<typeof feeOf>[0][];
  story.check('legs', legs.length, 2);
  const fee = legs.reduce((sum, one) => sum + feeOf(one), 0);
  story.check('their fees, as they were shown', fee, asked.body['fee']);
  ada.available -= 5 * unit + fee;
  ben.available += 5 * unit;
  await story.checkBalances(ada, ben);

  story.chapter('The delivery would cost more than she has left: none of the two is paid');
  const tooMuch = await split(ada.available);
  story.check('code', tooMuch.body['code'], 'insufficient_funds');
  await story.checkBalances(ada, ben);
}

/** Limits what Ada may send, and lets her try to send more. */
async function limitMoney(story: Story, { unit, operator }: Stage, { ada, ben }: Characters): Promise<void> {
  const most = 5 * unit;
  story.chapter(`An operator limits each payment of Ada to ${story.money(most)}`);
  const set = (limits: object) =>
    story.put(operator, `/wallets/${ada.walletId}/limits`, { reason: 'the story of the demo', limits });
  const limited = await set({ out: { perTransaction: most } });
  story.check('answered', limited.status, 200);
  try {
    story.chapter(`Ada has ${story.money(ada.available)}, and tries to send ${story.money(most + 1)}`);
    const body = { amount: most + 1, toWalletId: ben.walletId };
    const refused = await story.post(ada.token, `/wallets/${ada.walletId}/transfer`, body);
    story.check('code', refused.body['code'], 'limit_exceeded');
    story.check('limit', refused.body['limit'], 'out.perTransaction');
    story.check('left', refused.body['left'], most);
  } finally {
    // Also after a request that failed: all money is paid out at the end.
    const free = await set({});
    story.check('limits are removed', free.status, 200);
  }
}
function inAnHour(): string {
  return new Date(Date.now() + 3_600_000).toISOString();
}

async function refuse(story: Story, stage: Stage, { ada, ben }: Characters): Promise<void> {
  story.chapter('Ada tries to send more than she has');
  const tooMuch = { amount: ada.available + 1, toWalletId: ben.walletId };
  const overdraft = await story.post(ada.token, `/wallets/${ada.walletId}/transfer`, tooMuch);
  story.check('code', overdraft.body['code'], stage.pays ? 'insufficient_funds' : 'forbidden');
  await story.checkBalances(ada, ben);

  if (ben.token === ada.token) {
    story.chapter("A caller without a token cannot see Ada's wallet");
    const stranger = await story.get(undefined, `/wallets/${ada.walletId}`);
    story.check('code', stranger.body['code'], 'unauthorized');
  } else {
    story.chapter("Ben cannot see Ada's wallet");
    const stranger = await story.get(ben.token, `/wallets/${ada.walletId}`);
    story.check('code', stranger.body['code'], 'wallet_not_found');
  }
}

/** Pays out the money that is in the wallets, whatever went before, and closes them. */
async function leaveNothing(story: Story, stage: Stage, { ada, ben }: Characters): Promise<void> {
  if (stage.account !== undefined && stage.pays) {
    story.chapter('Both withdraw all that is left');
    for (const person of [ada, ben]) {
      const most = await story.mostToWithdraw(person, stage.account);
      const paid = most > 0 ? await story.withdraw(person, most, stage.account) : undefined;
      if (paid !== undefined) story.check('in the end', paid['status'], 'completed');
      person.available = 0;
    }
    await story.checkBalances(ada, ben);
  }
  if (!stage.closes) {
    story.chapter('The token may close no wallet: both remain, and the next run uses them again');
    return;
  }
  story.chapter('An operator closes both wallets');
  for (const { name, walletId } of [ada, ben]) {
    const closed = await story.post(stage.operator, `/wallets/${walletId}/close`, {});
    story.check(`${name}'s wallet`, closed.body['status'], 'closed');
  }
}
