import { actorOf } from '../domain/actor.ts';
import { walletIdOf } from '../domain/ids.ts';
import { openWallet } from '../domain/wallet.ts';
import type { Wallet } from '../domain/wallet.ts';
import type { WalletDetails } from '../domain/wallet-details.ts';
import { ownedWalletKey, walletKey } from './keys.ts';
import { putOperation, replayedRecord } from './operations.ts';
import type { Operation } from './operations.ts';
import { limitedBy } from './rate-window.ts';
import type { RateLimit } from './rate-window.ts';
import type { Table } from './table.ts';
import { itemVersion } from './unreadable.ts';
import { putFirstDetails } from './wallet-details.ts';
import { existingWallet } from './wallets.ts';
import { write } from './write.ts';

/**
 * Opens an empty wallet: the wallet, its line under its owner, its details if it has some, and the record of the key, in one
 * write.
 *
 * @throws WalletError `idempotency_key_reused`, `rate_limited`, `busy`
 */
export async function createWallet(
  table: Table,
  operation: Operation,
  request: {
    ownerId: string;
    currency: string;
    details?: WalletDetails | undefined;
    rate: RateLimit | undefined;
  },
): Promise<{ wallet: Wallet; replayed: boolean }> {
  const walletId = walletIdOf(operation.principal, operation.idempotencyKey, request.currency);
  const { ownerId, currency, details } = request;
  const wallet = {
    ...openWallet({ walletId, ownerId, currency, at: operation.at, createdBy: actorOf(operation) }),
    ...(details && { hasDetails: true }),
  };
  const limited = limitedBy(table, request.rate, operation.at);
  const items = [
    putOperation(table, operation),
    {
      label: 'wallet',
      request: {
        Put: {
          TableName: table.name,
          Item: { ...walletKey(walletId), v: itemVersion, ...wallet },
          ConditionExpression: 'attribute_not_exists(pk)',
        },
      },
      refused: () => undefined,
    },
    {
      label: "owner's line",
      request: {
        Put: { TableName: table.name, Item: { ...ownedWalletKey(request.ownerId, walletId), walletId } },
      },
      refused: () => undefined,
    },
    ...(details ? [putFirstDetails(table, wallet, details, operation)] : []),
    ...limited.items,
  ];
  const replayed = replayedRecord(await write(table, items, limited.reads)) !== undefined;
  return { wallet: replayed ? await existingWallet(table, walletId) : wallet, replayed };
}
