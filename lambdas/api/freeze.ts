import type { Environment } from '../contract.ts';
import { dynamodbClient } from '../aws/clients.ts';
import { serve } from '../http/http.ts';
import { statusCommand } from '../http/status-command.ts';
import { openTable } from '../store/table.ts';

/**
 * `POST /wallets/{walletId}/freeze`: stops money from entering and leaving. A withdrawal that has not left for the bank
 * waits until the wallet is unfrozen. One that may have left still ends.
 */
export const freeze = statusCommand('freeze', 'frozen');

export const open = (environment: Environment<'freeze'>) =>
  serve(freeze, { table: openTable(dynamodbClient(), environment.TABLE_NAME) });
