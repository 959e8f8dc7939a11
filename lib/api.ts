import { Duration, Names, Size, Validations } from 'aws-cdk-lib';
import {
  AccessLogField,
  AccessLogFormat,
  AuthorizationType,
  EndpointType,
  LogGroupLogDestination,
  MethodLoggingLevel,
  RestApi,
  SecurityPolicy,
} from 'aws-cdk-lib/aws-apigateway';
import type { AwsIntegration, CfnRestApi, IAuthorizer, MethodDeploymentOptions } from 'aws-cdk-lib/aws-apigateway';
import { Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { Function, IFunction } from 'aws-cdk-lib/aws-lambda';
import type { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { consolePath, corsVariable, metrics, minCompressionBytes, routes } from '../lambdas/contract.ts';
import type { PerFunction } from '../lambdas/contract.ts';
import { addLevels, ownMetric } from './alarms.ts';
import type { AddAlarm } from './alarms.ts';
import { ApiDomain } from './api-domain.ts';
import type { DomainProps } from './api-domain.ts';
import { ApiRole } from './api-role.ts';
import { gatewayResponses } from './gateway-responses.ts';
import { addPreflight } from './preflight.ts';
import { newLogGroup } from './service-log.ts';
import { ApiWebAcl } from './web-acl.ts';
import type { WebAcl } from './web-acl.ts';

/** Limits for the requests of all callers together. */
export interface ThrottleProps {
  /** Requests a second, sustained. */
  readonly ratePerSecond: number;
  /** Further requests that may come at once. */
  readonly burst: number;
}

/** The web pages that may use the API. */
export interface CorsProps {
  /** Origins such as `https://app.example.com`, or `*` for every page. Scripts send the tokens; cookies never do. */
  readonly allowedOrigins: readonly string[];
}

interface RoutedFunction {
  readonly handler: Function;
  readonly invoked: IFunction;
}

/** Properties of `Api`. */
export interface ApiProps {
  /** The function of each route. A missing one does not compile, unless a service can lack it. */
  readonly functions: Pick<PerFunction<RoutedFunction>, (typeof routes)[number]['function']>;
  /** The function that answers with the console; absent where the service has none. */
  readonly console?: RoutedFunction | undefined;
  readonly authorizer: IAuthorizer;
  readonly webAcl: WebAcl;
  readonly throttle: ThrottleProps;
  readonly cors?: CorsProps | undefined;
  readonly domain?: DomainProps | undefined;
  readonly addAlarm: AddAlarm;
}

/** The HTTP API: the contract's routes, each behind the authorizer unless the contract declares it open. */
export class Api extends Construct {
  readonly restApi: RestApi;
  /** Base URL for callers. */
  readonly url: string;
  readonly accessLog: LogGroup;

  constructor(scope: Construct, id: string, props: ApiProps) {
    super(scope, id);
    this.accessLog = newLogGroup(this, 'AccessLog');
    this.restApi = new RestApi(this, 'RestApi', {
      // The name is the dimension of its metrics, so two services in one account need two.
      restApiName: Names.uniqueResourceName(this, { separator: '-' }),
      description: 'Wallet service',
      endpointTypes: [EndpointType.REGIONAL],
      minCompressionSize: Size.bytes(minCompressionBytes),
      // API Gateway writes logs only with a role that is set for the account, and a new account has none.
      cloudWatchRole: true,
      ...(props.domain?.disableDefaultEndpoint === true && { disableExecuteApiEndpoint: true }),
      deployOptions: {
        throttlingRateLimit: props.throttle.ratePerSecond,
        throttlingBurstLimit: props.throttle.burst,
        tracingEnabled: true,
        ...methodLogging,
        methodOptions: throttlesOfOpenMethods(props),
        accessLogDestination: new LogGroupLogDestination(this.accessLog),
        accessLogFormat: AccessLogFormat.custom(JSON.stringify(accessLogFields)),
      },
    });
    // The API's own address accepts TLS 1.2 and later, as the name of `domain` does.
    const cfnApi = this.restApi.node.defaultChild as CfnRestApi;
    cfnApi.securityPolicy = SecurityPolicy.TLS_1_2;
    if (props.webAcl !== false) {
      new ApiWebAcl(this, 'WebAcl', {
        arn: typeof props.webAcl === 'string' ? props.webAcl : undefined,
        stageArn: this.restApi.deploymentStage.stageArn,
        requestsPerSecond: props.throttle.ratePerSecond,
      });
    }
    this.url = props.domain
      ? new ApiDomain(this, 'Domain', { domain: props.domain, restApi: this.restApi }).url
      : this.restApi.url;
    // The stack that embeds the service names its own outputs.
    this.restApi.node.tryRemoveChild('Endpoint');
    for (const response of gatewayResponses(props.cors?.allowedOrigins ?? [])) {
      this.restApi.addGatewayResponse(response.type.responseType, response);
    }
    this.addRoutes(props);
    if (props.cors) this.allowOrigins(props.cors, props.functions);
    this.acknowledgeFindings();
    addLevels(props.addAlarm, this, 'ServerErrors', {
      name: 'API answers 5xx',
      metric: this.restApi.metricServerError({ statistic: Stats.AVERAGE, period: Duration.minutes(1) }),
      thresholds: { warning: 0.02, critical: 0.05 },
      periods: 3,
      meaning: (share) => `At least ${100 * share} % of the answers have been a 5xx for three minutes.`,
      runbook: 'api-server-errors',
    });
    // The gateway's own latency would include the time that a caller asked to wait with Prefer.
    addLevels(props.addAlarm, this, 'SlowCommands', {
      name: 'commands slow',
      metric: ownMetric(this, metrics.commandDuration, Stats.percentile(99)),
      thresholds: { warning: 2_000, critical: 5_000 },
      periods: 3,
      meaning: (ms) => `One command in a hundred has taken ${ms / 1000} s or more for three minutes.`,
      runbook: 'slow-commands',
    });
  }

  private addRoutes({ functions, authorizer, console: page }: ApiProps): void {
    const invoked = new Set(routes.flatMap((route) => functions[route.function]?.handler ?? []));
    if (page) invoked.add(page.handler);
    const role = new ApiRole(this, 'Role', [...invoked]);
    if (page) this.addPage(role.integrationWith(page.invoked));
    for (const route of routes) {
      const target = functions[route.function];
      if (target === undefined) continue;
      const method = this.restApi.root
        .resourceForPath(route.path)
        .addMethod(
          route.method,
          role.integrationWith(target.invoked),
          'open' in route ? { authorizationType: AuthorizationType.NONE } : { authorizer: authorizer },
        );
      if ('open' in route) {
        Validations.of(method).acknowledge({
          id: 'AwsSolutions-APIG4',
          reason: openRoutes[route.function].reason,
        });
      }
    }
  }

  /** Adds the console: a page without data, for a browser that has no token yet. */
  private addPage(integration: AwsIntegration): void {
    const method = this.restApi.root
      .resourceForPath(consolePath)
      .addMethod('GET', integration, { authorizationType: AuthorizationType.NONE });
    Validations.of(method).acknowledge({
      id: 'AwsSolutions-APIG4',
      reason: 'The same page for everyone, without data: its script asks the API with the token of an operator.',
    });
  }

  private acknowledgeFindings(): void {
    Validations.of(this.restApi).acknowledge(
      {
        id: 'AwsSolutions-APIG2',
        reason: 'Handlers validate every part of a request, so that a refusal names each field and its defect.',
      },
      {
        id: 'AwsSolutions-APIG3',
        reason: 'The web ACL is a prop: without one, the account has its own in front of the stage, or none is wanted.',
      },
      {
        id: 'AwsSolutions-COG4',
        reason: 'The Lambda authorizer checks tokens of Cognito and of any other issuer, by the same rules everywhere.',
      },
      {
        id: 'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs]',
        reason: 'The role is the one that API Gateway asks for by name to write logs in this account.',
      },
    );
  }

  /** Lets pages of these origins send requests and read answers. */
  private allowOrigins({ allowedOrigins }: CorsProps, functions: ApiProps['functions']): void {
    for (const origin of allowedOrigins) {
      if (origin !== '*' && !/^https?:\/\/[a-z0-9.-]+(:\d+)?$/.test(origin)) {
        throw new Error(`cors.allowedOrigins must be like https://app.example.com, or *, received "${origin}"`);
      }
    }
    for (const { handler } of new Set(Object.values(functions))) {
      handler.addEnvironment(corsVariable, allowedOrigins.join(' '));
    }
    for (const [path, ofPath] of Map.groupBy(
      routes.filter((route) => functions[route.function] !== undefined),
      (route) => route.path,
    )) {
      const methods = ofPath.map(({ method }) => method);
      addPreflight(this.restApi.root.resourceForPath(path), { methods, allowedOrigins });
    }
  }
}

type OpenFunction = Extract<(typeof routes)[number], { readonly open: true }>['function'];

/**
 * The reason why a route needs no token, and its throttle for all callers together. An open route without these does
 * not compile. A flooded open route leaves callers with tokens their share of the stage's throttle. The bank is one
 * caller. It calls once for each withdrawal that it ends or pays back.
 */
const openRoutes: Readonly<Record<OpenFunction, { readonly reason: string; readonly throttle: ThrottleProps }>> = {
  health: {
    reason: 'Open by contract: load balancers and monitors ask without a token, and get one word.',
    throttle: { ratePerSecond: 10, burst: 20 },
  },
  reference: {
    reason: 'Open by contract: the description of the API is the same for every caller, and says nothing about any.',
    throttle: { ratePerSecond: 10, burst: 20 },
  },
  'bank-notifications': {
    reason: 'Open by contract: the bank has no token and signs what it sends, which the handler checks.',
    throttle: { ratePerSecond: 100, burst: 200 },
  },
};

/** Settings of a method replace all of the stage's, so each of them repeats these. */
const methodLogging = { loggingLevel: MethodLoggingLevel.ERROR, dataTraceEnabled: false };

/** One page of an operator is one request; the rest of what it asks for needs a token. */
const pageThrottle: ThrottleProps = { ratePerSecond: 10, burst: 20 };

/** Returns the throttles of the methods that take no token, by path and method. None is above the stage's. */
function throttlesOfOpenMethods(props: ApiProps): Record<string, MethodDeploymentOptions> {
  const { ratePerSecond, burst } = props.throttle;
  const open = routes.flatMap((route): [method: string, throttle: ThrottleProps][] =>
    'open' in route ? [[`${route.path}/${route.method}`, openRoutes[route.function].throttle]] : [],
  );
  if (props.console) open.push([`${consolePath}/GET`, pageThrottle]);
  return Object.fromEntries(
    open.map(([method, throttle]) => [
      method,
      {
        ...methodLogging,
        throttlingRateLimit: Math.min(throttle.ratePerSecond, ratePerSecond),
        throttlingBurstLimit: Math.min(throttle.burst, burst),
      },
    ]),
  );
}

// The fields of the access log: caller, request and result; never a header, a token or a body.
const accessLogFields = {
  requestId: AccessLogField.contextRequestId(),
  time: AccessLogField.contextRequestTime(),
  principal: AccessLogField.contextAuthorizerPrincipalId(),
  method: AccessLogField.contextHttpMethod(),
  route: AccessLogField.contextResourcePath(),
  path: AccessLogField.contextPath(),
  status: AccessLogField.contextStatus(),
  responseBytes: AccessLogField.contextResponseLength(),
  latencyMs: AccessLogField.contextResponseLatency(),
  integrationMs: AccessLogField.contextIntegrationLatency(),
  errorType: AccessLogField.contextErrorResponseType(),
};
