import { Duration, Validations } from 'aws-cdk-lib';
import { Effect, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
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
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { bundleOf } from '#bundles';
import { serviceVariable } from '../lambdas/contract.ts';
import type { Environment, FunctionName } from '../lambdas/contract.ts';
import { codeFile } from './bundle-files.ts';
import { serviceNameOf } from './service-name.ts';

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
}

/** Whether functions below a construct read source maps. Constructs between it and its functions need not pass it on. */
export const sourceMapsContext = 'wallet:sourceMaps';

/** Whether functions below a construct have versions, of which callers invoke the one with the alias `live`. */
export const aliasContext = 'wallet:alias';

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
  readonly logGroup: LogGroup;

  constructor(scope: Construct, name: Name, props: WalletFunctionProps<Name>) {
    super(scope, name);
    const logGroup = new LogGroup(this, 'Logs', { retention: RetentionDays.THREE_MONTHS });
    this.logGroup = logGroup;
    // A role of our own may write to this one log group only. The role with AWS's managed policy may write to all.
    const role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    logGroup.grantWrite(role);
    Validations.of(role).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason: 'X-Ray takes no resource in its permissions; nothing else is granted on *, which a test checks.',
    });

    const readsSourceMaps = this.node.tryGetContext(sourceMapsContext) === true;
    const bindings: [string, string | Access][] = Object.entries(props.environment);
    const valueOf = (binding: string | Access) => (typeof binding === 'string' ? binding : binding.value);
    this.handler = new Function(this, 'Function', {
      description: `Wallet service: ${name}`,
      code: Code.fromAsset(bundleOf(name), { exclude: readsSourceMaps ? [] : [`${codeFile}.map`] }),
      handler: 'index.handler',
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      // CPU comes in proportion to memory, and a cold start is all CPU.
      memorySize: props.memorySize ?? 1024,
      timeout: props.timeout ?? Duration.seconds(10),
      ...(props.reservedConcurrency !== undefined && { reservedConcurrentExecutions: props.reservedConcurrency }),
      environment: {
        [serviceVariable]: serviceNameOf(this),
        ...nodeOptionsOf(readsSourceMaps),
        ...Object.fromEntries(bindings.map(([variable, binding]) => [variable, valueOf(binding)])),
      },
      role,
      logGroup,
      loggingFormat: LoggingFormat.JSON,
      // Lambda's own two lines for each invocation would cost more than ours. Its lines about failures remain.
      systemLogLevelV2: SystemLogLevel.WARN,
      tracing: Tracing.ACTIVE,
    });
    if (this.node.tryGetContext(aliasContext) === true) {
      this.alias = new Alias(this, 'Live', { aliasName: 'live', version: this.handler.currentVersion as IVersion });
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
