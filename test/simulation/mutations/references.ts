/** Mutations of references that commands have for themselves alone. */
import { mutation } from '../mutation.ts';
import type { Mutation } from '../mutation.ts';

const references = 'lambdas/store/references.ts';

export const referenceMutations: readonly Mutation[] = [
  mutation(
    'take a reference that is taken',
    references,
    "'attribute_not_exists(pk) OR transactionId = :transaction'",
    "'attribute_not_exists(pk) OR attribute_exists(pk) OR transactionId = :transaction'",
    'pay by a reference that is taken',
  ),
  mutation(
    'leave the references of legs out of the write',
    'lambdas/store/splits.ts',
    'referenceItems(table, leg).map((item) => namingLeg(index, item, undefined))',
    'referenceItems(table, leg).slice(1).map((item) => namingLeg(index, item, undefined))',
    'split by a reference that is taken',
  ),
  mutation(
    'leave the references of lines out of the write',
    'lambdas/store/payments.ts',
    '...references.map(({ item }) => item),',
    '',
    'send a batch by references, one of them taken',
  ),
  mutation(
    'take the reference of a capture from those of its payer',
    references,
    "if (transaction.type !== 'capture') return transaction.ownerId;",
    'if (transaction.amount > 0) return transaction.ownerId;',
    'capture by a reference that its receiver has',
  ),
  mutation(
    'leave the record of a reference out of the write',
    'lambdas/store/commit.ts',
    '...referenceItems(table, transaction), ',
    '',
    'pay by a reference of its own',
  ),
  mutation(
    'take a reference from all owners',
    'lambdas/store/keys.ts',
    "const scope = ownerId === undefined ? ['operators'] : ['owner', ownerId];",
    "const scope = ownerId === undefined ? ['operators'] : ['owner'];",
    'pay by a reference that another owner has',
  ),
  mutation(
    'find by a reference in the index of all owners',
    'lambdas/api/find-transactions.ts',
    'if (isOperator && externalReference !== undefined) {',
    'if (externalReference !== undefined) {',
    'find by a reference',
  ),
];
