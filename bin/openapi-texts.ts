/** Descriptions in docs/openapi.json of fields, parameters and scopes whose schemas have none. */

/** The texts of fields by `Schema.field`, or by the field's name when it means the same in every schema. */
export const fieldTexts: Readonly<Record<string, string>> = {
  approvalId: 'The id of the approval',
  account: 'The account that the amount is booked on',
  amount: 'In minor units',
  attempts: 'Visits to the bank, in order',
  at: 'The time; ISO 8601, UTC',
  askedAt: 'When it was asked for',
  'Approval.amount': 'Of the command, in minor units; absent where it moves no money by itself',
  'Approval.askedBy': 'The operator who asked for the command',
  'Approval.command': 'The command that waits: the route by its name',
  balance: 'The balance, as of the last change',
  balanceAfter: 'The balance after the change',
  bank: 'The connection to the bank',
  channels: 'The ways to notify the owner, each on or off; all are off until the owner turns one on',
  'BankNotificationsRequest.code': "The bank's own code of its reason",
  'BankNotificationsRequest.message': "The bank's own words",
  'BankNotificationsRequest.reference': 'The id of the transaction that the payment was submitted for',
  'BankNotificationsRequest.status': 'The outcome of the payment',
  by: 'The kind of the actor',
  code: 'Distinguishes the reasons',
  counterpartyWalletId:
    'For a transfer, hold, capture or refund: the receiving wallet; absent where the world outside receives the money',
  counts: 'Items that the check has covered',
  bankId: "The bank's id, or host and path of its URL",
  'Pass.withdrawals': 'The number of them',
  currency: 'ISO 4217, in upper case',
  deadLetters: 'Messages that were received too often without success',
  depth: 'Messages that wait',
  description: 'For people; at most 256 UTF-16 units',
  destination: 'The destination of a withdrawal',
  email: 'By e-mail',
  entries: "Lines of the wallets' ledgers",
  errors: 'The defects of the request',
  'OpenHoldRequest.expiresAt': 'From when on nothing can be captured: a minute to 31 days ahead, with an offset',
  'OpenHoldRequest.toWalletId':
    'The wallet that captures pay; without it only operators capture, for the world outside',
  'SetLimitsRequest.reason': 'Why they are set; the event of the change has it',
  'SetLimitsRequest.limits': 'In minor units; they replace all that the wallet has. Empty: none',
  'SetLimitsRequest.tier': 'A tier of this service, in place of limits: the wallet gets a copy of its limits',
  'SetLimitsRequest.version':
    'The version of the limits that are replaced, 0 for a wallet that never had any; when it is another one, the request is refused',
  out: 'Limits of transfers sent, withdrawals, and holds when they are opened',
  in: 'Limits of charges, and of transfers and captures received',
  perTransaction: 'The most that one of them may move',
  perDay: 'The most that they may move together in a day (UTC)',
  perMonth: 'The most that they may move together in a month (UTC)',
  minimumBalance: 'The least that money out may leave available',
  creditLine: 'How far below zero money out may take the available money; not together with minimumBalance',
  maximumBalance: 'The most that money in may bring the total to',
  'CaptureRequest.amount': 'In minor units; without it, all that is left',
  'CaptureRequest.final': 'Whether the hold ends, and the payer gets back what is left after this capture',
  evidence: 'How the operator knows; at most 512 UTF-16 units',
  external: 'Money that left for the world outside; negative when more came in',
  externalReference: 'An id of the caller, such as an invoice number; at most 128 UTF-16 units',
  failure: 'Why it failed',
  items: 'The page',
  kind: 'What is wrong',
  message: 'For people',
  metadata: 'Texts of the caller, by names of the caller',
  mutedEvents: 'Types of events for which the owner gets no notification',
  name: "The account's holder; at most 128 UTF-16 units",
  originalTransactionId:
    'For a return: the withdrawal whose payment came back; for a capture: the hold; for a refund: what it gives back',
  outcome: 'How it ended',
  ownerId: 'The owner: the `sub` of its tokens',
  passId: 'The id of the pass',
  path: 'The field, parameter or header; empty for the whole body',
  payments: "Lines of the bank's statement",
  postings: 'All postings so far, in order',
  principal: "The `sub` of the actor's token",
  push: 'By a message to a device',
  reason: 'The result of the visit',
  'ApproveRequest.reason': 'Why it is approved; stays on the approval',
  'RejectRequest.reason': 'Why it is rejected; stays on the approval',
  'CancelRequest.reason': 'Why it is cancelled; stays on the transaction',
  'RefundRequest.amount': 'In minor units; without it, all that is left',
  'RefundRequest.chargeback':
    'For operators and charges: the world outside has taken the money already, so it is booked whatever the balance',
  'RefundRequest.reason': 'Why it is refunded; both parties see it',
  'ReleaseRequest.reason': 'Why it is released; stays on the hold',
  receiptCode: 'The code that finds the receipt',
  reference: 'The id of the transaction',
  resolution: 'How an operator ended the withdrawal',
  returnTransactionId: 'For a withdrawal whose payment came back: the return',
  runs: 'Invocations that the pass has taken',
  sms: 'By text message',
  stage: 'The stage of the pass',
  status: 'The state that it is in',
  'Problem.status': 'The status of the answer',
  'Problem.type': 'Always `about:blank`: the code says more',
  statusAfter: 'The status of the wallet after the change',
  submitted: 'Whether the payment was submitted on this visit, and not only asked about',
  sum: 'The sum of the three, zero in sound books',
  title: 'The title of the code, the same for every case',
  toWalletId: 'The receiving wallet',
  transactionId: 'The id of the transaction',
  transactions: 'Transactions',
  transfers: 'The queue of transfers',
  transit: 'Money between two wallets',
  type: 'The kind of transaction',
  version: 'Counts the changes of the wallet; 0 is its opening',
  walletId: 'The id of the wallet',
  wallets: 'Wallets',
  'Pass.wallets': 'Wallets, or the sum of their money',
  withdrawals: 'The queue of withdrawals',
};

/** Parameters in the path and the query, by name. */
export const parameterTexts: Readonly<Record<string, string>> = {
  approvalId: 'The id of the approval',
  'approvals.status': '`asked`: those that can be approved; `expired`: those whose time is over',
  at: 'The moment of the balance; bookings at that moment are included. Not in the future, and not together with consistent',
  consistent: '`true` shows every command that was answered before',
  cursor: 'The `nextCursor` of the page before, with the same other parameters',
  from: 'Only transactions created at this moment or later',
  limit: 'Items on a page',
  ownerId: 'For operators: the owner, if it is not the caller',
  receiptCode: 'The code of the receipt',
  status: 'Only transactions in this state',
  to: 'Only transactions created before this moment',
  transactionId: 'The id of the transaction',
  'holds.transactionId': 'The id of the hold',
  type: 'Only transactions of this kind',
  walletId: 'The id of the wallet',
};

/** Scopes of tokens, by name. */
export const scopeTexts: Readonly<Record<string, string>> = {
  read: "Read one's own wallets and transactions",
  write: "Move money out of one's own wallets, and open them",
  charge: 'Book money into every wallet, and open wallets for their owners',
  support: 'Read every wallet; freeze and close wallets; cancel withdrawals, and release holds',
  decide: 'End withdrawals in review, unfreeze wallets, and set their limits',
  operate: 'All that charge, support and decide allow; it alone also moves money out of the wallets of others',
};

/**
 * Returns the text of a name.
 *
 * @throws for a name that `texts` lacks
 */
export function textFor(texts: Readonly<Record<string, string>>, name: string, schema = ''): string {
  const text = texts[`${schema}.${name}`] ?? texts[name];
  if (text === undefined) throw new Error(`openapi-texts.ts has no text for ${schema} ${name}`);
  return text;
}
