/** The kinds of step of random histories, and the amounts and times that they choose from. */

/** The kinds of step, each as often as it is to occur. */
export const frequencies = [
  ...(['withdraw', 'withdraw', 'withdraw', 'withdraw', 'withdraw', 'withdraw', 'withdraw', 'withdraw'] as const),
  ...(['queued', 'queued', 'queued', 'queued', 'queued', 'transfer', 'transfer', 'transfer', 'transfer'] as const),
  ...(['charge', 'charge', 'freeze', 'freeze', 'unfreeze', 'unfreeze', 'close', 'resolve'] as const),
  ...(['returned', 'returned', 'cancel', 'cancel', 'cancel'] as const),
  ...(['get-wallet', 'get-balance', 'get-transaction', 'get-receipt', 'list-transactions', 'list-wallets'] as const),
  ...(['create-wallet', 'health', 'redrive', 'sweep'] as const),
] as const;

/** The commands on holds. They need each other, so a history has all of them or none. */
export const holds = [
  ...(['open-hold', 'open-hold', 'open-hold', 'open-hold', 'open-hold', 'open-hold', 'capture', 'capture'] as const),
  ...(['capture', 'capture', 'capture', 'capture', 'capture', 'capture', 'capture', 'capture'] as const),
  ...(['capture', 'capture', 'release', 'release', 'release', 'release'] as const),
] as const;

/** The requests for past balances, in histories with books. */
export const balances = Array.from({ length: 10 }, () => 'balance-at' as const);

/** The refunds, in histories that have them. */
export const refunds = Array.from({ length: 20 }, () => 'refund' as const);

/** The splits, in histories that have them. */
export const splits = Array.from({ length: 12 }, () => 'split' as const);

/** The commands on limits, in histories with limited wallets. */
export const limits = Array.from({ length: 5 }, () => 'set-limits' as const);

export const holdAmounts = [90, 100, 100, 300, 700] as const;
/** 0: all that is left. */
export const captureAmounts = [0, 0, 0, 1, 30, 40, 60, 300] as const;
/** The times for which holds are opened, ms. The first is hardly long enough. */
export const holdTimes = [60_500, 63_000, 120_000, 600_000] as const;
