import { Duration, Validations } from 'aws-cdk-lib';
import { Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import {
  Alias,
  Architecture,
  Code,
  Function,
  LoggingFormat,
  Runtime,
  SystemLogLevel,
  Tracing,
} from 'aws-cdk-lib/aws-lambda';
import type { IFunction, IVersion } from 'aws-cdk-lib/aws-lambda';
import type { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { bundleOf } from '#bundles';
import { logLevelVariable, serviceVariable } from '../lambdas/contract.ts';
import type { Environment, FunctionName } from '../lambdas/contract.ts';
import { interfaceStatements, placeIn } from './bank-network.ts';
import type { BankNetwork } from './bank-network.ts';
import { keyStatements } from './encryption.ts';
import { FunctionRole } from './function-role.ts';
import { newLogGroup } from './service-log.ts';
import { serviceNameOf } from './service-name.ts';
import { settingsOf } from './service-settings.ts';

/**
 * The value of an environment variable together with the permission that it needs. So no function gets a name without
 * the grant, or a grant without the name.
 */
export interface Access {
  readonly value: string;
  readonly grants: readonly Grant[];
}

/** Resources that a function may act on, the exact IAM actions, and their conditions. */
export interface Grant {
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  readonly conditions?: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
}

/** Properties of `WalletFunction`. */
export interface WalletFunctionProps<Name extends FunctionName> {
  /** All environment variables of the function, as the contract lists them. */
  readonly environment: Record<keyof Environment<Name>, string | Access>;

  /**
   * Time limit of one invocation.
   *
   * @default 10 seconds, far below the gateway's 29 s
   */
  readonly timeout?: Duration;

  /**
   * Megabytes; 1,769 are one processor.
   *
   * @default 1024
   */
  readonly memorySize?: number;

  /**
   * Concurrency that is kept for this function, and the most that it takes.
   *
   * @default - a share of the account's unreserved concurrency
   */
  readonly reservedConcurrency?: number | undefined;

  /**
   * The network that the function's calls leave from.
   *
   * @default - Lambda's own
   */
  readonly network?: BankNetwork | undefined;
}

/** Whether functions below a construct have versions, of which callers invoke the one with the alias. */
export const aliasContext = 'wallet:alias';

/**
 * Functions without versions. Most of them only read: a bad one moves no money. A schedule invokes the other two a few times an
 * hour, so a share of that traffic shows nothing. A version takes four of the 500 resources of a stack.
 */
export const unversioned: ReadonlySet<FunctionName> = new Set([
  ...(['list-wallets', 'get-wallet', 'get-balance', 'list-entries', 'list-transactions', 'get-transaction'] as const),
  ...(['statements', 'reference', 'console', 'health', 'integrity', 'get-approval', 'get-batch'] as const),
  ...(['sweeper', 'integrity-job'] as const),
]);

/** The alias of the version that callers invoke, where functions have versions. */
export const aliasName = 'live';

/** Returns the options that Node has in functions, as a part of their environment. */
export function nodeOptionsOf(readsSourceMaps: boolean): Record<string, string> {
  return readsSourceMaps ? { NODE_OPTIONS: '--enable-source-maps' } : {};
}

/** One function of the service with its own role and log group; its name is that of its file. */
export class WalletFunction<Name extends FunctionName> extends Construct {
  /** For routes that may wait for the end of the work: the gateway itself times out after 29 s. */
  static readonly longestRouteTimeout = Duration.seconds(29);

  readonly handler: Function;
  /** The alias of the version that callers invoke; undefined where they invoke the function. */
  readonly alias: Alias | undefined;
  /** Megabytes. */
  readonly memorySize: number;
  readonly logGroup: LogGroup;

  constructor(scope: Construct, name: Name, props: WalletFunctionProps<Name>) {
    super(scope, name);
    this.memorySize = props.memorySize ?? 1024;
    const logGroup = newLogGroup(this, 'Logs');
    this.logGroup = logGroup;
    // A role of our own may write to this one log group only. The role with AWS's managed policy may write to all.
    const role = new FunctionRole(this, 'Role');
    logGroup.grantWrite(role);
    Validations.of(role).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason: 'X-Ray and network interfaces take no resource; nothing else is granted on *, which a test checks.',
    });

    for (const statement of keyStatements(this)) role.addToPolicy(statement);
    if (props.network) for (const statement of interfaceStatements()) role.addToPolicy(statement);

    const { readsSourceMaps, logLevel } = settingsOf(this);
    const bindings: [string, string | Access][] = Object.entries(props.environment);
    const valueOf = (binding: string | Access) => (typeof binding === 'string' ? binding : binding.value);
    this.handler = new Function(this, 'Function', {
      description: `Wallet service: ${name}`,
      code: Code.fromAsset(bundleOf(name), { exclude: readsSourceMaps ? [] : ['*.map'] }),
      handler: 'index.handler',
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      // CPU comes in proportion to memory, and a cold start is all CPU.
      memorySize: this.memorySize,
      timeout: props.timeout ?? Duration.seconds(10),
      ...(props.reservedConcurrency !== undefined && { reservedConcurrentExecutions: props.reservedConcurrency }),
      environment: {
        [serviceVariable]: serviceNameOf(this),
        ...nodeOptionsOf(readsSourceMaps),
        ...(logLevel && { [logLevelVariable]: logLevel }),
        ...Object.fromEntries(bindings.map(([variable, binding]) => [variable, valueOf(binding)])),
      },
      role,
      logGroup,
      loggingFormat: LoggingFormat.JSON,
      // Lambda's own two lines for each invocation would cost more than ours. Its lines about failures remain.
      systemLogLevelV2: SystemLogLevel.WARN,
      tracing: Tracing.ACTIVE,
      ...(props.network && placeIn(props.network)),
    });
    if (this.node.tryGetContext(aliasContext) === true && !unversioned.has(name)) {
      this.alias = new Alias(this, 'Live', { aliasName, version: this.handler.currentVersion as IVersion });
    }
    for (const [, binding] of bindings) {
      if (typeof binding === 'string') continue;
      for (const { actions, resources, conditions } of binding.grants) {
        role.addToPolicy(
          new PolicyStatement({
            effect: Effect.ALLOW,
            actions: [...actions],
            resources: [...resources],
            ...(conditions && { conditions }),
          }),
        );
      }
    }
  }

  /** What callers, queues, streams and schedules invoke. Metrics of `handler` are those of all versions. */
  get invoked(): IFunction {
    return (this.alias as IFunction | undefined) ?? this.handler;
  }
}
