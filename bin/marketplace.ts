/**
 * The day of a marketplace, for `npm run demo -- --day`: an order that is captured in part and with a fee, a refund, a payroll of
 * a thousand, a chargeback below zero, a limit, and a charge by two operators. Checks each figure.
 */
import { feeOf, Story } from './storyteller.ts';
import type { Holder } from './storyteller.ts';

/** The surroundings of the day. The service has batches, and needs two operators for large charges in Swiss francs. */
export interface Marketplace {
  readonly baseUrl: string;
  /** Returns a token for a subject and scopes. */
  readonly signIn: (subject: string, scope: string) => Promise<string>;
  /** Part of each subject's name, so that the day can run twice on the same data. */
  readonly run: string;
}

/** Minor units in a krone, and in a franc. */
const whole = 100;
/** The payments of the payroll, and the wallets that they go to. */
const payroll = { lines: 1_000, workers: 20, each: 3 * whole } as const;

/** Tells the day. Returns the number of wrong figures. */
export async function runMarketplace(place: Marketplace): Promise<number> {
  const { baseUrl, signIn, run } = place;
  const story = new Story({ baseUrl, currency: 'NOK' });
  const olga = await signIn(`olga-${run}`, 'wallet:operate');
  const open = async (name: string) =>
    story.openWallet({ name, token: await signIn(`${name.toLowerCase()}-${run}`, 'wallet:read wallet:write') });
  story.chapter('A marketplace opens: Ida buys, Sol sells');
  const [ida, sol] = [await open('Ida'), await open('Sol')];
  const charge = await sellAndRefund(story, olga, { ida, sol });
  await limitSales(story, olga, { ida, sol });
  await chargeBack(story, olga, { ida, sol }, charge);
  await payWorkers(story, olga, place);
  await fundWithTwoOperators(story, place);
  return story.wrong;
}

/** Ida pays in, orders, gets a part of the order, and some of its price back. Returns the transaction of her payment. */
async function sellAndRefund(story: Story, olga: string, { ida, sol }: Record<'ida' | 'sol', Holder>): Promise<string> {
  story.chapter(`Ida's card pays ${story.money(2_000 * whole)}: what arrives is less the fee`);
  const charged = await story.post(olga, `/wallets/${ida.walletId}/charge`, { amount: 2_000 * whole });
  story.check('answered', charged.status, 201);
  ida.available += 2_000 * whole - feeOf(charged.body);
  await story.checkBalances(ida);

  story.chapter(`She orders for ${story.money(1_200 * whole)}, which is held for Sol`);
  const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
  const order = { amount: 1_200 * whole, toWalletId: sol.walletId, expiresAt };
  const hold = await story.post(ida.token, `/wallets/${ida.walletId}/holds`, order);
  story.check('answered', hold.status, 201);
  ida.available -= 1_200 * whole;
  ida.held += 1_200 * whole;

  const path = `/holds/${String(hold.body['transactionId'])}/capture`;
  story.chapter(
    `Sol asks for the fee of a sale of ${story.money(800 * whole)}, and takes it: the rest of the order is free again`,
  );
  const sale = { amount: 800 * whole, final: true };
  const asked = await story.post(sol.token, path, { ...sale, dryRun: true });
  const captured = await story.post(sol.token, path, sale);
  story.check('answered', captured.status, 201);
  story.check('fee, as it was shown', feeOf(captured.body), asked.body['fee']);
  ida.held = 0;
  ida.available += 400 * whole;
  sol.available += 800 * whole - feeOf(captured.body);
  await story.checkBalances(ida, sol);

  story.chapter(`One piece was broken: Sol gives ${story.money(100 * whole)} back`);
  const refund = { amount: 100 * whole, reason: 'one piece was broken' };
  const refunded = await story.post(
    sol.token,
    `/transactions/${String(captured.body['transactionId'])}/refund`,
    refund,
  );
  story.check('answered', refunded.status, 201);
  sol.available -= 100 * whole;
  ida.available += 100 * whole;
  await story.checkBalances(ida, sol);
  return String(charged.body['transactionId']);
}

/** Limits what Sol may send, and lets Sol try more. */
async function limitSales(story: Story, olga: string, { ida, sol }: Record<'ida' | 'sol', Holder>): Promise<void> {
  story.chapter(`Sol is new: an operator limits its payments to ${story.money(50 * whole)} each`);
  const limits = { out: { perTransaction: 50 * whole } };
  const limited = await story.put(olga, `/wallets/${sol.walletId}/limits`, { reason: 'a new seller', limits });
  story.check('answered', limited.status, 200);
  const tooMuch = { amount: 60 * whole, toWalletId: ida.walletId };
  const refused = await story.post(sol.token, `/wallets/${sol.walletId}/transfer`, tooMuch);
  story.check('code of a larger one', refused.body['code'], 'limit_exceeded');
  story.check('limit', refused.body['limit'], 'out.perTransaction');
}

/** Takes Ida's payment back, as her bank has taken it from the marketplace. */
async function chargeBack(
  story: Story,
  olga: string,
  { ida, sol }: Record<'ida' | 'sol', Holder>,
  charge: string,
): Promise<void> {
  story.chapter("Ida's bank takes her payment back. An operator books it, and her wallet goes below zero");
  const body = { chargeback: true, reason: 'the card was stolen' };
  const back = await story.post(olga, `/transactions/${charge}/refund`, body);
  story.check('answered', back.status, 201);
  ida.available -= 2_000 * whole;
  story.check('below zero', ida.available < 0, true);
  await story.checkBalances(ida);
  const payment = { amount: 1, toWalletId: sol.walletId };
  const refused = await story.post(ida.token, `/wallets/${ida.walletId}/transfer`, payment);
  story.check('code of her next payment', refused.body['code'], 'insufficient_funds');
}

/** Pays a thousand wages out of one wallet by one file. */
async function payWorkers(story: Story, olga: string, { signIn, run }: Marketplace): Promise<void> {
  const { lines: count, workers: people, each } = payroll;
  story.chapter(`The marketplace pays ${count} wages of ${story.money(each)} to ${people} workers, by one file`);
  const firm = await story.openWallet({
    name: 'The firm',
    token: await signIn(`firm-${run}`, 'wallet:read wallet:write'),
  });
  const workers = await Promise.all(
    Array.from({ length: people }, async (_, n) => {
      const token = await signIn(`worker-${n}-${run}`, 'wallet:read wallet:write');
      const { body } = await story.post(token, '/wallets', { currency: 'NOK' });
      return { name: `worker ${n}`, token, walletId: String(body['walletId']), available: 0, held: 0 };
    }),
  );
  const lines = Array.from({ length: count }, (_, n) => ({
    ...{ key: `wage ${n}`, type: 'transfer', amount: each },
    ...{ walletId: firm.walletId, toWalletId: workers[n % people]?.walletId },
  }));
  // Each payment may have a fee, and so has the charge that pays for them.
  const priced = await story.post(firm.token, `/wallets/${firm.walletId}/transfer`, {
    ...{ amount: each, toWalletId: workers[0]?.walletId, dryRun: true },
  });
  const cost = count * (each + feeOf(priced.body));
  const charged = await story.post(olga, `/wallets/${firm.walletId}/charge`, { amount: 2 * cost });
  firm.available = 2 * cost - feeOf(charged.body) - cost;
  const sent = await story.postLines(olga, '/batches', lines);
  story.check('answered at once', sent.status, 202);
  const done = await story.untilCompleted(olga, `/batches/${String(sent.body['batchId'])}`);
  story.check('accepted', done['accepted'], count);
  for (const worker of workers) {
    worker.available = (count / people) * each;
    await story.untilArrived(worker);
  }
  const paid = await Promise.all(workers.map(async (worker) => (await story.balanceOf(worker)).available));
  story.check(
    'paid to the workers',
    paid.reduce((sum, one) => sum + one, 0),
    count * each,
  );
  await story.checkBalances(firm);
}

/** Charges a wallet with an amount that one operator may not book alone. */
async function fundWithTwoOperators(story: Story, { baseUrl, signIn, run }: Marketplace): Promise<void> {
  const francs = new Story({ baseUrl, currency: 'CHF' });
  story.chapter(`Tom pays in ${francs.money(20_000 * whole)} francs: so much needs two operators`);
  const tom = await francs.openWallet({ name: 'Tom', token: await signIn(`tom-${run}`, 'wallet:read wallet:write') });
  const olga = await signIn(`olga-${run}`, 'wallet:charge wallet:support');
  const body = { amount: 20_000 * whole, externalReference: 'invoice 77' };
  const asked = await francs.post(olga, `/wallets/${tom.walletId}/charge`, body);
  francs.check('answered', asked.status, 202);
  francs.check('status', asked.body['status'], 'asked');
  await francs.checkBalances(tom);
  const omar = await signIn(`omar-${run}`, 'wallet:charge wallet:support');
  const approved = await francs.post(omar, `/approvals/${String(asked.body['approvalId'])}/approve`, {});
  francs.check('another operator', approved.body['status'], 'approved');
  tom.available += 20_000 * whole;
  await francs.checkBalances(tom);
  story.wrong += francs.wrong;
}
