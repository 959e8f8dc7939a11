import * as z from 'zod/mini';
import { workMessage } from '../contract.ts';
import type { Environment, WorkMessage } from '../contract.ts';
import { actorOf } from '../domain/actor.ts';
import { WalletError } from '../domain/errors.ts';
import { statementIdOf, transactionIdOfStatement } from '../domain/ids.ts';
import { askAgainAt, filesCountedFor, formatNames, seesFile, statementFileDays } from '../domain/statement-file.ts';
import type { FailedFile, StatementFile, StatementFileTerms } from '../domain/statement-file.ts';
import { dynamodbClient, sqsClient } from '../aws/clients.ts';
import { positiveInteger } from '../aws/environment.ts';
import { openObjects } from '../aws/objects.ts';
import type { FileStore } from '../aws/objects.ts';
import { openQueue } from '../aws/queue.ts';
import type { Queue } from '../aws/queue.ts';
import { describe, logger } from '../aws/telemetry.ts';
import { byRoute } from '../http/by-route.ts';
import { reachable } from '../http/caller.ts';
import { command, query, serve } from '../http/http.ts';
import { committed } from '../http/committed.ts';
import type { CommandCall, LimitedServices } from '../http/http.ts';
import { openLimits } from '../http/limits.ts';
import { periodOf } from '../http/statement-period.ts';
import { timeField } from '../http/time-field.ts';
import {
  acceptStatementFile,
  askAgain,
  getStatementFile,
  repeatedFile,
  restartStatementFile,
} from '../store/statement-files.ts';
import type { RateLimit } from '../store/rate-window.ts';
import { boundsOf } from '../store/statements.ts';
import { openTable } from '../store/table.ts';
import type { Table } from '../store/table.ts';
import { getWallet } from '../store/wallets.ts';
import { fileKeyOf } from '../views/statement-formats.ts';
import { statementFileView } from '../views/statement-view.ts';

/** The services of both routes. */
export interface StatementFileServices extends LimitedServices {
  /** The table of entries. */
  readonly entries: Table;
  /** The table of statement files. */
  readonly statements: Table;
  readonly files: Pick<FileStore, 'linkTo'>;
  readonly queue: Pick<Queue<WorkMessage>, 'send'>;
  /** Changes of a wallet that count as one file. Absent: 100,000. */
  readonly changesOfOne?: number | undefined;
}

const body = z.strictObject({
  from: timeField('up'),
  to: z.optional(timeField('up')),
  format: z.enum(formatNames),
});

const dayMs = 86_400_000;
/** How long the link to a file can be used, s. It needs no token, so it is short. */
const linkSeconds = 300;

/**
 * `POST /wallets/{walletId}/statements`: asks for a statement of any length as a file. What it covers is fixed now: a
 * worker makes the file up to the last entry of the period as the ledger has it.
 */
export const createStatementFile = command<typeof body, StatementFileServices>({
  name: 'create-statement-file',
  body,
  async handle({ caller, path, body: { format, ...times }, operation, transactionId, rate, event }, services) {
    const { table, statements } = services;
    const statementId = statementIdOf(transactionId);
    const { fingerprint, at } = operation;
    const repeated = await repeatedFile(statements, statementId, fingerprint);
    if (repeated) {
      // The same caller may have asked with a token that sees more.
      if (!seesFile(caller, repeated)) throw new WalletError('idempotency_key_reused');
      if (repeated.status === 'failed') return restart(repeated, { at, rate, event }, services);
      return committed(202, await shownAndAsked(repeated, services), true);
    }
    const period = periodOf(times, table.now());
    const wallet = reachable(caller, await getWallet(table, path['walletId'] ?? '', { consistent: true }));
    const { opening, closing } = await boundsOf(services, wallet, period);
    const { kind } = caller;
    const expiresAt = new Date(Date.parse(at) + statementFileDays * dayMs).toISOString();
    const terms = {
      ...{ statementId, walletId: wallet.walletId, by: { ...actorOf(caller), kind }, format, ...period },
      ...{ opening, closing, createdAt: at, expiresAt },
    };
    const asked = { fingerprint, rate: countedFor(terms, rate, services) };
    const { file, replayed } = await acceptStatementFile(services, terms, asked);
    if (!replayed) await ask(services, transactionId, event.requestContext.requestId);
    return committed(202, await shown(file, services), replayed);
  },
});

/** Returns the allowance of a caller to count a file in: the largest file is the only one of its hour. */
function countedFor(terms: StatementFileTerms, rate: RateLimit | undefined, { changesOfOne }: StatementFileServices) {
  return rate && { ...rate, count: Math.min(filesCountedFor(terms, changesOfOne), rate.perHour) };
}

/** Tries a failed statement anew, and answers with it. */
async function restart(
  failed: FailedFile,
  { at, rate, event }: Pick<CommandCall<unknown>, 'rate' | 'event'> & { readonly at: string },
  services: StatementFileServices,
) {
  const { statements } = services;
  const { statementId } = failed;
  const counted = { at, rate: countedFor(failed, rate, services) };
  const isFirst = await restartStatementFile(services, failed, counted);
  if (isFirst) await ask(services, transactionIdOfStatement(statementId), event.requestContext.requestId);
  const file = (await getStatementFile(statements, statementId)) ?? failed;
  return committed(202, await shown(file, services), !isFirst);
}

const noQuery = z.strictObject({});

/** `GET /statements/{statementId}`: whether the file is ready, and a link to it. */
export const getStatementFileRoute = query<typeof noQuery, StatementFileServices>({
  name: 'get-statement-file',
  query: noQuery,
  async handle({ caller, path }, services) {
    const file = await getStatementFile(services.statements, path['statementId'] ?? '');
    if (file === undefined || !seesFile(caller, file)) throw new WalletError('statement_not_found');
    return { status: 200, body: await shownAndAsked(file, services) };
  },
});

/** Returns the view of a statement. Asks for its work again where the message may be lost: no sweeper does. */
async function shownAndAsked(file: StatementFile, services: StatementFileServices) {
  const { statements } = services;
  if (file.status === 'pending' && askAgainAt(file) <= statements.now() && (await askAgain(statements, file))) {
    await ask(services, transactionIdOfStatement(file.statementId));
  }
  return shown(file, services);
}

/** Sends the message for a stored statement. A statement without one is asked for again when its caller looks. */
async function ask({ queue }: StatementFileServices, transactionId: string, requestId?: string): Promise<void> {
  try {
    await queue.send({ ...workMessage(transactionId), requestId });
  } catch (error) {
    logger.error('statement not queued: its caller asks again', { transactionId, error: describe(error) });
  }
}

async function shown(file: StatementFile, { files, statements }: StatementFileServices) {
  if (file.status !== 'ready') return statementFileView(file, undefined);
  const expiresAt = new Date(statements.now() + linkSeconds * 1000).toISOString();
  return statementFileView(file, { url: await files.linkTo(fileKeyOf(file), linkSeconds), expiresAt });
}

/** Opens the function of both routes. */
export function open(environment: Environment<'statement-files'>) {
  const client = dynamodbClient();
  const statements = openTable(client, environment.STATEMENT_TABLE_NAME);
  const limits = openLimits({
    readsPerHour: positiveInteger(environment, 'READS_PER_HOUR'),
    refusalsPerHour: positiveInteger(environment, 'REFUSALS_PER_HOUR'),
    perHour: positiveInteger(environment, 'STATEMENT_FILES_PER_HOUR'),
  });
  const services: StatementFileServices = {
    table: openTable(client, environment.TABLE_NAME),
    entries: openTable(client, environment.ENTRIES_TABLE_NAME),
    statements,
    files: openObjects(environment.STATEMENT_BUCKET),
    queue: openQueue(sqsClient(), environment.STATEMENT_QUEUE_URL),
    limits: {
      ...limits,
      // A repetition beyond a limit is answered. Its record is in the other table.
      isKeyUsed: async (_table, id) => (await getStatementFile(statements, statementIdOf(id))) !== undefined,
    },
  };
  return byRoute('statement-files', {
    'create-statement-file': serve(createStatementFile, services),
    'get-statement-file': serve(getStatementFileRoute, services),
  });
}
