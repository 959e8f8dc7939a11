/** What a line says, whatever its format: a wallet, an opening balance, or a past transaction. */
import * as z from 'zod/mini';
import { currencyOfWalletId } from '../../lambdas/domain/ids.ts';
import { annotations, destination, fields } from '../../lambdas/http/body-fields.ts';
import { limits, LineError, quoted } from './refusals.ts';
import { minorUnitsOf, momentOf } from './values.ts';
import type { AmountStyle, Moment } from './values.ts';

/** A wallet of the other system. */
export interface WalletRecord {
  readonly kind: 'wallet';
  /** Its id in the other system. */
  readonly id: string;
  readonly ownerId: string;
  readonly currency: string;
  readonly name?: string | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  /** When it was opened; absent: with its first transaction. */
  readonly opened?: Moment | undefined;
  /** Its id here, where it has one already; absent: one is made. */
  readonly walletId?: string | undefined;
}

/** The kinds of lines that move money. */
export const movementKinds = ['opening', 'charge', 'withdrawal', 'transfer'] as const;
export type MovementKind = (typeof movementKinds)[number];

/** A movement of money in the other system. Wallets have their ids there. */
export interface MovementRecord {
  readonly kind: MovementKind;
  /** Its id in the other system. That of an opening balance is its wallet's. */
  readonly id: string;
  readonly wallet: string;
  /** The receiver of a transfer. */
  readonly toWallet?: string | undefined;
  /** Minor units. 0 only for an opening balance, which then is none. */
  readonly amount: number;
  /** Absent: that of the wallet. */
  readonly currency?: string | undefined;
  readonly date: Moment;
  readonly externalReference?: string | undefined;
  readonly description?: string | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  /** The account that a withdrawal paid, and its holder. */
  readonly account?: string | undefined;
  readonly accountName?: string | undefined;
}

export type ImportRecord = WalletRecord | MovementRecord;

/** A line as its format has it: members by name. */
export type RawRecord = Readonly<Record<string, unknown>>;

const id = fields.text(limits.id);
const annotated = { currency: z.optional(fields.currency), ...annotations };
const moved = { id, wallet: id, ...annotated };
/** The members of each kind, but for dates and amounts. */
const schemas = {
  wallet: z.strictObject({
    id,
    ownerId: fields.text(128),
    currency: fields.currency,
    name: z.optional(fields.text(128)),
    metadata: annotations.metadata,
    walletId: z.optional(z.string()),
  }),
  opening: z.strictObject({ wallet: id, ...annotated }),
  charge: z.strictObject(moved),
  withdrawal: z.strictObject({
    ...moved,
    account: z.optional(destination.shape.account),
    accountName: z.optional(fields.text(128)),
  }),
  transfer: z.strictObject({ ...moved, toWallet: id }),
};
type Kind = keyof typeof schemas;

/** Names of members of lines, for the columns of CSV. Metadata has columns of its own. */
export const memberNames: readonly string[] = [
  ...new Set(['kind', 'amount', 'date', ...Object.values(schemas).flatMap(({ shape }) => Object.keys(shape))]),
].filter((name) => name !== 'metadata');

/** Words for the kinds. */
const kinds: ReadonlyMap<unknown, Kind> = new Map<unknown, Kind>([
  ...(Object.keys(schemas) as Kind[]).map((kind) => [kind, kind] as const),
  ['credit', 'charge'],
  ['debit', 'withdrawal'],
]);

/** How lines are read. */
export interface Reading {
  readonly amounts: AmountStyle;
  /** Epoch ms. */
  readonly now: number;
}

/**
 * Returns what a line says.
 *
 * @throws LineError
 */
export function recordOf(raw: RawRecord, { amounts, now }: Reading): ImportRecord {
  const { kind: word, amount, date, ...members } = raw;
  const kind = kinds.get(word);
  if (kind === undefined) {
    throw new LineError('unknown_kind', `the kind ${quoted(word)} is none of ${[...kinds.keys()].join(', ')}`);
  }
  if (kind === 'wallet') {
    if (amount !== undefined) {
      throw new LineError('bad_member', 'a wallet has no amount: its opening is a line of its own');
    }
    if (date !== undefined && typeof date !== 'string') throw new LineError('bad_date', 'its date is no text');
    const opened = date === undefined ? undefined : momentOf(date, now);
    return walletOf({ kind, ...parsedBy(schemas.wallet, members), opened });
  }
  const parsed: Omit<MovementRecord, 'kind' | 'id' | 'amount' | 'date'> & { readonly id?: string } = parsedBy(
    schemas[kind],
    members,
  );
  if (typeof amount !== 'string' && typeof amount !== 'number') {
    throw new LineError('missing_member', 'it has no amount');
  }
  if (typeof date !== 'string') throw new LineError('missing_member', 'it has no date as a text');
  if (parsed.wallet === parsed.toWallet) throw new LineError('same_wallet', 'it pays the wallet that it comes from');
  const units = minorUnitsOf(amount, amounts, parsed.currency);
  if (units === 0 && kind !== 'opening') throw new LineError('bad_amount', 'its amount is 0');
  return { ...parsed, kind, id: parsed.id ?? parsed.wallet, amount: units, date: momentOf(date, now) };
}

function walletOf(wallet: WalletRecord): WalletRecord {
  const { walletId, currency } = wallet;
  if (walletId !== undefined && currencyOfWalletId(walletId) !== currency) {
    throw new LineError('bad_member', `walletId ${quoted(walletId)} is no id of a wallet in ${currency}`);
  }
  return wallet;
}

/** Members that may be numbers in JSON. */
const ids = ['id', 'wallet', 'toWallet', 'ownerId', 'externalReference'];

/** Returns the members that a schema allows. Throws LineError. */
function parsedBy<S extends z.ZodMiniType>(schema: S, members: RawRecord): z.output<S> {
  const result = z.safeParse(schema, Object.fromEntries(Object.entries(members).flatMap(member)));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const path = issue?.path.map(String).join('.') ?? '';
  const at = path === '' ? '' : `${quoted(path)}: `;
  if (path === 'currency' && members['currency'] !== undefined) {
    throw new LineError('bad_currency', `${at}${issue?.message ?? ''}`);
  }
  const isMissing = issue?.code === 'invalid_type' && memberNames.includes(path) && members[path] === undefined;
  throw new LineError(
    isMissing ? 'missing_member' : 'bad_member',
    isMissing ? `it has no ${path}` : `${at}${issue?.message ?? ''}`,
  );
}

/** Returns a member as a text; none for a member without a value. */
function member([name, value]: [string, unknown]): [string, unknown][] {
  if (value === undefined || value === null || value === '') return [];
  if (typeof value === 'number' && ids.includes(name) && Number.isSafeInteger(value)) return [[name, String(value)]];
  if (name !== 'metadata' || typeof value !== 'object' || Array.isArray(value)) return [[name, value]];
  const texts = Object.entries(value).flatMap(([key, one]: [string, unknown]): [string, unknown][] => {
    if (one === null || one === '') return [];
    return [[key, typeof one === 'number' || typeof one === 'boolean' ? String(one) : one]];
  });
  return texts.length === 0 ? [] : [[name, Object.fromEntries(texts)]];
}
