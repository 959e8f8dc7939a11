/** Mutations of aliases. */
import { mutation } from '../mutation.ts';
import type { Mutation } from '../mutation.ts';

const aliases = 'lambdas/store/aliases.ts';

export const aliasMutations: readonly Mutation[] = [
  mutation(
    'take an alias that another owner has taken at the same time',
    aliases,
    "? { ConditionExpression: 'attribute_not_exists(pk)' }",
    "? { ConditionExpression: 'attribute_not_exists(pk) OR attribute_exists(pk)' }",
    'take an alias, side by side',
  ),
  mutation(
    'let another owner take an alias that was removed',
    'lambdas/domain/alias.ts',
    'return { ...stored, wallets, version: stored.version + 1, updatedAt: at };',
    "return { ...stored, wallets, version: stored.version + 1, updatedAt: at, ownerId: 'alice' };",
    'take an alias that another owner has removed',
  ),
  mutation(
    'pay a wallet from which an alias was removed',
    'lambdas/domain/alias.ts',
    'const { [currency]: _removed, ...wallets } = stored.wallets;',
    'const { ...wallets } = { ...stored.wallets, [currency]: walletId };',
    'pay by an alias that was removed',
  ),
];
