import { actorOf } from '../domain/actor.ts';
import type { WalletError } from '../domain/errors.ts';
import { unused, withoutEmpty } from '../domain/limits.ts';
import type { WalletLimits } from '../domain/limits.ts';
import { limitsRefusal } from '../domain/wallet.ts';
import type { LimitsChange, Wallet } from '../domain/wallet.ts';
import { walletKey } from './keys.ts';
import { putOperation, replayedRecord, replayOnly } from './operations.ts';
import type { Operation } from './operations.ts';
import type { Table } from './table.ts';
import { ofThisVersion } from './unreadable.ts';
import { existingWallet, toWallet } from './wallets.ts';
import { denied, update, write } from './write.ts';
import type { WriteItem } from './write.ts';

/** A change of a wallet's limits. */
export interface LimitsRequest {
  readonly walletId: string;
  /** Replaces all limits. When it limits nothing, the wallet has no limits afterwards. */
  readonly limits: WalletLimits;
  /** The name of the tier that the limits were copied from. */
  readonly tier?: string | undefined;
  readonly reason: string;
  /** The version of the limits that the caller expects to replace, 0 for a wallet that never had any; absent: any version. */
  readonly expectedVersion?: number | undefined;
  /** The refusal of a credit line that is larger than the one that the wallet has; absent: the caller may give it. */
  readonly overCredit?: WalletError | undefined;
}

/**
 * Sets the limits of a wallet in any status. What was used in the windows before counts on, unless the wallet had no limits.
 *
 * @param refusal the refusal of a request that no state of the wallet allows; when given, only a replay is answered
 * @throws WalletError `wallet_not_found`, `forbidden` for the owner of the wallet, `limits_changed`, `idempotency_key_reused`,
 * `busy`, `overCredit`, or `refusal`
 * @throws UnreadableItem for a wallet of a newer version; nothing is written then
 */
export async function setWalletLimits(
  table: Table,
  operation: Operation,
  request: LimitsRequest,
  refusal?: WalletError,
): Promise<{ wallet: Wallet; replayed: boolean }> {
  const record = putOperation(table, operation);
  const changes = [...(operation.approval?.items ?? []), limitsUpdate(table, operation, request, true)];
  const items = refusal === undefined ? [record, ...changes] : [replayOnly(record, refusal)];
  const replayed = replayedRecord(await write(table, items)) !== undefined;
  return { wallet: await existingWallet(table, request.walletId), replayed };
}

/**
 * Returns the update of a wallet's limits.
 *
 * @param raisesMostCredit whether its credit line is expected to be the largest that the wallet ever had. The update is made
 *   again when it is not
 */
function limitsUpdate(
  table: Table,
  operation: Operation,
  { walletId, tier, reason, expectedVersion, overCredit, ...request }: LimitsRequest,
  raisesMostCredit: boolean,
): WriteItem {
  const { principal, at, approval } = operation;
  const limits = withoutEmpty(request.limits);
  const { creditLine = 0 } = limits ?? {};
  const lastLimitsChange: LimitsChange = { at, actor: actorOf(operation), reason, tier, approvedBy: approval?.by };
  const set = [
    'limitsVersion = if_not_exists(limitsVersion, :zero) + :one, lastLimitsChange = :change',
    'version = version + :one, updatedAt = :at',
    ...(limits === undefined ? [] : ['limits = :limits, used = if_not_exists(used, :used)']),
    ...(creditLine > 0 && raisesMostCredit ? ['mostCredit = :credit'] : []),
  ];
  const conditions = [
    `attribute_exists(pk) AND ${ofThisVersion.if} AND ownerId <> :principal`,
    ...(expectedVersion === undefined
      ? []
      : [expectedVersion === 0 ? 'attribute_not_exists(limitsVersion)' : 'limitsVersion = :expected']),
    ...(overCredit === undefined ? [] : ['limits.creditLine >= :credit']),
    ...(creditLine === 0
      ? []
      : [raisesMostCredit ? '(attribute_not_exists(mostCredit) OR mostCredit <= :credit)' : 'mostCredit > :credit']),
  ];
  return {
    label: 'wallet limits',
    request: {
      Update: update(table, walletKey(walletId), {
        set: set.join(', '),
        ...(limits === undefined && { remove: 'limits, used' }),
        if: conditions.join(' AND '),
        values: {
          ...ofThisVersion.values,
          zero: 0,
          one: 1,
          at,
          change: lastLimitsChange,
          principal,
          ...(limits && { limits, used: unused(at) }),
          ...(expectedVersion !== undefined && expectedVersion > 0 && { expected: expectedVersion }),
          ...(creditLine > 0 && { credit: creditLine }),
        },
      }),
    },
    refused: (image) => {
      const wallet = toWallet(image);
      const refusal = denied(limitsRefusal(wallet, { principal, expectedVersion }));
      if (refusal !== undefined || wallet === undefined || creditLine === 0) return refusal;
      if (overCredit !== undefined && (wallet.limits?.creditLine ?? 0) < creditLine) return denied(overCredit);
      const isMost = (wallet.mostCredit ?? 0) <= creditLine;
      if (isMost === raisesMostCredit) return undefined;
      const again = { walletId, tier, reason, expectedVersion, overCredit, ...request };
      return { kind: 'outdated', again: limitsUpdate(table, operation, again, isMost) };
    },
  };
}
