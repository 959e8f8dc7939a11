import { dynamodbClient } from '../runtime/clients.ts';
import { readEnvironment } from '../runtime/environment.ts';
import { serve } from '../runtime/http.ts';
import { statusCommand } from '../runtime/status-command.ts';
import { openTable } from '../store/table.ts';

/** `POST /wallets/{walletId}/close`: ends an empty wallet for good. */
export const close = statusCommand('close', 'closed');

const env = readEnvironment('close');
export const handler = serve(close, { table: openTable(dynamodbClient(), env.TABLE_NAME) });
