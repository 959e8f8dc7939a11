import { Match } from 'aws-cdk-lib/assertions';
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { minCompressionBytes, routes, scopes } from '../../lambdas/contract.ts';
import type { OperatorLimits, Route } from '../../lambdas/contract.ts';
import { WalletError } from '../../lambdas/domain/errors.ts';
import type { ErrorCode } from '../../lambdas/domain/errors.ts';
import { problem } from '../../lambdas/http/problem.ts';
import type { WalletStackProps } from '../../lib/wallet-stack.ts';
import { resourcesOf, synthesize, theOnly } from './synthesized.ts';
import type { Resource } from './synthesized.ts';

const { template, stack } = synthesize({ fourEyes: {}, batches: true, webhooks: true, statementFiles: true });
const [restApiId, restApi] = theOnly(template, 'AWS::ApiGateway::RestApi');
const resources = resourcesOf(template, 'AWS::ApiGateway::Resource');

/** Returns the path of a method's `ResourceId`, such as `/wallets/{walletId}`. */
function pathOf(id: unknown): string {
  const logicalId = (id as { Ref?: string }).Ref;
  const resource = logicalId === undefined ? undefined : resources.get(logicalId);
  if (!resource) return '';
  return `${pathOf(resource.Properties['ParentId'])}/${resource.Properties['PathPart'] as string}`;
}

const methods = new Map<string, Resource>();
for (const method of resourcesOf(template, 'AWS::ApiGateway::Method').values()) {
  methods.set(`${method.Properties['HttpMethod'] as string} ${pathOf(method.Properties['ResourceId'])}`, method);
}

describe('routes', () => {
  it('match the contract, each with its function', () => {
    assert.deepEqual([...methods.keys()].sort(), routes.map(({ method, path }) => `${method} ${path}`).sort());
    for (const route of routes) {
      const integration = methods.get(`${route.method} ${route.path}`)?.Properties['Integration'];
      const {
        'Fn::GetAtt': [logicalId],
      } = stack.resolve(stack.service.functions[route.function]?.functionArn) as {
        'Fn::GetAtt': [string, string];
      };
      assert.equal((integration as { Type: string }).Type, 'AWS_PROXY');
      assert.ok(JSON.stringify(integration).includes(`"${logicalId}"`), route.path);
    }
  });

  it('are behind the authorizer unless they are open by contract', () => {
    const [authorizerId] = theOnly(template, 'AWS::ApiGateway::Authorizer');
    for (const route of routes as readonly Route[]) {
      const { AuthorizationType, AuthorizerId } = methods.get(`${route.method} ${route.path}`)!.Properties;
      if ('open' in route) assert.equal(AuthorizationType, 'NONE');
      else assert.deepEqual([AuthorizationType, AuthorizerId], ['CUSTOM', { Ref: authorizerId }]);
    }
    assert.deepEqual(
      (routes as readonly Route[]).filter((route) => 'open' in route).map(({ path }) => path),
      ['/bank/notifications', '/health', '/health', '/openapi.json', '/docs'],
    );
  });

  it('are authorized by the Authorization header, with a cache of two minutes', () => {
    template.hasResourceProperties('AWS::ApiGateway::Authorizer', {
      Type: 'REQUEST',
      IdentitySource: 'method.request.header.Authorization',
      AuthorizerResultTtlInSeconds: 120,
    });
  });
});

describe('the stage', () => {
  it('compresses, limits, traces, and logs neither tokens nor bodies', () => {
    assert.equal(restApi.Properties['MinimumCompressionSize'], minCompressionBytes);
    assert.deepEqual(restApi.Properties['EndpointConfiguration'], { Types: ['REGIONAL'] });
    const [, stage] = theOnly(template, 'AWS::ApiGateway::Stage');
    assert.equal(stage.Properties['TracingEnabled'], true);
    const logging = { DataTraceEnabled: false, LoggingLevel: 'ERROR' };
    const setting = (HttpMethod: string, ResourcePath: string, ThrottlingRateLimit: number) => ({
      ...logging,
      HttpMethod,
      ResourcePath,
      ThrottlingRateLimit,
      ThrottlingBurstLimit: 2 * ThrottlingRateLimit,
    });
    assert.deepEqual(stage.Properties['MethodSettings'], [
      setting('*', '/*', 1000),
      // The open routes.
      setting('POST', '/~1bank~1notifications', 100),
      setting('GET', '/~1health', 10),
      setting('HEAD', '/~1health', 10),
      setting('GET', '/~1openapi.json', 10),
      setting('GET', '/~1docs', 10),
    ]);
    const { Format } = stage.Properties['AccessLogSetting'] as { Format: string };
    const fields = JSON.parse(Format) as Record<string, string>;
    assert.ok(fields['requestId'] && fields['route'] && fields['status']);
    assert.doesNotMatch(Format, /header|token|body|authorizationToken/i);
  });

  it('takes other limits, and gives no open route more', () => {
    const [, stage] = theOnly(
      synthesize({ throttle: { ratePerSecond: 5, burst: 6 } }).template,
      'AWS::ApiGateway::Stage',
    );
    assert.deepEqual(
      (stage.Properties['MethodSettings'] as Record<string, unknown>[]).map((each) => [
        each['ThrottlingRateLimit'],
        each['ThrottlingBurstLimit'],
      ]),
      [5, 5, 5, 5, 5, 5].map((rate) => [rate, 6]),
    );
  });
});

describe('limits of operators', () => {
  const variableOf = (props: WalletStackProps) => {
    const functions = [...resourcesOf(synthesize(props).template, 'AWS::Lambda::Function').values()];
    return functions.flatMap(({ Properties }) => {
      const { Variables } = Properties['Environment'] as { Variables: Record<string, unknown> };
      return (Variables['OPERATOR_LIMITS'] as string | undefined) ?? [];
    });
  };

  it('are absent by default, and come from the prop for each command that moves an amount', () => {
    const limited = [
      ...['charge', 'transfer', 'withdraw', 'resolve', 'set-limits'],
      ...['open-hold', 'capture', 'refund', 'split', 'standing-orders'],
    ];
    assert.deepEqual(
      variableOf({}),
      limited.map(() => '{}'),
    );
    const operatorLimits = { charge: 100, 'open-hold': 70, byCurrency: { JPY: { resolve: 5 } } };
    const text = JSON.stringify(operatorLimits);
    assert.deepEqual(
      variableOf({ operatorLimits }),
      limited.map(() => text),
    );
  });

  it('are rejected at synthesis when they are invalid, with the value received', () => {
    const refuses = (operatorLimits: OperatorLimits, message: RegExp) => {
      assert.throws(() => synthesize({ operatorLimits }), message);
    };
    refuses({ charge: 0 }, /operatorLimits.charge must be a whole number of at least 1, received 0/);
    refuses({ byCurrency: { EUR: { resolve: 1.5 } } }, /byCurrency.EUR.resolve must be .* received 1.5/);
    refuses({ byCurrency: { eur: { charge: 1 } } }, /three capital letters, received "eur"/);
  });
});

describe('tiers of limits', () => {
  it('are absent by default, and come from the prop for set-limits alone', () => {
    const variablesOf = (props: WalletStackProps) =>
      [...resourcesOf(synthesize(props).template, 'AWS::Lambda::Function').values()].flatMap(({ Properties }) => {
        const { Variables } = Properties['Environment'] as { Variables: Record<string, unknown> };
        return 'TIERS' in Variables ? [[Properties['Description'], Variables['TIERS']]] : [];
      });
    assert.deepEqual(variablesOf({}), [['Wallet service: set-limits', '{}']]);
    const tiers = { basic: { out: { perDay: 50_000 }, creditLine: 0, byCurrency: { JPY: { maximumBalance: 100 } } } };
    assert.deepEqual(variablesOf({ tiers }), [['Wallet service: set-limits', JSON.stringify(tiers)]]);
  });
});

describe("the gateway's own answers", () => {
  const responses = [...resourcesOf(template, 'AWS::ApiGateway::GatewayResponse').values()].map(
    ({ Properties }) =>
      Properties as {
        ResponseType: string;
        RestApiId: unknown;
        StatusCode: string;
        ResponseParameters: Record<string, string>;
        ResponseTemplates: Record<string, string>;
      },
  );
  const byType = new Map(responses.map((response) => [response.ResponseType, response]));
  const bodyOf = (type: string) =>
    JSON.parse(byType.get(type)!.ResponseTemplates['application/json']!) as { code: ErrorCode; status: number };

  it("look like the handlers' answers with the same code", () => {
    assert.equal(responses.length, 21);
    for (const response of responses) {
      assert.deepEqual(response.RestApiId, { Ref: restApiId });
      const { detail, ...body } = bodyOf(response.ResponseType) as { code: ErrorCode; status: number; detail?: string };
      const handlers = problem(new WalletError(body.code), '$context.requestId');
      assert.deepEqual({ ...handlers.body }, { ...body, detail: undefined, errors: undefined }, response.ResponseType);
      assert.equal(response.ResponseParameters['gatewayresponse.header.Cache-Control'], "'no-store'");
      assert.equal(response.ResponseParameters['gatewayresponse.header.X-Content-Type-Options'], "'nosniff'");
      assert.ok(detail === undefined || detail.length > 0);
      assert.equal(response.StatusCode, String(body.status));
      for (const [name, value] of Object.entries(handlers.headers ?? {})) {
        assert.equal(response.ResponseParameters[`gatewayresponse.header.${name}`], `'${value}'`);
      }
    }
  });

  it('have the code of the error', () => {
    const expected: Record<string, ErrorCode> = {
      UNAUTHORIZED: 'unauthorized',
      EXPIRED_TOKEN: 'unauthorized',
      INVALID_SIGNATURE: 'unauthorized',
      ACCESS_DENIED: 'forbidden',
      INVALID_API_KEY: 'forbidden',
      WAF_FILTERED: 'forbidden',
      MISSING_AUTHENTICATION_TOKEN: 'not_found',
      RESOURCE_NOT_FOUND: 'not_found',
      BAD_REQUEST_BODY: 'invalid_request',
      BAD_REQUEST_PARAMETERS: 'invalid_request',
      DEFAULT_4XX: 'invalid_request',
      REQUEST_TOO_LARGE: 'payload_too_large',
      UNSUPPORTED_MEDIA_TYPE: 'unsupported_media_type',
      THROTTLED: 'rate_limited',
      QUOTA_EXCEEDED: 'rate_limited',
      INTEGRATION_TIMEOUT: 'busy',
      INTEGRATION_FAILURE: 'internal_error',
      API_CONFIGURATION_ERROR: 'internal_error',
      AUTHORIZER_CONFIGURATION_ERROR: 'internal_error',
      AUTHORIZER_FAILURE: 'token_not_checked',
      DEFAULT_5XX: 'internal_error',
    };
    assert.deepEqual(Object.fromEntries([...byType.keys()].map((type) => [type, bodyOf(type).code])), expected);
  });

  it('state when to retry where a retry helps', () => {
    for (const [type, response] of byType) {
      const { code } = bodyOf(type);
      const retryAfter: Partial<Record<ErrorCode, string>> = {
        busy: "'1'",
        rate_limited: "'1'",
        token_not_checked: "'10'",
      };
      const expected = retryAfter[code];
      assert.equal(response.ResponseParameters['gatewayresponse.header.Retry-After'], expected, type);
    }
  });
});

describe('tokens', () => {
  const people = { callbackUrls: ['https://desk.example/signed-in', 'http://localhost:8976/'] };

  it('come by default from a user pool with scopes, a token endpoint and a client for a backend', () => {
    const [poolId] = theOnly(template, 'AWS::Cognito::UserPool');
    const [serverId] = theOnly(template, 'AWS::Cognito::UserPoolResourceServer');
    const scope = (name: string) => ({ 'Fn::Join': ['', [{ Ref: serverId }, `/${name}`]] });
    template.hasResourceProperties('AWS::Cognito::UserPoolResourceServer', {
      Identifier: 'wallet',
      Scopes: scopes.map((ScopeName) => Match.objectLike({ ScopeName })),
    });
    const [, client] = theOnly(template, 'AWS::Cognito::UserPoolClient');
    assert.deepEqual(
      ['AllowedOAuthFlows', 'AllowedOAuthScopes', 'GenerateSecret'].map((name) => client.Properties[name]),
      [['client_credentials'], ['read', 'charge'].map(scope), true],
    );
    assert.deepEqual(client.Properties['ExplicitAuthFlows'], ['ALLOW_REFRESH_TOKEN_AUTH']);
    template.resourceCountIs('AWS::Cognito::UserPoolDomain', 1);
    const issuer = { 'Fn::GetAtt': [poolId, 'ProviderURL'] };
    template.hasResourceProperties('AWS::Lambda::Function', {
      Description: 'Wallet service: authorizer',
      Environment: {
        Variables: Match.objectLike({
          TOKEN_KIND: 'cognito',
          TOKEN_ISSUER: issuer,
          TOKEN_AUDIENCE: 'wallet',
          TOKEN_JWKS_URI: { 'Fn::Join': ['', [issuer, '/.well-known/jwks.json']] },
        }),
      },
    });
    for (const output of ['TokenEndpoint', 'ClientId', 'UserPoolId']) {
      template.hasOutput(output, {});
    }
  });

  it('of people need a second factor, and no person can add an account to the pool', () => {
    const [poolId, pool] = theOnly(template, 'AWS::Cognito::UserPool');
    assert.deepEqual(
      ['MfaConfiguration', 'EnabledMfas', 'AdminCreateUserConfig'].map((name) => pool.Properties[name]),
      ['ON', ['SOFTWARE_TOKEN_MFA'], { AllowAdminCreateUserOnly: true }],
    );
    const groups = [...resourcesOf(template, 'AWS::Cognito::UserPoolGroup').values()];
    assert.deepEqual(
      groups.map(({ Properties }) => [Properties['GroupName'], Properties['UserPoolId'], Properties['RoleArn']]),
      ['wallet-support', 'wallet-decide'].map((name) => [name, { Ref: poolId }, undefined]),
    );
  });

  it('of people come from a client with a code, without a secret, for the scopes of owners, where URLs are given', () => {
    const other = synthesize({ people: { ...people, logoutUrls: ['https://desk.example/bye'] } }).template;
    const [serverId] = theOnly(other, 'AWS::Cognito::UserPoolResourceServer');
    const clients = [...resourcesOf(other, 'AWS::Cognito::UserPoolClient').values()];
    assert.equal(clients.length, 2);
    const client = clients.find(({ Properties }) => Properties['CallbackURLs'] !== undefined);
    assert.deepEqual(client?.Properties, {
      ...client?.Properties,
      AllowedOAuthFlows: ['code'],
      AllowedOAuthFlowsUserPoolClient: true,
      AllowedOAuthScopes: ['read', 'write'].map((name) => ({ 'Fn::Join': ['', [{ Ref: serverId }, `/${name}`]] })),
      CallbackURLs: people.callbackUrls,
      LogoutURLs: ['https://desk.example/bye'],
      GenerateSecret: false,
      ExplicitAuthFlows: ['ALLOW_REFRESH_TOKEN_AUTH'],
      PreventUserExistenceErrors: 'ENABLED',
      SupportedIdentityProviders: ['COGNITO'],
      AccessTokenValidity: 15,
      RefreshTokenValidity: 720,
    });
  });

  it('of people return only to https or to this machine', () => {
    const refuses = (urls: { callbackUrls: string[]; logoutUrls?: string[] }, message: RegExp) => {
      assert.throws(() => synthesize({ people: urls }), message);
    };
    refuses({ callbackUrls: [] }, /people.callbackUrls must have a URL/);
    for (const url of [
      'http://desk.example/',
      'http://localhost.desk.example/',
      'http://localhost@desk.example/',
      'http://127.0.0.1:8976/',
      'https://desk.example/#here',
      'https://ann:secret@desk.example/',
      'https://:secret@desk.example/',
      'desk://signed-in',
      'desk.example',
      '',
    ]) {
      refuses({ callbackUrls: [...people.callbackUrls, url] }, /people.callbackUrls takes https URLs.* received "/);
      refuses({ ...people, logoutUrls: [url] }, /people.logoutUrls takes https URLs.* received "/);
    }
    assert.throws(
      () => synthesize({ people, tokens: { issuer: 'https://issuer.example', audience: 'wallets' } }),
      /people sign in at the stack's own user pool: give people or tokens, not both/,
    );
  });

  it('come only from the given issuer', () => {
    const given = { issuer: 'https://issuer.example', audience: 'wallets' };
    for (const [tokens, jwksUri] of [
      [given, 'https://issuer.example/.well-known/jwks.json'],
      [{ ...given, jwksUri: 'https://keys.example/jwks' }, 'https://keys.example/jwks'],
    ] as const) {
      const other = synthesize({ tokens }).template;
      other.hasResourceProperties('AWS::Lambda::Function', {
        Description: 'Wallet service: authorizer',
        Environment: {
          Variables: Match.objectLike({
            TOKEN_KIND: 'oidc',
            TOKEN_ISSUER: 'https://issuer.example',
            TOKEN_AUDIENCE: 'wallets',
            TOKEN_JWKS_URI: jwksUri,
          }),
        },
      });
      for (const type of ['UserPool', 'UserPoolClient', 'UserPoolDomain', 'UserPoolGroup', 'UserPoolResourceServer']) {
        other.resourceCountIs(`AWS::Cognito::${type}`, 0);
      }
      for (const output of ['TokenEndpoint', 'ClientId', 'UserPoolId']) {
        assert.deepEqual(other.findOutputs(output), {}, output);
      }
    }
  });
});
