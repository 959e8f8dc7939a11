/** The parts of the service that a command needs. */
import type { Construct } from 'constructs';
import { defaultDueShards } from '../lambdas/contract.ts';
import type { AddAlarm } from './alarms.ts';
import { capacityFor } from './capacity.ts';
import type { TableCapacity } from './capacity.ts';
import { Batches } from './batches.ts';
import { sharesOf } from './concurrency.ts';
import type { Shares } from './concurrency.ts';
import { OperatorConsole } from './console.ts';
import { EntriesTable } from './entries-table.ts';
import { feesTexts } from './fees.ts';
import { FourEyes, fourEyesText, guardGrantsOf } from './four-eyes.ts';
import { Health } from './health.ts';
import { Holds } from './holds.ts';
import { LedgerTable } from './ledger-table.ts';
import { operatorLimitsText } from './operator-limits.ts';
import { Projector } from './projector.ts';
import { rateLimitsOf } from './rate-limits.ts';
import type { RateLimits } from './rate-limits.ts';
import { Reference } from './reference.ts';
import { Refunds } from './refunds.ts';
import { Splits } from './splits.ts';
import { StandingOrders } from './standing-orders.ts';
import { StatementFiles } from './statement-files.ts';
import { Statements } from './statements.ts';
import { Sweeper } from './sweeper.ts';
import { tiersText } from './tiers.ts';
import { Tokens } from './tokens.ts';
import { Transactions } from './transactions.ts';
import { Transfers } from './transfers.ts';
import type { WalletServiceProps } from './wallet-service-props.ts';
import { Wallets } from './wallets.ts';
import { Withdrawals } from './withdrawals.ts';

/** The settings that most parts of the service need. */
export interface Shared {
  readonly capacity: TableCapacity;
  readonly rateLimits: Required<RateLimits>;
  readonly shares: Shares;
  readonly addAlarm: AddAlarm;
}

/** Returns the settings that most parts need. Throws Error for props out of their bounds. */
export function sharedOf(props: WalletServiceProps, addAlarm: AddAlarm): Shared {
  return {
    capacity: capacityFor(props.provisioned, props.warmThroughput),
    rateLimits: rateLimitsOf(props.rateLimits),
    shares: sharesOf(props.reservedConcurrency ?? {}),
    addAlarm,
  };
}

/** The parts that a command needs. */
export type Core = ReturnType<typeof newCore>;

/** Makes the parts that move money: tables, tokens, routes, queues and their workers. */
export function newCore(scope: Construct, props: WalletServiceProps, shared: Shared) {
  const { capacity, rateLimits, shares, addAlarm } = shared;
  const { queueDepthLimit = 20_000, dueShards = defaultDueShards, deletionProtection = true } = props;
  const operatorLimits = operatorLimitsText(props.operatorLimits ?? {});
  const { ledgerTable, entriesTable } = props;
  if (ledgerTable && ledgerTable.tableArn === entriesTable?.tableArn) {
    throw new Error(`ledgerTable and entriesTable must be two tables, received ${ledgerTable.tableArn} for both`);
  }
  const table = { deletionProtection, capacity };
  const ledger = new LedgerTable(scope, 'Ledger', { ...table, adopted: ledgerTable, dueShards, addAlarm });
  const tokens = new Tokens(scope, 'Tokens', {
    issuer: props.tokens,
    people: props.people,
    jwksUri: props.tokenJwksUri,
    ledger,
    deletionProtection,
    badTokensPerMinute: rateLimits.badTokensPerMinute,
  });
  const entries = new EntriesTable(scope, 'Entries', { ...table, adopted: entriesTable });
  const projector = new Projector(scope, 'Projector', { ledger, entries, shares, addAlarm });
  const guard = { fourEyes: fourEyesText(props.fourEyes), guardGrants: guardGrantsOf(props.fourEyes) };
  const tiers = tiersText(props.tiers ?? {}, operatorLimits);
  const { fees, revenueWallets } = feesTexts(props.fees ?? {}, [operatorLimits, guard.fourEyes]);
  const wallets = new Wallets(scope, 'Wallets', { ledger, entries, rateLimits, tiers, operatorLimits, ...guard });
  const transactions = new Transactions(scope, 'Transactions', { ledger, rateLimits, operatorLimits, fees, ...guard });
  const statements = new Statements(scope, 'Statements', { ledger, entries, rateLimits });
  const { schedules = true } = props;
  const queued = { ledger, rateLimits, operatorLimits, fees, schedules, queueDepthLimit, shares, addAlarm };
  const transfers = new Transfers(scope, 'Transfers', { ...queued, concurrency: props.transferConcurrency ?? 10 });
  const withdrawals = new Withdrawals(scope, 'Withdrawals', { ...queued, bank: props.bank, ...guard });
  const { holds: isHolding = true, refunds: isRefunding = true, splits: isSplitting = true } = props;
  const limited = { ledger, rateLimits, operatorLimits };
  const holds = isHolding ? new Holds(scope, 'Holds', { ...limited, fees }) : undefined;
  const refunds = isRefunding ? new Refunds(scope, 'Refunds', { ...limited, ...guard }) : undefined;
  const splits = isSplitting ? new Splits(scope, 'Splits', { ...limited, fees }) : undefined;
  const standingOrders = schedules ? new StandingOrders(scope, 'StandingOrders', { ...limited, fees }) : undefined;
  const fourEyes = props.fourEyes && new FourEyes(scope, 'FourEyes', { ledger, operatorLimits, tiers, fees });
  const queues = { withdrawals: withdrawals.work, transfers: transfers.work };
  const batches = props.batches
    ? new Batches(scope, 'Batches', { ledger, ...queues, operatorLimits, fees, queueDepthLimit, shares, addAlarm })
    : undefined;
  const statementFiles = props.statementFiles
    ? new StatementFiles(scope, 'StatementFiles', { ledger, entries, rateLimits, capacity, shares, addAlarm })
    : undefined;
  const swept = { ...queues, batches: batches?.work };
  const { payoutWindow } = withdrawals;
  const { sweeper } = new Sweeper(scope, 'Sweeper', {
    ledger,
    entries,
    ...swept,
    revenueWallets,
    payoutWindow,
    queueDepthLimit,
    shares,
    addAlarm,
  });
  const health = new Health(scope, 'Health', { ledger, tokens, ...queues });
  const reference = new Reference(scope, 'Reference');
  const page = props.console;
  const parts = { holds, refunds, statementFiles };
  const console = page && new OperatorConsole(scope, 'Console', { options: page, cognito: tokens.cognito, parts });
  const features = { holds, refunds, splits, standingOrders, fourEyes, batches, statementFiles, console };
  const routes = { wallets, transactions, statements, transfers, withdrawals, ...features, health, reference };
  return { ledger, tokens, entries, projector, ...routes, sweeper };
}
