/** The part of the story about payments for later. It moves no money, and leaves nothing scheduled. */
import type { Characters, Story } from './storyteller.ts';

const hourMs = 3_600_000;
const inHours = (hours: number): string => new Date(Date.now() + hours * hourMs).toISOString();

/** Schedules a payment of Ada, and one for every month, and cancels both. */
export async function payLater(story: Story, unit: number, { ada, ben }: Characters): Promise<void> {
  const amount = 5 * unit;
  story.chapter(`Ada schedules a payment of ${story.money(amount)} to Ben for tomorrow: no money moves before`);
  const later = { amount, toWalletId: ben.walletId, executeAt: inHours(24) };
  const payment = await story.post(ada.token, `/wallets/${ada.walletId}/transfer`, later);
  story.check('answered', payment.status, 202);
  story.check('status', payment.body['status'], 'scheduled');
  await story.checkBalances(ada, ben);

  story.chapter(`She orders ${story.money(amount)} for Ben every month`);
  const monthly = { amount, toWalletId: ben.walletId, every: 'month', firstAt: inHours(24 * 20) };
  const order = await story.post(ada.token, `/wallets/${ada.walletId}/standing-orders`, monthly);
  story.check('answered', order.status, 201);
  story.check('next payment', order.body['nextAt'], monthly.firstAt);

  // A wallet with a scheduled payment could not be closed at the end.
  story.chapter('She changes her mind, and cancels both');
  const cancelled = await story.post(ada.token, `/transactions/${String(payment.body['transactionId'])}/cancel`, {});
  story.check('the payment', cancelled.body['status'], 'failed');
  const path = `/standing-orders/${String(order.body['standingOrderId'])}/cancel`;
  const ended = await story.post(ada.token, path, { reason: 'the flat is sold' });
  story.check('the order', ended.body['end'], 'cancelled');
  await story.checkBalances(ada, ben);
}
