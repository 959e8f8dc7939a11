import type { Environment } from '../contract.ts';
import { dynamodbClient } from '../aws/clients.ts';
import { serve } from '../http/http.ts';
import { statusCommand } from '../http/status-command.ts';
import { openTable } from '../store/table.ts';

/**
 * `POST /wallets/{walletId}/unfreeze`: lets money move again, also out of a closed wallet that it came back to.
 * Withdrawals that waited go on within six minutes. Owners do not unfreeze their own wallets.
 */
export const unfreeze = statusCommand('unfreeze', 'active');

export const open = (environment: Environment<'unfreeze'>) =>
  serve(unfreeze, { table: openTable(dynamodbClient(), environment.TABLE_NAME) });
