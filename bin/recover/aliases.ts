/** Makes the aliases agree with the events and the wallets. */
import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { aliasNameOf, withoutWallet } from '../../lambdas/domain/alias.ts';
import type { Alias } from '../../lambdas/domain/alias.ts';
import { aliasItem } from '../../lambdas/store/aliases.ts';
import { takenAliasesKey } from '../../lambdas/store/keys.ts';
import { withRetries } from '../../lambdas/store/table.ts';
import type { Recovery } from './recovery.ts';

/**
 * Gives each alias that events show to its owner again, without a wallet: another owner must not take it, and its owner decides
 * anew who is paid. Counts each alias among those that its owner took. Removes from an alias each wallet that does not exist, and each that an event shows without it.
 */
export async function mendAliases(recovery: Recovery): Promise<void> {
  await putBackAliases(recovery);
  await countUncounted(recovery);
  const { copy, report, table, at } = recovery;
  for (const { item } of copy.query({ item: 'text' }, 'SELECT item FROM aliases ORDER BY name').all()) {
    const before = JSON.parse(item) as Alias;
    let after = before;
    for (const [currency, walletId] of Object.entries(before.wallets)) {
      const fault = faultOf(recovery, before, walletId);
      if (fault === undefined) continue;
      report.repairs('alias', `@${before.alias}`, `pays ${walletId} no more, ${fault}`);
      after = withoutWallet(after, { walletId, currency }, at) ?? after;
    }
    if (after === before) continue;
    await recovery.put(table, aliasItem({ ...after, version: before.version + 1 }), { ...before });
  }
}

/** Returns why an alias must not pay this wallet; undefined when it may. */
function faultOf({ copy }: Recovery, { alias, ownerId }: Alias, walletId: string): string | undefined {
  const wallet = copy.wallet(walletId);
  if (wallet === undefined) return 'which does not exist';
  if (wallet.ownerId !== ownerId) return 'which is of another owner';
  const last = copy
    .query(
      { alias: 'text' },
      'SELECT alias FROM alias_events WHERE wallet_id = ? ORDER BY at DESC, version DESC LIMIT 1',
    )
    .first(walletId);
  const isOther = last !== undefined && aliasNameOf(last.alias) !== aliasNameOf(alias);
  return isOther ? 'from which it was removed since' : undefined;
}

async function putBackAliases(recovery: Recovery): Promise<void> {
  const { copy, report, table, at: updatedAt } = recovery;
  const shown = copy.query(
    { alias: 'text', owner_id: 'text' },
    "SELECT alias, owner_id FROM alias_events WHERE alias <> '' ORDER BY at, wallet_id, version",
  );
  for (const { alias, owner_id: ownerId } of shown.all()) {
    const known = copy.query({ item: 'text' }, 'SELECT item FROM aliases WHERE name = ?').first(aliasNameOf(alias));
    if (known === undefined) {
      const item: Alias = { alias, ownerId, wallets: {}, version: 1, updatedAt };
      // First, as a second run finds the alias and counts nothing.
      await countAgain(recovery, ownerId, aliasNameOf(alias));
      report.repairs('alias', `@${alias}`, `is of ${ownerId} again, and pays no wallet until it is set again`);
      await recovery.put(table, aliasItem(item), undefined);
      copy.putAlias(item);
      continue;
    }
    const { ownerId: holder } = JSON.parse(known.item) as Alias;
    if (holder === ownerId) continue;
    const detail = `an event shows it as that of ${ownerId}, and ${holder} has it`;
    report.differs({ kind: 'alias_twice', subject: `@${alias}`, detail, remedy: 'ask both owners who is known by it' });
  }
}

/** Counts the aliases that the restore has torn from the record of those that their owner took. */
async function countUncounted(recovery: Recovery): Promise<void> {
  const { copy, report } = recovery;
  const uncounted = copy.query(
    { name: 'text', owner_id: 'text' },
    `SELECT name, json_extract(item, '$.ownerId') AS owner_id FROM aliases
      WHERE (name, json_extract(item, '$.ownerId')) NOT IN (SELECT name, owner_id FROM counted_aliases) ORDER BY name`,
  );
  for (const { name, owner_id: ownerId } of uncounted.all()) {
    report.repairs('alias', `@${name}`, `counts again among those of ${ownerId}`);
    await countAgain(recovery, ownerId, name);
  }
}

/** Adds a name to those that its owner took. To add it twice changes nothing. */
async function countAgain(recovery: Recovery, ownerId: string, name: string): Promise<void> {
  const { copy, table } = recovery;
  const command = new UpdateCommand({
    TableName: table.name,
    Key: takenAliasesKey(ownerId),
    UpdateExpression: 'ADD aliases :names',
    ExpressionAttributeValues: { ':names': new Set([name]) },
  });
  await recovery.write(() => withRetries(table, () => table.client.send(command)));
  copy.putCountedAlias(name, ownerId);
}
