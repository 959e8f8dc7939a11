import { CfnQueryDefinition } from 'aws-cdk-lib/aws-logs';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { metrics, routes } from '../lambdas/contract.ts';
import type { PerFunction } from '../lambdas/contract.ts';
import { serviceNameOf } from './service-name.ts';

/** Properties of `LogQueries`. */
export interface LogQueriesProps {
  readonly accessLog: ILogGroup;
  /** The log of each function. */
  readonly logs: PerFunction<ILogGroup>;
}

/** The questions of an operator to the logs, saved in CloudWatch Logs Insights under the service's name. */
export class LogQueries extends Construct {
  /** The query that the dashboard shows, too. */
  readonly bankOutcomes: { readonly logGroupNames: string[]; readonly queryString: string };

  constructor(scope: Construct, id: string, { accessLog, logs }: LogQueriesProps) {
    super(scope, id);
    const everywhere = [accessLog, ...Object.values(logs)];
    const ofRoutes = [...new Set(routes.flatMap((route) => logs[route.function] ?? []))];
    const about = 'fields @timestamp, @log, message, route, status, code, transactionId, requestId, outcome, reason';
    this.#save('OneRequest', 'one request', everywhere, [
      about,
      'filter @message like "PASTE THE REQUEST ID"',
      'sort @timestamp',
    ]);
    this.#save('OneTransaction', 'one transaction', everywhere, [
      about,
      'filter @message like "PASTE THE TRANSACTION ID"',
      'sort @timestamp',
    ]);
    this.#save(
      'ApiErrors',
      'API: errors by route',
      [accessLog],
      ['fields route, status, errorType', 'filter status >= 500', 'stats count() by route, status, errorType'],
    );
    this.#save('Refusals', 'API: refusals by code and principal', ofRoutes, [
      'filter ispresent(code) and status < 500',
      'stats count() as refusals by code, route, principal',
      'sort refusals desc',
      'limit 50',
    ]);
    this.#save('SlowRoutes', 'commands: slowest routes', ofRoutes, [
      `filter ispresent(${metrics.commandDuration})`,
      `stats count(), pct(${metrics.commandDuration}, 50), pct(${metrics.commandDuration}, 99) as p99 by route`,
      'sort p99 desc',
    ]);
    const bankOutcomes = [
      'filter message = "bank visited" or message = "bank left alone"',
      'stats count() as visits by coalesce(outcome, "left alone") as end, reason',
      'sort visits desc',
    ];
    this.#save('BankOutcomes', 'bank: outcomes and reasons', [logs.withdrawals], bankOutcomes);
    this.bankOutcomes = { logGroupNames: [logs.withdrawals.logGroupName], queryString: bankOutcomes.join('\n| ') };
    this.#save(
      'SlowEnds',
      'withdrawals: slowest ends',
      [logs.withdrawals, logs['bank-notifications']],
      [
        'filter message = "withdrawal ended"',
        'fields @timestamp, transactionId, walletId, status, code, durationMs',
        'sort durationMs desc',
        'limit 50',
      ],
    );
    this.#save('Errors', 'functions: errors', Object.values(logs), [
      'filter level = "ERROR"',
      'stats count() as errors, latest(@timestamp) by @log, message',
      'sort errors desc',
    ]);
  }

  #save(id: string, name: string, logGroups: readonly ILogGroup[], query: readonly string[]): void {
    new CfnQueryDefinition(this, id, {
      name: `${serviceNameOf(this)}/${name}`,
      logGroupNames: logGroups.map(({ logGroupName }) => logGroupName),
      queryString: query.join('\n| '),
    });
  }
}
