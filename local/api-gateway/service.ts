/** API Gateway: the resources of a REST API, gathered into one gateway. */
import { accountId, region } from '../cloudformation/account.ts';
import { TemplateError } from '../cloudformation/template.ts';
import type { RequestHandler } from '../http/server.ts';
import type { LocalFunction } from '../lambda/function-pool.ts';
import type { Functions } from '../lambda/functions.ts';
import { lambda } from '../lambda/service.ts';
import { resourceType } from '../machine/machine.ts';
import type { Service } from '../machine/machine.ts';
import { createAuthorizer } from './authorizer.ts';
import type { GatewayResponseProperties } from './gateway-responses.ts';
import { createGateway } from './gateway.ts';
import type { Integration, Throttle } from './gateway.ts';
import { readMock } from './mock-integration.ts';
import { newRestApiDraft } from './rest-api-draft.ts';
import type { MethodProperties, RestApiDraft, StageProperties } from './rest-api-draft.ts';

const defaultTimeoutMs = 29_000;
const rootId = (logicalId: string): string => `${logicalId}/`;

export const apiGateway: Service<RestApiDraft> = {
  open: newRestApiDraft,
  types: {
    'AWS::ApiGateway::RestApi': resourceType<{ MinimumCompressionSize?: number }>({
      shape: {
        Name: 'cloud',
        Description: 'cloud',
        EndpointConfiguration: 'cloud',
        MinimumCompressionSize: true,
        SecurityPolicy: 'cloud',
        Tags: 'cloud',
      },
      identify: (logicalId) => ({
        ref: logicalId,
        attributes: { RootResourceId: rootId(logicalId), RestApiId: logicalId },
      }),
      boot(machine, { logicalId, properties }) {
        const api = machine.use(apiGateway);
        if (api.apiId) throw new TemplateError(`${logicalId}: a second REST API beside ${api.apiId} is not supported`);
        api.apiId = logicalId;
        api.minCompressionBytes = properties.MinimumCompressionSize;
      },
    }),
    'AWS::ApiGateway::Resource': resourceType<{ ParentId: string; PathPart: string }>({
      shape: { ParentId: true, PathPart: true, RestApiId: 'cloud' },
      boot(machine, { logicalId, properties }) {
        machine.use(apiGateway).resources.set(logicalId, { parentId: properties.ParentId, part: properties.PathPart });
      },
    }),
    'AWS::ApiGateway::Authorizer': resourceType<{
      AuthorizerUri: string;
      IdentitySource?: string;
      AuthorizerResultTtlInSeconds?: number;
    }>({
      shape: {
        AuthorizerResultTtlInSeconds: true,
        AuthorizerUri: true,
        IdentitySource: true,
        Name: 'cloud',
        RestApiId: 'cloud',
        Type: { only: ['REQUEST'] },
      },
      boot(machine, { logicalId, properties }) {
        const identityHeaders = (properties.IdentitySource ?? '').split(',').map((source) => {
          const name = /^\s*method\.request\.header\.(\S+)\s*$/.exec(source)?.[1];
          if (name === undefined) throw new TemplateError(`${logicalId}: identity source ${source} is not supported`);
          return name.toLowerCase();
        });
        const target = integratedFunction(properties.AuthorizerUri, machine.use(lambda), logicalId);
        const ttlSeconds = properties.AuthorizerResultTtlInSeconds ?? 300;
        machine.use(apiGateway).authorizers.set(logicalId, createAuthorizer({ target, identityHeaders, ttlSeconds }));
      },
    }),
    'AWS::ApiGateway::Method': resourceType<MethodProperties>({
      shape: {
        AuthorizationType: { only: ['NONE', 'CUSTOM'] },
        AuthorizerId: true,
        HttpMethod: true,
        Integration: {
          Credentials: 'cloud',
          IntegrationHttpMethod: 'cloud',
          IntegrationResponses: true,
          PassthroughBehavior: { only: ['NEVER'] },
          RequestTemplates: true,
          TimeoutInMillis: true,
          Type: { only: ['AWS_PROXY', 'MOCK'] },
          Uri: true,
        },
        MethodResponses: 'cloud',
        OperationName: 'cloud',
        ResourceId: true,
        RestApiId: 'cloud',
      },
      boot(machine, { logicalId, properties }) {
        machine.use(apiGateway).methods.push({ logicalId, properties });
      },
    }),
    'AWS::ApiGateway::GatewayResponse': resourceType<GatewayResponseProperties>({
      shape: {
        ResponseParameters: true,
        ResponseTemplates: true,
        ResponseType: true,
        RestApiId: 'cloud',
        StatusCode: true,
      },
      boot(machine, { logicalId, properties }) {
        machine.use(apiGateway).responses.define(properties, logicalId);
      },
    }),
    'AWS::ApiGateway::Deployment': resourceType({ shape: { Description: 'cloud', RestApiId: 'cloud' } }),
    'AWS::ApiGateway::Stage': resourceType<StageProperties>({
      shape: {
        AccessLogSetting: 'cloud',
        DeploymentId: 'cloud',
        MethodSettings: [
          {
            DataTraceEnabled: 'cloud',
            HttpMethod: true,
            LoggingLevel: 'cloud',
            MetricsEnabled: 'cloud',
            ResourcePath: true,
            ThrottlingBurstLimit: true,
            ThrottlingRateLimit: true,
          },
        ],
        RestApiId: 'cloud',
        StageName: true,
        Tags: 'cloud',
        TracingEnabled: 'cloud',
      },
      boot(machine, { properties }) {
        machine.use(apiGateway).stage = properties;
      },
    }),
  },
  cloudOnly: ['AWS::ApiGateway::Account'],
};

/** Returns the API's routes, as `GET /health`. */
export function routesOf(draft: RestApiDraft): string[] {
  return draft.methods.map(
    ({ properties }) => `${properties.HttpMethod} ${pathOf(properties.ResourceId, draft) || '/'}`,
  );
}

/** Returns the gateway of the API; undefined when the template has none. */
export function buildGateway(draft: RestApiDraft, functions: Functions): RequestHandler | undefined {
  if (!draft.apiId) return undefined;
  const throttles = throttlesOf(draft);
  return createGateway({
    apiId: draft.apiId,
    stage: draft.stage?.StageName ?? 'test-invoke-stage',
    accountId,
    region,
    responses: draft.responses,
    minCompressionBytes: draft.minCompressionBytes,
    throttle: throttles.get('* /*'),
    methods: draft.methods.map(({ logicalId, properties }) => {
      const authorizer = draft.authorizers.get(properties.AuthorizerId ?? '');
      if (properties.AuthorizationType === 'CUSTOM' && !authorizer) {
        throw new TemplateError(`${logicalId}: authorizer ${String(properties.AuthorizerId)} is not in the template`);
      }
      const resourcePath = pathOf(properties.ResourceId, draft) || '/';
      return {
        resourcePath,
        throttle: throttles.get(`${properties.HttpMethod} ${resourcePath}`),
        httpMethod: properties.HttpMethod,
        ...integrationOf(properties.Integration, functions, logicalId),
        authorizer,
      };
    }),
  });
}

function integrationOf(integration: MethodProperties['Integration'], functions: Functions, where: string): Integration {
  if (integration.Type === 'MOCK') return { mock: readMock(integration, where) };
  return {
    target: integratedFunction(integration.Uri, functions, where),
    timeoutMs: integration.TimeoutInMillis ?? defaultTimeoutMs,
  };
}

/** Returns the stage's throttle as `* /*`, and those of single methods, such as `GET /health`. */
function throttlesOf({ stage }: RestApiDraft): Map<string, Throttle> {
  const throttles = new Map<string, Throttle>();
  for (const { HttpMethod, ResourcePath, ThrottlingRateLimit, ThrottlingBurstLimit } of stage?.MethodSettings ?? []) {
    const isForAll = HttpMethod === '*' && ResourcePath === '/*';
    if (!isForAll && (HttpMethod === '*' || ResourcePath === '/*')) {
      throw new TemplateError(`method settings of ${HttpMethod} ${ResourcePath} are not supported`);
    }
    if (ThrottlingRateLimit === undefined || ThrottlingBurstLimit === undefined) continue;
    throttles.set(`${HttpMethod} ${ResourcePath.replaceAll('~1', '/').replace(/^\/\//, '/')}`, {
      ratePerSecond: ThrottlingRateLimit,
      burst: ThrottlingBurstLimit,
    });
  }
  return throttles;
}

function pathOf(resourceId: string, draft: RestApiDraft): string {
  const resource = draft.resources.get(resourceId);
  return resource ? `${pathOf(resource.parentId, draft)}/${resource.part}` : '';
}

function integratedFunction(uri: string, functions: Functions, where: string): LocalFunction {
  const arn = /:lambda:path\/2015-03-31\/functions\/(arn:[^/]+)\/invocations$/.exec(uri)?.[1];
  const found = arn === undefined ? undefined : functions.byArn(arn);
  if (!found) throw new TemplateError(`${where}: integration ${uri} is not a function of this template`);
  return found;
}
