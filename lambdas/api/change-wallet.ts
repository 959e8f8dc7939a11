import * as z from 'zod/mini';
import type { Environment } from '../contract.ts';
import { aliasIn, aliasNameOf, aliasPattern, longestAlias, shortestAlias } from '../domain/alias.ts';
import { dynamodbClient } from '../aws/clients.ts';
import { positiveInteger } from '../aws/environment.ts';
import { fields, maxMetadataKeys, metadataOf, metadataValue, tooManyKeys } from '../http/body-fields.ts';
import { command, serve } from '../http/http.ts';
import { committed } from '../http/committed.ts';
import { openLimits } from '../http/limits.ts';
import { invalid } from '../http/request.ts';
import { openTable } from '../store/table.ts';
import { changeDetails } from '../store/wallet-details.ts';
import { walletView } from '../views/wallet-view.ts';

const badAlias = 'must be a letter and then letters and digits, with single dots or underscores between them';
const alias = z.string().check(
  z.minLength(shortestAlias),
  z.maxLength(longestAlias),
  z.regex(new RegExp(`^${aliasPattern}$`), badAlias),
  z.refine((text) => aliasNameOf(text).length >= shortestAlias, `must have ${shortestAlias} letters and digits`),
);

const body = z
  .strictObject({
    name: z.optional(z.nullable(fields.text(128))),
    alias: z.optional(z.nullable(alias)),
    metadata: z.optional(z.nullable(metadataOf(z.nullable(metadataValue)))),
  })
  .check(
    z.refine(({ name, alias, metadata }) => [name, alias, metadata].some((member) => member !== undefined), {
      message: 'is required, unless alias or metadata is given',
      path: ['name'],
    }),
  );

/**
 * `PATCH /wallets/{walletId}`: changes the name, the alias and the metadata of a wallet, as a JSON Merge Patch. `null`
 * removes the name, the alias, all metadata, or one key of the metadata. A member that is absent stays as it is. For the
 * wallet's owner and for operators. No other party sees name and metadata.
 */
export const changeWallet = command({
  name: 'change-wallet',
  body,
  async handle({ caller, path, body: patch, operation, rate }, { table }) {
    const { ownerId } = caller;
    const changed = await changeDetails(table, operation, {
      ...{ walletId: path['walletId'] ?? '', ownerId, rate },
      patch: { ...patch, ...(typeof patch.alias === 'string' && { alias: aliasIn(patch.alias) }) },
      refusalOf: ({ metadata = {} }) =>
        Object.keys(metadata).length > maxMetadataKeys
          ? invalid([{ path: 'metadata', message: tooManyKeys }])
          : undefined,
    });
    const { wallet, details, replayed } = changed;
    return committed(200, walletView(wallet, caller.kind, table.now(), details), replayed);
  },
});

export const open = (environment: Environment<'change-wallet'>) =>
  serve(changeWallet, {
    table: openTable(dynamodbClient(), environment.TABLE_NAME),
    limits: openLimits({
      readsPerHour: positiveInteger(environment, 'READS_PER_HOUR'),
      refusalsPerHour: positiveInteger(environment, 'REFUSALS_PER_HOUR'),
      perHour: positiveInteger(environment, 'WALLETS_PER_HOUR'),
    }),
  });
