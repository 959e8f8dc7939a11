import { dynamodbClient } from '../aws/clients.ts';
import { readEnvironment } from '../aws/environment.ts';
import { serve } from '../http/http.ts';
import { statusCommand } from '../http/status-command.ts';
import { openTable } from '../store/table.ts';

/**
 * `POST /wallets/{walletId}/freeze`: stops money from entering and leaving. A withdrawal that has not left for the bank
 * waits until the wallet is unfrozen. One that may have left still ends.
 */
export const freeze = statusCommand('freeze', 'frozen');

const env = readEnvironment('freeze');
export const handler = serve(freeze, { table: openTable(dynamodbClient(), env.TABLE_NAME) });
