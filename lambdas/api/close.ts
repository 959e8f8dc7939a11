import type { Environment } from '../contract.ts';
import { dynamodbClient } from '../aws/clients.ts';
import { serve } from '../http/http.ts';
import { statusCommand } from '../http/status-command.ts';
import { openTable } from '../store/table.ts';

/** `POST /wallets/{walletId}/close`: ends an empty wallet for good. */
export const close = statusCommand('close', 'closed');

export const open = (environment: Environment<'close'>) =>
  serve(close, { table: openTable(dynamodbClient(), environment.TABLE_NAME) });
