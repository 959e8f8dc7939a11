import { dynamodbClient } from '../aws/clients.ts';
import { readEnvironment } from '../aws/environment.ts';
import { serve } from '../http/http.ts';
import { statusCommand } from '../http/status-command.ts';
import { openTable } from '../store/table.ts';

/** `POST /wallets/{walletId}/close`: ends an empty wallet for good. */
export const close = statusCommand('close', 'closed');

const env = readEnvironment('close');
export const handler = serve(close, { table: openTable(dynamodbClient(), env.TABLE_NAME) });
