import { AuthorizationType, MockIntegration, PassthroughBehavior } from 'aws-cdk-lib/aws-apigateway';
import type { IResource, Method } from 'aws-cdk-lib/aws-apigateway';
import { Validations } from 'aws-cdk-lib';

/** Headers that scripts of a page may send, besides those that every page may. */
const allowedHeaders = 'Authorization, Content-Type, Idempotency-Key, If-None-Match, Prefer';
/** Two hours: Chromium keeps the answer no longer. */
const maxAgeSeconds = 7_200;

/**
 * Adds the answer to preflight requests, with which a browser asks for a page's permissions. These requests need no
 * token, so the gateway answers them itself: a flood of them takes no function's concurrency.
 *
 * @param methods the methods that the resource has without this one
 * @param allowedOrigins the origins of the pages, or `*`
 */
export function addPreflight(
  resource: IResource,
  { methods, allowedOrigins }: { readonly methods: readonly string[]; readonly allowedOrigins: readonly string[] },
): Method {
  const [only, ...others] = allowedOrigins;
  const isFixed = others.length === 0 || allowedOrigins.includes('*');
  const headers = {
    'Access-Control-Allow-Headers': allowedHeaders,
    'Access-Control-Allow-Methods': methods.join(', '),
    'Access-Control-Max-Age': String(maxAgeSeconds),
    'Cache-Control': 'no-store',
    Vary: 'Origin',
    ...(isFixed && { 'Access-Control-Allow-Origin': allowedOrigins.includes('*') ? '*' : String(only) }),
  };
  const method = resource.addMethod(
    'OPTIONS',
    new MockIntegration({
      passthroughBehavior: PassthroughBehavior.NEVER,
      requestTemplates: { 'application/json': '{"statusCode":204}' },
      integrationResponses: [
        {
          statusCode: '204',
          responseParameters: Object.fromEntries(
            Object.entries(headers).map(([name, value]) => [`method.response.header.${name}`, `'${value}'`]),
          ),
          ...(!isFixed && { responseTemplates: { 'application/json': originTemplate(allowedOrigins) } }),
        },
      ],
    }),
    {
      authorizationType: AuthorizationType.NONE,
      methodResponses: [
        {
          statusCode: '204',
          responseParameters: Object.fromEntries(
            Object.keys(headers).map((name) => [`method.response.header.${name}`, true]),
          ),
        },
      ],
    },
  );
  Validations.of(method).acknowledge({
    id: 'AwsSolutions-APIG4',
    reason: 'A browser sends preflight requests without a token; the answer has only the allowed methods and headers.',
  });
  return method;
}

/**
 * Returns a template that names the requesting origin, if it is allowed. It reads the header in both cases, as
 * `header.get` is case-sensitive and the client chooses the case.
 */
function originTemplate(allowedOrigins: readonly string[]): string {
  return [
    '#set($origin = $input.params().header.get("Origin"))',
    '#if($origin == "")#set($origin = $input.params().header.get("origin"))#end',
    `#if(${allowedOrigins.map((origin) => `$origin == "${origin}"`).join(' || ')})`,
    '#set($context.responseOverride.header.Access-Control-Allow-Origin = $origin)',
    '#end',
  ].join('\n');
}
