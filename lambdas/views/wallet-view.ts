import type * as z from 'zod';
import { windowsOf } from '../domain/limits.ts';
import type { LimitedWindow, WalletLimits } from '../domain/limits.ts';
import type { LimitsChange, Wallet } from '../domain/wallet.ts';
import type { StoredDetails, WalletDetails } from '../domain/wallet-details.ts';
import type { namedSchemas } from './answer-schemas.ts';
import type { EventOf } from './event-schemas.ts';
import { everyAudience, internal, operatorOnly, shown, sorted } from './view.ts';
import type { Audience, View } from './view.ts';

/** The audiences of a wallet: a counterparty never sees it. */
export type WalletAudience = Exclude<Audience, 'counterparty'>;

/** A wallet with the fields that are computed for its views, and its details. */
export interface ShownWallet extends Omit<Wallet, 'lastLimitsChange'>, WalletDetails {
  readonly balance: z.output<(typeof namedSchemas)['Balance']>;
  /** Events lack it: it is the state at a time. */
  readonly limitWindows?: readonly LimitedWindow[] | undefined;
  /** The change with the version of the limits that it made. An event lacks the actor and the reason. */
  readonly lastLimitsChange?: (ShownChange & Partial<LimitsChange>) | undefined;
}
type ShownChange = Pick<LimitsChange, 'at' | 'tier'> & { readonly version: number };

/** The view of a wallet. */
export const walletFields: View<ShownWallet, WalletAudience> = {
  walletId: everyAudience,
  ownerId: everyAudience,
  currency: everyAudience,
  status: everyAudience,
  balance: everyAudience,
  chargedBack: everyAudience,
  createdAt: everyAudience,
  updatedAt: everyAudience,
  lastStatusChange: {
    operator: ({ status, at, actor, reason, approvedBy }) => ({ status, at, actor, reason, approvedBy }),
    // Without the operator and the reason, which may be a suspicion.
    owner: ({ status, at }) => ({ status, at }),
    // The event names the actor and the reason itself.
    subscriber: ({ status, at }) => ({ status, at }),
  },
  limits: { operator: limitsOf, owner: limitsOf, subscriber: limitsOf },
  lastLimitsChange: {
    operator: ({ version, at, tier, actor, reason, approvedBy }) => ({ version, at, tier, actor, reason, approvedBy }),
    // As for the status, without the operator and the reason.
    owner: limitsChangeOf,
    subscriber: limitsChangeOf,
  },
  // The event of their change has them.
  name: { operator: true, owner: true, subscriber: false },
  alias: { operator: true, owner: true, subscriber: false },
  metadata: { operator: sorted, owner: sorted, subscriber: false },
  createdBy: operatorOnly,
  limitWindows: { operator: true, owner: true, subscriber: false },
  // In `lastLimitsChange`.
  limitsVersion: internal,
  // In `limitWindows`.
  used: internal,
  // In `balance`.
  available: internal,
  held: internal,
  total: internal,
  version: internal,
  isCrowded: internal,
  mostCredit: internal,
  hasDetails: internal,
  // The history shows them.
  scheduled: internal,
  orders: internal,
  importedVersion: internal,
  lastTransactionId: internal,
};

type WalletView = z.output<(typeof namedSchemas)['Wallet']>;

/** Returns a wallet with its details, where it has some, as an audience sees it at a time, epoch ms. */
export function walletView(
  wallet: Wallet,
  audience: 'operator' | 'owner',
  now: number,
  { name, alias, metadata }: WalletDetails = {},
): WalletView {
  const windows = windowsOf(wallet, new Date(now).toISOString());
  const source = {
    ...shownWallet(wallet),
    name,
    alias,
    metadata,
    ...(windows.length > 0 && { limitWindows: windows }),
  };
  return shown(walletFields, source, audience) as WalletView;
}

/** Returns a wallet as events carry it. */
export function publishedWallet(wallet: Wallet): EventOf<'wallet.created'>['wallet'] {
  return shown(walletFields, shownWallet(wallet), 'subscriber') as EventOf<'wallet.created'>['wallet'];
}

/** The view of the details of a wallet on the bus. */
const detailsFields: View<StoredDetails, 'subscriber'> = {
  walletId: everyAudience,
  name: everyAudience,
  alias: everyAudience,
  metadata: { subscriber: sorted },
  version: everyAudience,
  updatedAt: everyAudience,
  // The event names the owner and the actor itself.
  ownerId: internal,
  changedBy: internal,
};

/** Returns the details of a wallet as events carry them. */
export function publishedDetails(details: StoredDetails): EventOf<'wallet.changed'>['details'] {
  return shown(detailsFields, details, 'subscriber') as EventOf<'wallet.changed'>['details'];
}

function shownWallet({ lastLimitsChange: change, ...wallet }: Wallet): ShownWallet {
  const { limitsVersion: version = 0 } = wallet;
  return { ...wallet, balance: balanceView(wallet), ...(change && { lastLimitsChange: { version, ...change } }) };
}

function limitsChangeOf({ version, at, tier }: ShownChange): ShownChange {
  return { version, at, tier };
}

/** Returns limits with their members in order: the database keeps none. */
export function limitsOf({ out, in: into, minimumBalance, creditLine, maximumBalance }: WalletLimits): WalletLimits {
  const flow = ({ perTransaction, perDay, perMonth }: NonNullable<WalletLimits['out']>) => ({
    perTransaction,
    perDay,
    perMonth,
  });
  return { out: out && flow(out), in: into && flow(into), minimumBalance, creditLine, maximumBalance };
}

/** Returns the limits of a wallet, as an operator sees them. */
export function walletLimitsView({
  walletId,
  limits = {},
  limitsVersion: version = 0,
  lastLimitsChange: change,
}: Wallet): z.output<(typeof namedSchemas)['WalletLimits']> {
  const { tier, at: setAt, actor: setBy, reason, approvedBy } = change ?? {};
  return { walletId, limits: limitsOf(limits), tier, version, setAt, setBy, reason, approvedBy };
}

/** Returns a wallet's balance: amounts in minor units, `version` counting the changes of the wallet. */
export function balanceView({ walletId, currency, available, held, total, version }: Wallet) {
  return { walletId, currency, available, held, total, version };
}
