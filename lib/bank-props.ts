import { Token } from 'aws-cdk-lib';
import type { Duration } from 'aws-cdk-lib';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { PayoutWindow } from '../lambdas/contract.ts';
import type { BankNetwork } from './bank-network.ts';
import { payoutWindowText } from './payout-window.ts';

/** The bank that pays the withdrawals. */
export interface BankProps {
  /** Base URL of the bank's API; may be a CloudFormation parameter. */
  readonly url: string;

  /**
   * The bank's id: 1 to 64 printable ASCII characters without spaces. Each withdrawal records it. Another bank is
   * neither asked about that withdrawal nor pays it again. Keep the id when the URL of the same bank changes.
   *
   * @default - host and path of the URL
   */
  readonly id?: string;

  /**
   * Time after a submit in which the bank may still answer "not found" about a payment that it will make: 1 second to 1
   * day. Take it from the bank's documentation: too short a window pays twice. May be a CloudFormation parameter.
   */
  readonly notFoundWindow: Duration;

  /**
   * Time after a rotation of the notification key in which the bank may sign with the previous key: a minute at least.
   *
   * @default 24 hours
   */
  readonly keyOverlap?: Duration;

  /**
   * Visits to the bank for one withdrawal before it goes to review.
   *
   * @default 20
   */
  readonly maxAttempts?: number;

  /**
   * Most batches at work with the bank at the same time: 2 to 1000. Each takes up to 10 withdrawals side by side.
   *
   * @default 50
   */
  readonly concurrency?: number;

  /**
   * The hours in which the bank takes payments:
   * `{ timeZone: 'Europe/Zurich', days: ['MON', 'TUE', 'WED', 'THU', 'FRI'], from: '08:00', to: '17:00', holidays: ['2026-12-25'] }`.
   * Outside them no payment is submitted, and withdrawals wait with `waitingFor: 'bank_closed'` (docs/schedules.md). A
   * payment that begins just before `to` reaches the bank some seconds later.
   *
   * @default - always
   */
  readonly payoutWindow?: PayoutWindow;

  /**
   * A secret of yours with the key that requests to the bank are signed with. Its text is the key itself, as it is: no
   * JSON, no line feed at the end. A new value signs from then on, and the one before it for 30 days more where the bank
   * refuses the new one.
   *
   * @default - a secret of the service's own, with 64 random letters and digits
   */
  readonly requestSecret?: ISecret;

  /**
   * A secret of yours with the key that the bank signs its notifications with, in the same form. The value before the
   * current one is valid for `keyOverlap` more.
   *
   * @default - a secret of the service's own, with 64 random letters and digits
   */
  readonly notificationSecret?: ISecret;

  /**
   * The network of the functions that call the bank: the worker of withdrawals, and the check of the books. Give the bank
   * the address of the network's NAT gateway.
   *
   * @default - Lambda's own network, whose addresses change
   */
  readonly network?: BankNetwork;
}

/** The URLs of banks, as the bank's client accepts them. It would refuse another only at the first withdrawal. */
export const bankUrlPattern = String.raw`https://[^\s?#@/]+(/[^\s?#]*)?|http://(localhost|127(\.\d+){3}|\[::1\])(:\d+)?(/[^\s?#]*)?`;

/** Longest `notFoundWindow`, in seconds. */
export const longestNotFoundWindowSeconds = 86_400;

/**
 * Throws for values that would pay twice, or fail at the first withdrawal. CloudFormation checks the values of
 * parameters.
 */
export function checkBank(bank: BankProps): void {
  const { url, id, notFoundWindow, keyOverlap, requestSecret, notificationSecret } = bank;
  if (!Token.isUnresolved(url) && !new RegExp(`^(?:${bankUrlPattern})$`).test(url)) {
    throw new Error(`bank.url must be an https URL without credentials and query, received "${url}"`);
  }
  if (requestSecret !== undefined && requestSecret.secretArn === notificationSecret?.secretArn) {
    throw new Error('bank.notificationSecret must be another secret than bank.requestSecret, received the same');
  }
  if (id !== undefined && !/^[!-~]{1,64}$/.test(id)) {
    throw new Error(`bank.id must be 1 to 64 printable characters without spaces, received "${id}"`);
  }
  payoutWindowText(bank.payoutWindow);
  const overlap = keyOverlap?.toSeconds({ integral: false });
  if (overlap !== undefined && !(Number.isInteger(overlap) && overlap >= 60)) {
    throw new Error(`bank.keyOverlap must be whole seconds, at least 60, received ${String(overlap)} seconds`);
  }
  if (notFoundWindow.isUnresolved()) return;
  const seconds = notFoundWindow.toSeconds({ integral: false });
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > longestNotFoundWindowSeconds) {
    throw new Error(
      `bank.notFoundWindow must be whole seconds, from 1 second to 1 day, received ${String(seconds)} seconds`,
    );
  }
}
