/**
 * Lines of the export of a Formance ledger (`POST /v2/{ledger}/logs/export`) as lines of an import. A wallet is an account with an
 * asset. Each posting between two wallets is a transfer, and one to or from any other account a charge or withdrawal.
 */
import * as z from 'zod/mini';
import { decimalsOf } from '../../lambdas/domain/minor-units.ts';
import type { RawRecord } from './record.ts';
import { LineError, quoted } from './refusals.ts';

const posting = z.object({
  source: z.string(),
  destination: z.string(),
  amount: z.union([z.number(), z.string()]),
  asset: z.string(),
});
const log = z.object({
  type: z.string(),
  data: z.object({
    transaction: z.object({
      id: z.union([z.number(), z.string()]),
      postings: z.array(posting),
      timestamp: z.string(),
      reference: z.optional(z.string()),
    }),
  }),
});
/** Logs that move no money. */
const others = ['SET_METADATA', 'DELETE_METADATA', 'INSERTED_SCHEMA'];
const moving = ['NEW_TRANSACTION', 'REVERTED_TRANSACTION'];

/** `USD/2`: a currency and its decimals; without them the asset has none. */
const assetFormat = /^([A-Z]{3})(?:\/(\d{1,2}))?$/;

/**
 * Returns a function that translates a line of the export. It opens each wallet with the first posting that names it, and so
 * must get the lines in their order.
 *
 * @param accounts the accounts that are wallets; its group `owner` is the owner, without it the whole name
 */
export function formanceTranslator(accounts: RegExp): (raw: RawRecord) => RawRecord[] {
  const seen = new Set<string>();
  return (raw) => {
    const { type } = raw;
    if (typeof type === 'string' && others.includes(type)) return [];
    if (typeof type !== 'string' || !moving.includes(type)) {
      throw new LineError('unknown_kind', `the type ${quoted(type)} is none of a Formance log`);
    }
    const parsed = z.safeParse(log, raw);
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      throw new LineError('bad_member', `${quoted(issue?.path.join('.') ?? '')}: ${issue?.message ?? ''}`);
    }
    const { id, postings, timestamp: date, reference } = parsed.data.data.transaction;
    return postings.flatMap((one, index) => {
      const [from, to] = [walletOf(one.source, one.asset, accounts), walletOf(one.destination, one.asset, accounts)];
      const opened = [from, to].flatMap((wallet) => {
        if (wallet === undefined || seen.has(wallet.id)) return [];
        seen.add(wallet.id);
        // Without a date: a later line may have an earlier time.
        return [{ kind: 'wallet', ...wallet }];
      });
      const facts = { id: postings.length === 1 ? String(id) : `${id}/${index}`, amount: one.amount, date };
      const movement = { ...facts, ...movementOf(from?.id, to?.id), externalReference: reference };
      return 'kind' in movement && String(one.amount) !== '0' ? [...opened, movement] : opened;
    });
  };
}

function movementOf(from: string | undefined, to: string | undefined) {
  if (from !== undefined && to !== undefined) return { kind: 'transfer', wallet: from, toWallet: to };
  if (to !== undefined) return { kind: 'charge', wallet: to };
  return from === undefined ? {} : { kind: 'withdrawal', wallet: from };
}

/** Returns the wallet of an account and an asset; undefined where the account is none. */
function walletOf(account: string, asset: string, accounts: RegExp) {
  const match = accounts.exec(account);
  if (match === null) return undefined;
  const [, currency, decimals = '0'] = assetFormat.exec(asset) ?? [];
  if (currency === undefined || Number(decimals) !== decimalsOf(currency)) {
    throw new LineError('bad_currency', `the asset ${quoted(asset)} is no currency with the decimals of ISO 4217`);
  }
  return { id: `${account} ${currency}`, ownerId: match.groups?.['owner'] ?? account, currency };
}
