/**
 * Releases of the future, each as changes of the code of today: one that reads items and messages of version 2, and
 * those that write version 2 of one type of item. docs/adr/0021-versions-of-items-and-messages.md has the rules.
 */
import type { Edit } from './mutation.ts';

const edit = (file: string, text: string, replacement: string): Edit => ({
  file: `lambdas/${file}`,
  text,
  replacement,
});

/** Members that only the newer releases know. An earlier release must not remove them. */
export const newMembers = ['channel', 'tier'] as const;

/** Reads versions 1 and 2, and writes version 1. */
export const reading: readonly Edit[] = [
  edit(
    'store/unreadable.ts',
    `'(attribute_not_exists(v) OR v = :itemVersion)', values: { itemVersion }`,
    `'(attribute_not_exists(v) OR v IN (:itemVersion, :nextVersion))', values: { itemVersion, nextVersion: 2 }`,
  ),
  edit(
    'store/unreadable.ts',
    'OR v = :itemVersion OR (v = :feeVersion AND attribute_exists(fee)))',
    'OR v IN (:itemVersion, :feeVersion))',
  ),
  edit('store/unreadable.ts', 'if (v === itemVersion) return;', 'if (v === itemVersion || v === 2) return;'),
  edit('aws/consumer.ts', 'if (version !== workVersion) {', 'if (version !== workVersion && version !== 2) {'),
];

/** What is written besides, by the type of item. An update raises the version of an item that it changes. */
export const writing: Readonly<Record<'transactions' | 'wallets' | 'messages' | 'entries', readonly Edit[]>> = {
  transactions: [
    edit(
      'store/commit.ts',
      '    ...toStored(transaction),\n',
      "    ...toStored(transaction),\n    v: 2,\n    channel: 'api',\n",
    ),
    edit('store/withdrawal-claims.ts', "'#status = :executing, claimId", "'v = :two, #status = :executing, claimId"),
    edit('store/withdrawal-claims.ts', '      ...claim,\n', '      ...claim,\n      two: 2,\n'),
    edit(
      'store/withdrawals.ts',
      "      fingerprint: fingerprintOf(['return', original.transactionId]),\n",
      "      fingerprint: fingerprintOf(['return', original.transactionId]),\n      v: 2,\n      channel: 'bank',\n",
    ),
  ],
  wallets: [
    edit('store/open-wallet.ts', 'v: itemVersion, ...wallet }', "...wallet, v: 2, tier: 'basic' }"),
    edit('store/movements.ts', "const stamp = '", "const stamp = 'v = :two, "),
    edit(
      'store/movements.ts',
      'return { amount: movement.amount, one: 1,',
      'return { amount: movement.amount, two: 2, one: 1,',
    ),
    edit('store/wallets.ts', "set: '#status = :status, version", "set: 'v = :two, #status = :status, version"),
    edit(
      'store/wallets.ts',
      '            status,\n            one: 1,\n',
      '            status,\n            two: 2,\n            one: 1,\n',
    ),
  ],
  messages: [
    edit('contract.ts', 'return { version: workVersion, transactionId };', 'return { version: 2, transactionId };'),
  ],
  entries: [
    edit(
      'store/entries.ts',
      '...entryKey(walletId, version), v: itemVersion,',
      '...entryKey(walletId, version), v: 2,',
    ),
    edit('store/journal.ts', '...{ v: itemVersion, booked,', '...{ v: 2, booked,'),
  ],
};
