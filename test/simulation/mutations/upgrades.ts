/** Mutations of a release that meets items and messages of a newer one. The histories of an upgrade show them. */
import type { Edit, Mutation } from '../mutation.ts';

const upgrades = 'test/simulation/upgrade.test.ts';

function mutation(name: string, ...edits: Edit[]): Mutation {
  return { name, edits, test: upgrades };
}

export const upgradeMutations: readonly Mutation[] = [
  mutation('drop a newer message', {
    file: 'lambdas/aws/consumer.ts',
    text: 'throw new Error(`message of version ${String(version)}',
    replacement: 'return undefined; throw new Error(`message of version ${String(version)}',
  }),
  mutation('read a newer item as if it were of this version', {
    file: 'lambdas/store/unreadable.ts',
    text: 'const { v = itemVersion, type } = item;',
    replacement: 'const { type } = item; const v: number = itemVersion;',
  }),
  mutation(
    'claim a newer withdrawal',
    {
      file: 'lambdas/store/withdrawal-claims.ts',
      text: 'if: `#type = :withdrawal AND ${ofTransactionVersion.if} AND #status IN',
      replacement: 'if: `#type = :withdrawal AND #status IN',
    },
    { file: 'lambdas/store/withdrawal-claims.ts', text: '      ...ofTransactionVersion.values,\n', replacement: '' },
  ),
  mutation(
    'use a newer wallet',
    {
      file: 'lambdas/store/movements.ts',
      text: 'if: `${ofThisVersion.if} AND #status = :active',
      replacement: 'if: `#status = :active',
    },
    {
      file: 'lambdas/store/movements.ts',
      text: "values: { ...ofThisVersion.values, active: 'active'",
      replacement: "values: { active: 'active'",
    },
  ),
  mutation('drop a member that only a newer release knows', {
    file: 'lambdas/store/withdrawal-update.ts',
    text: "const endOfWork = 'dueShard,",
    replacement: "const endOfWork = 'channel, dueShard,",
  }),
  mutation('put an item back to the version of this release', {
    file: 'lambdas/store/movements.ts',
    text: '      set: `${set}, ${stamp}`,\n        if: `held',
    replacement: '      set: `${set}, v = :one, ${stamp}`,\n        if: `held',
  }),
];
