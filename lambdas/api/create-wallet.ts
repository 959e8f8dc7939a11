import * as z from 'zod/mini';
import type { Environment } from '../contract.ts';
import { asOpened } from '../domain/wallet.ts';
import { ownerNamedBy } from '../http/caller.ts';
import { dynamodbClient } from '../aws/clients.ts';
import { positiveInteger } from '../aws/environment.ts';
import { command, committed, serve } from '../http/http.ts';
import { openLimits } from '../http/limits.ts';
import { fields } from '../http/body-fields.ts';
import { walletView } from '../views/views.ts';
import { openTable } from '../store/table.ts';
import { createWallet as openNewWallet } from '../store/wallets.ts';

const body = z.strictObject({ currency: fields.currency, ownerId: z.optional(fields.text(128)) });

/** `POST /wallets`: opens an empty wallet for the caller, or for any owner when the caller is an operator. */
export const createWallet = command({
  name: 'create-wallet',
  body,
  async handle({ caller, body, operation, rate }, { table }) {
    const { wallet, replayed } = await openNewWallet(table, operation, {
      ownerId: ownerNamedBy(caller, body.ownerId),
      currency: body.currency,
      rate,
    });
    // The scope `charge` opens wallets of owners and does not read them, so a repetition must not show a later balance.
    const shown = caller.kind === 'operator' ? asOpened(wallet) : wallet;
    return committed(201, walletView(shown, caller.kind, table.now()), replayed);
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
