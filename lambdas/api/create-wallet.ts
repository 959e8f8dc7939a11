import * as z from 'zod/mini';
import type { Environment } from '../contract.ts';
import { asOpened } from '../domain/wallet.ts';
import { ownerNamedBy } from '../http/caller.ts';
import { dynamodbClient } from '../aws/clients.ts';
import { positiveInteger } from '../aws/environment.ts';
import { command, serve } from '../http/http.ts';
import { committed } from '../http/committed.ts';
import { openLimits } from '../http/limits.ts';
import { annotations, fields } from '../http/body-fields.ts';
import { walletView } from '../views/wallet-view.ts';
import { openTable } from '../store/table.ts';
import { createWallet as openNewWallet } from '../store/open-wallet.ts';
import { getDetails } from '../store/wallet-details.ts';

const body = z.strictObject({
  currency: fields.currency,
  ownerId: z.optional(fields.text(128)),
  name: z.optional(fields.text(128)),
  metadata: annotations.metadata,
});

/** `POST /wallets`: opens an empty wallet for the caller, or for any owner when the caller is an operator. */
export const createWallet = command({
  name: 'create-wallet',
  body,
  async handle({ caller, body, operation, rate }, { table }) {
    const { name, metadata } = body;
    const details = name === undefined && metadata === undefined ? undefined : { name, metadata };
    const { wallet, replayed } = await openNewWallet(table, operation, {
      ownerId: ownerNamedBy(caller, body.ownerId),
      currency: body.currency,
      details,
      rate,
    });
    // The scope `charge` opens wallets of owners and does not read them, so a repetition must not show a later balance or name.
    const isOperator = caller.kind === 'operator';
    const shown = isOperator ? asOpened(wallet) : wallet;
    const shownDetails = isOperator || !replayed ? details : await getDetails(table, wallet);
    return committed(201, walletView(shown, caller.kind, table.now(), shownDetails), replayed);
  },
});

export const open = (environment: Environment<'create-wallet'>) =>
  serve(createWallet, {
    table: openTable(dynamodbClient(), environment.TABLE_NAME),
    limits: openLimits({
      readsPerHour: positiveInteger(environment, 'READS_PER_HOUR'),
      refusalsPerHour: positiveInteger(environment, 'REFUSALS_PER_HOUR'),
      perHour: positiveInteger(environment, 'WALLETS_PER_HOUR'),
    }),
  });
