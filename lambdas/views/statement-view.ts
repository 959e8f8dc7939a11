import type * as z from 'zod';
import { decimalsOf } from '../domain/minor-units.ts';
import type { ChainedEntry } from '../domain/entries.ts';
import { totalOf } from '../domain/statement.ts';
import type { StatementLine, StatementSums } from '../domain/statement.ts';
import { statementFailures } from '../domain/statement-file.ts';
import type { StatementFile } from '../domain/statement-file.ts';
import type { Wallet } from '../domain/wallet.ts';
import type { namedSchemas } from './answer-schemas.ts';
import { transactionView } from './transaction-view.ts';
import type { Audience } from './view.ts';

/** A statement as every format writes it; amounts in minor units. */
export type StatementView = z.output<(typeof namedSchemas)['Statement']>;
export type LineView = StatementView['lines'][number];
type StatementBalance = StatementView['opening'];

/** The callers of a statement: the owner of its wallet, and operators. */
export type StatementAudience = 'operator' | 'owner';

/** The facts about a statement that are known before its lines. */
export type StatementHead = Omit<StatementView, 'lines' | 'closing' | 'sums' | 'nextCursor'>;

/** The end of a statement: what is known after its lines. */
export type StatementEnd = Pick<StatementView, 'closing' | 'sums' | 'nextCursor'>;

/** A format of statements. A statement is `before`, its lines and `after`. Lines are written before their sums are known. */
export interface StatementFormat {
  /** For `Content-Type`. */
  readonly mediaType: string;
  /** Of a file. */
  readonly extension: string;
  readonly before: (head: StatementHead, end: StatementEnd, madeAt: string) => string;
  /** @param index of the line in the statement, from 0 */
  readonly line: (line: LineView, head: StatementHead, index: number) => string;
  readonly after: (head: StatementHead, end: StatementEnd) => string;
}

/** Returns the beginning of a statement: whose it is, of which period, and what the wallet had before. */
export function statementHead(
  { walletId, currency }: Wallet,
  period: Pick<StatementView, 'from' | 'to' | 'final'>,
  opening: ChainedEntry | undefined,
): StatementHead {
  return { walletId, currency, decimals: decimalsOf(currency), ...period, opening: balanceOf(opening) };
}

/** Returns the balance that an entry left, with its place in the chain of hashes. */
export function balanceOf(entry: ChainedEntry | undefined): StatementBalance {
  if (entry === undefined) return { available: 0, held: 0, total: 0 };
  const { balanceAfter, version, hash } = entry;
  const { available, held } = balanceAfter;
  return { available, held, total: totalOf(balanceAfter), version, hash };
}

/** A link to a file: a URL that needs no token, and until when it works, ISO 8601 UTC. */
export interface FileLink {
  readonly url: string;
  readonly expiresAt: string;
}

/**
 * Returns a statement that is made as a file.
 *
 * @param link to the file, where it is ready
 */
export function statementFileView(file: StatementFile, link: FileLink | undefined) {
  const { statementId, walletId, format, from, to, final, status, opening, closing, createdAt, expiresAt } = file;
  return {
    ...{ statementId, walletId, format, from, to, final, status },
    opening: balanceOf(opening),
    closing: balanceOf(closing),
    ...(file.status === 'ready' && { sums: sumsView(file.sums), file: { bytes: file.fileBytes, ...link } }),
    ...(file.status === 'failed' && { failure: { code: file.failure, message: statementFailures[file.failure] } }),
    createdAt,
    expiresAt,
  };
}

/** Returns the sums of lines. */
export function sumsView({ lines, in: into, out, fees }: StatementSums): StatementView['sums'] {
  return { lines, in: into, out, fees } as StatementView['sums'];
}

/**
 * Returns a line as an audience sees it: of its transaction what the audience sees anyway. An owner who received the money sees
 * it as its counterparty.
 */
export function lineView(line: StatementLine, walletId: string, audience: StatementAudience): LineView {
  const { version, at, transactionId, transaction, amount, fee, isReversal, balance } = line;
  const shown = transaction && transactionView(transaction, audienceOf(transaction.walletId, walletId, audience));
  return {
    ...{ version, at, transactionId, receiptCode: shown?.receiptCode, type: shown?.type ?? 'correction' },
    amount,
    ...(fee !== 0 && { fee }),
    ...(isReversal && { reversal: true }),
    counterparty: shown && counterpartyOf(shown, walletId),
    externalReference: shown?.externalReference,
    description: shown?.description,
    balance,
  } as LineView;
}

function audienceOf(sender: string, walletId: string, audience: StatementAudience): Audience {
  return audience === 'owner' && sender !== walletId ? 'counterparty' : audience;
}

/** Returns the other side of a movement as its view shows it; undefined where that is the world outside. */
function counterpartyOf(
  { walletId: sender, counterpartyWalletId, to, destination }: ReturnType<typeof transactionView>,
  walletId: string,
): LineView['counterparty'] {
  if (sender !== walletId) return { walletId: sender };
  if (counterpartyWalletId !== undefined) return { walletId: counterpartyWalletId };
  return to === undefined ? destination : { alias: to };
}
