import type { APIGatewayProxyEvent } from 'aws-lambda';
import * as z from 'zod/mini';
import { reportContradiction } from '../bank/contradiction.ts';
import { reportEnd } from '../bank/end.ts';
import { bankIdOf } from '../bank/identity.ts';
import { openSecret } from '../bank/secret.ts';
import type { Keys, KeySource } from '../bank/secret.ts';
import { checkSignature, signatureHeader, timestampHeader } from '../bank/signature.ts';
import { isCode, withoutAccounts } from '../bank/words.ts';
import type { Environment } from '../contract.ts';
import { WalletError } from '../domain/errors.ts';
import { isTransactionId } from '../domain/ids.ts';
import type { Withdrawal } from '../domain/transaction.ts';
import type { Attempt } from '../domain/transaction-record.ts';
import { dynamodbClient, secretsClient } from '../aws/clients.ts';
import { positiveInteger } from '../aws/environment.ts';
import { serve } from '../http/http.ts';
import type { RouteHandler, RouteServices } from '../http/http.ts';
import { fields } from '../http/body-fields.ts';
import { bodyOf, headerOf, refuseQuery } from '../http/request.ts';
import { logger, metrics } from '../aws/telemetry.ts';
import type { Table } from '../store/table.ts';
import { openTable } from '../store/table.ts';
import { endWithdrawal, getWithdrawal, returnWithdrawal } from '../store/withdrawals.ts';

/** The bank's notification about a payment that was submitted to it: see docs/bank-protocol.md. */
const notification = z.strictObject({
  reference: z.string().check(z.refine(isTransactionId, 'is not a reference of this service')),
  status: z.enum(['paid', 'rejected', 'returned']),
  amount: fields.amount,
  currency: fields.currency,
  // The bank's own code and message: the bank's decision counts, with any text.
  code: z.optional(z.string()),
  message: z.optional(z.string()),
});
type Notification = z.output<typeof notification>;

export interface BankNotificationServices extends RouteServices {
  /** Keys that the bank signs its notifications with. */
  readonly keys: KeySource;
  /** The bank that has these keys. */
  readonly bankId: string;
}

/** Statuses that the bank may still end, even while a worker holds the withdrawal. */
const undecided: readonly Withdrawal['status'][] = ['pending', 'executing', 'review'];

/**
 * `POST /bank/notifications`: the bank's own reports about payments, signed with its own key. Late outcomes end the
 * withdrawal; `returned` brings the money back as a transaction of its own. Each has its effect once, however often it
 * is delivered.
 */
export const bankNotifications: RouteHandler<BankNotificationServices> = {
  name: 'bank-notifications',
  isCommand: true,
  isKeyed: false,
  body: notification,
  async handle(event, { table, keys, bankId }) {
    await requireSignature(event, keys, table.now());
    refuseQuery(event);
    const report = bodyOf(event, notification);
    const withdrawal = await getWithdrawal(table, report.reference);
    if (withdrawal === undefined) throw new WalletError('transaction_not_found');
    if (withdrawal.amount !== report.amount || withdrawal.currency !== report.currency) {
      reportContradiction(report.reference, factsOf(report), withdrawal);
      throw new WalletError('invalid_request', {
        errors: [{ path: 'amount', message: 'amount and currency must be those of the payment' }],
      });
    }
    refuseAnother(withdrawal, report, bankId);
    await applyReport(table, withdrawal, report, bankId);
    return { status: 200, body: { reference: report.reference } };
  },
};

/**
 * Refuses a notification about a payment that was submitted to another bank: only that bank knows the outcome.
 *
 * @throws WalletError `another_bank`
 */
function refuseAnother(withdrawal: Withdrawal, report: Notification, bankId: string): void {
  if (withdrawal.bankId === undefined || withdrawal.bankId === bankId) return;
  reportContradiction(report.reference, { ...factsOf(report), bankId }, withdrawal);
  throw new WalletError('another_bank');
}

async function applyReport(table: Table, withdrawal: Withdrawal, report: Notification, bankId: string): Promise<void> {
  const at = new Date(table.now()).toISOString();
  const paid = report.status !== 'rejected';
  const message =
    report.message === undefined ? undefined : withoutAccounts(report.message, withdrawal.destination.account);
  const failure = paid
    ? undefined
    : {
        code: isCode(report.code) ? report.code : 'rejected_by_bank',
        message: message ?? 'The bank has rejected the payment',
      };
  const attempt: Attempt = {
    at,
    submitted: false,
    outcome: paid ? 'accepted' : 'rejected',
    reason: 'notified by the bank',
  };
  const ended = await endWithdrawal(table, { withdrawal, at, from: undecided, failure, attempt, bankId });
  logger.info('bank notified', { transactionId: report.reference, status: report.status, ended });
  if (ended) {
    reportEnd(withdrawal, { now: table.now(), status: paid ? 'completed' : 'failed', code: failure?.code });
    // Published at once, so that it carries the same dimensions as the worker's.
    metrics.publishStoredMetrics();
  }

  // It had ended before, perhaps between our read and our write: read its end again.
  const current = ended ? undefined : await getWithdrawal(table, report.reference);
  if (current !== undefined) refuseAnother(current, report, bankId);
  const status = current?.status ?? (paid ? 'completed' : 'failed');
  if (status !== (paid ? 'completed' : 'failed')) {
    reportContradiction(report.reference, factsOf(report), current ?? withdrawal);
    return;
  }
  if (report.status === 'returned') await returnWithdrawal(table, current ?? withdrawal, { at, description: message });
}

function factsOf({ status, amount, currency }: Notification) {
  return { status, amount, currency };
}

/**
 * Checks the bank's signature.
 *
 * @throws WalletError `unauthorized`
 */
async function requireSignature(event: APIGatewayProxyEvent, keys: KeySource, now: number): Promise<void> {
  const body = Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8');
  const headers = { timestamp: headerOf(event, timestampHeader), signature: headerOf(event, signatureHeader) };
  // The path of the contract. The API may be published under a stage or base path, which the signature does not cover.
  const request = { method: 'POST', path: '/bank/notifications', body };
  const check = (candidates: Keys) => {
    const verdicts = candidates.map((key) => checkSignature(request, headers, key, now / 1000));
    return verdicts.find((verdict) => verdict !== 'invalid') ?? 'invalid';
  };
  let verdict = check(await keys());
  // The bank may sign with a key that was stored a moment ago.
  if (verdict === 'invalid') verdict = check(await keys('reload'));
  if (verdict !== 'valid') throw new WalletError('unauthorized', { detail: `the signature is ${verdict}` });
}

export const open = (environment: Environment<'bank-notifications'>) =>
  serve(bankNotifications, {
    table: openTable(dynamodbClient(), environment.TABLE_NAME),
    keys: openSecret({
      client: secretsClient(),
      secretArn: environment.BANK_NOTIFICATION_SECRET_ARN,
      overlapMs: 1000 * positiveInteger(environment, 'BANK_KEY_OVERLAP_SECONDS'),
    }),
    bankId: bankIdOf(environment.BANK_ID),
  });
