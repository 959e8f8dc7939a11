import { dynamodbClient } from '../aws/clients.ts';
import { readEnvironment } from '../aws/environment.ts';
import { serve } from '../http/http.ts';
import { statusCommand } from '../http/status-command.ts';
import { openTable } from '../store/table.ts';

/**
 * `POST /wallets/{walletId}/unfreeze`: lets money move again, also out of a closed wallet that it came back to.
 * Withdrawals that waited go on within six minutes. Owners do not unfreeze their own wallets.
 */
export const unfreeze = statusCommand('unfreeze', 'active');

const env = readEnvironment('unfreeze');
export const handler = serve(unfreeze, { table: openTable(dynamodbClient(), env.TABLE_NAME) });
