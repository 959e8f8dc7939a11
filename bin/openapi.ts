/** Describes the HTTP API as OpenAPI 3.1, from the code's own schemas and tables. Repeats no fact of the code. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as z from 'zod';
import { idFormats } from '../lambdas/domain/ids.ts';
import { answers } from '../lambdas/views/answers.ts';
import { nameOfRoute, routes } from '../lambdas/contract.ts';
import type { FunctionName, Route, RouteName } from '../lambdas/contract.ts';
import { errorTitles, WalletError } from '../lambdas/domain/errors.ts';
import type { ErrorCode } from '../lambdas/domain/errors.ts';
import type { RouteHandler } from '../lambdas/http/http.ts';
import { problem } from '../lambdas/http/problem.ts';
import { sourceOf } from '../lib/bundle.ts';
import { apiDescription } from './openapi-description.ts';
import { headerComponents, parameterComponents, securitySchemes } from './openapi-components.ts';
import type { HeaderName } from './openapi-components.ts';
import { answerExamples, answerExamplesOfRoutes, bodyExamples, textExamples } from './openapi-examples.ts';
import { problemExamples } from './openapi-problems.ts';
import { parameterTexts, textFor } from './openapi-texts.ts';
import { camelCase, override, requestName, schemaRef, schemasOf } from './openapi-schemas.ts';

/** A route under the name that no other has. */
type NamedRoute = Route & { readonly name: RouteName };
type Described = Pick<RouteHandler<never>, 'body' | 'query' | 'mediaType' | 'isKeyed'>;

/** Headers of every answer of a handler. The gateway's own answers have the first. */
const everywhere: readonly HeaderName[] = ['Cache-Control', 'Vary'];

/** Returns the document, made from every route. */
export async function openApiDocument(): Promise<object> {
  const described = await Promise.all(
    routes.map(async (route) => {
      const name = nameOfRoute(route);
      return { route: { ...route, name }, handler: await handlerOf(route.function, name) };
    }),
  );
  const paths: Record<string, Record<string, object>> = {};
  for (const { route, handler } of described) {
    (paths[route.path] ??= {})[route.method.toLowerCase()] = operationOf(route, handler);
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Wallet service',
      version: '1',
      license: { name: 'Apache License 2.0', identifier: 'Apache-2.0' },
      contact: { name: 'The team that runs the deployment' },
      description: apiDescription,
    },
    servers: [
      { url: 'http://127.0.0.1:3000', description: 'npm start' },
      {
        url: '{apiUrl}',
        description: 'A deployed stack',
        variables: { apiUrl: { default: 'https://example.com', description: 'Its output ApiUrl, without the last /' } },
      },
    ],
    paths,
    components: {
      schemas: schemasOf(described.map(({ route: { name }, handler: { body } }) => ({ name, body }))),
      headers: headerComponents,
      examples: problemExamples(),
      parameters: parameterComponents,
      securitySchemes,
    },
  };
}

/** Returns the files that may have a route: that of its function, and one of its own beside it. */
function filesOf(file: FunctionName, name: RouteName): string[] {
  const ofFunction = sourceOf(file).file;
  const own = join(dirname(ofFunction), `${name}.ts`);
  return [...new Set([ofFunction, ...(existsSync(own) ? [own] : [])])];
}

/** Returns a route: from the file of its function, or from one of its own. */
export async function handlerOf(file: FunctionName, name: RouteName): Promise<RouteHandler<never>> {
  for (const source of filesOf(file, name)) {
    const module = (await import(source)) as Record<string, unknown>;
    const handler = Object.values(module).find(
      (member): member is RouteHandler<never> => (member as Partial<RouteHandler<never>>).name === name,
    );
    if (handler !== undefined) return handler;
  }
  throw new Error(`lambdas/api has no route ${name}`);
}

function operationOf(route: NamedRoute, handler: Described): object {
  const { summary, description } = textOf(route);
  const { successes, prefer } = answers[route.name];
  const [, first] = route.path.split('/');
  const tag = route.function === 'reference' ? 'reference' : first;
  const query = handler.query && z.toJSONSchema(handler.query, { io: 'output', override });
  const parameters = [
    ...[...route.path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
      name,
      in: 'path',
      required: true,
      description: textFor(parameterTexts, name, tag),
      schema: { type: 'string', pattern: idFormats[name as keyof typeof idFormats].source },
    })),
    ...Object.entries(query?.properties ?? {}).map(([name, schema]) => ({
      name,
      in: 'query',
      description: parameterTexts[`${route.name}.${name}`] ?? textFor(parameterTexts, name, tag),
      schema,
    })),
    ...(handler.isKeyed ? [{ $ref: '#/components/parameters/Idempotency-Key' }] : []),
    ...(304 in successes ? [{ $ref: '#/components/parameters/If-None-Match' }] : []),
    ...(prefer ? [{ name: 'Prefer', in: 'header', description: prefer.join('; '), schema: { type: 'string' } }] : []),
  ];
  return {
    operationId: camelCase(route.method === 'HEAD' ? `head-${route.name}` : route.name),
    tags: [tag],
    summary,
    description,
    security: securityOf(route, handler).flatMap(withOAuth),
    ...(parameters.length > 0 && { parameters }),
    ...(handler.body && {
      requestBody: {
        required: !handler.body.safeParse({}).success,
        content: {
          // The schema of a body of lines is the list of their values.
          [handler.mediaType ?? 'application/json']: {
            schema: { $ref: schemaRef(requestName(route.name)) },
            example: exampleOf(bodyExamples, route.name),
          },
        },
      },
    }),
    responses: responsesOf(route, handler),
  };
}

/** Returns a security alternative, and for a token also its OAuth2 form, which the document describes. */
function withOAuth(alternative: object): object[] {
  return 'token' in alternative ? [alternative, { oauth2: alternative.token }] : [alternative];
}

/** Returns the security alternatives that open a route. */
function securityOf(route: Route, { body }: Described): object[] {
  if (!('open' in route)) {
    const { own, any } = route;
    return [own, any].flat().flatMap((scope) => (scope === undefined ? [] : [{ token: [`wallet:${scope}`] }]));
  }
  if (body !== undefined) return [{ bankTimestamp: [], bankSignature: [] }];
  return route.function === 'health' ? [{}, { token: ['wallet:support'] }] : [{}];
}

/** Returns the answers of a route that are no refusals, by status: the meaning and the possible bodies of each. */
function successesOf(name: RouteName) {
  const { successes, dryRun: schema } = answers[name];
  const dryRun: typeof successes | undefined = schema && {
    200: { meaning: 'With `dryRun`: what the command would cost', schema },
  };
  const all = [successes, dryRun ?? {}].flatMap((ofStatus) => Object.entries(ofStatus));
  return [...Map.groupBy(all, ([status]) => status)].map(([status, ofStatus]) => ({
    status,
    meaning: ofStatus.map(([, { meaning }]) => meaning).join('. '),
    schemas: ofStatus.flatMap(([, { schema }]) => schema ?? []),
    mediaTypes: ofStatus.flatMap(([, { mediaTypes }]) => Object.entries(mediaTypes ?? {})),
  }));
}

function responsesOf(route: NamedRoute, handler: Described): object {
  const { successes, prefer } = answers[route.name];
  const names: HeaderName[] = [
    ...everywhere,
    ...(handler.isKeyed ? (['Idempotency-Replayed'] as const) : []),
    ...(prefer ? (['Preference-Applied'] as const) : []),
    ...(304 in successes ? (['ETag'] as const) : []),
    ...(isForEndUsers(route) ? rateHeaders : []),
  ];
  const responses: Record<string, { description: string; headers?: object; content?: object }> = {};
  for (const { status, meaning, schemas, mediaTypes } of successesOf(route.name)) {
    // A split has no path of its own: its legs have.
    const isMade = (status === '201' || status === '202') && !schemas.includes('Split');
    responses[status] = {
      description: meaning,
      ...headersOf(Number(status) < 400 ? [...names, ...(isMade ? (['Location'] as const) : [])] : refusalHeaders(503)),
      ...(schemas.length + mediaTypes.length > 0 && {
        content: {
          ...(schemas.length > 0 && { 'application/json': contentOf(route, status, schemas) }),
          ...Object.fromEntries(
            mediaTypes.map(([type, description]) => [
              type,
              { schema: { type: 'string', description }, example: textExamples[type] },
            ]),
          ),
        },
      }),
    };
  }
  for (const [status, codes] of Map.groupBy(codesOf(route, handler), statusOf)) {
    const known = responses[status];
    responses[status] = {
      description: [
        ...(known ? [known.description] : []),
        ...codes.map((code) => `\`${code}\`: ${errorTitles[code]}`),
      ].join('. '),
      ...headersOf(refusalHeaders(status)),
      content: {
        ...known?.content,
        'application/problem+json': {
          schema: { $ref: schemaRef('Problem') },
          examples: Object.fromEntries(codes.map((code) => [code, { $ref: `#/components/examples/${code}` }])),
        },
      },
    };
  }
  if (route.method === 'HEAD') for (const response of Object.values(responses)) delete response.content;
  return responses;
}

function contentOf(route: NamedRoute, status: string, schemas: readonly (keyof typeof answerExamples)[]): object {
  const refs = schemas.map((name) => ({ $ref: schemaRef(name) }));
  const examples = schemas.map((name) => answerExamples[name]);
  const example = answerExamplesOfRoutes[`${route.name} ${status}`] ?? examples[0];
  return { schema: refs.length > 1 ? { oneOf: refs } : refs[0], example };
}

/** Returns the codes that a route can answer: those that follow from its inputs, and those that it declares. */
function codesOf(route: NamedRoute, handler: Described): ErrorCode[] {
  const codes: ErrorCode[] = [
    'invalid_request',
    ...('open' in route ? [] : (['unauthorized', 'forbidden', 'token_not_checked'] as const)),
    ...(handler.body ? (['payload_too_large', 'unsupported_media_type'] as const) : []),
    ...(handler.isKeyed ? (['idempotency_key_required', 'idempotency_key_reused'] as const) : []),
    ...(route.path.includes('{walletId}') ? (['wallet_not_found'] as const) : []),
    ...(/\{(transactionId|receiptCode)\}/.test(route.path) ? (['transaction_not_found'] as const) : []),
    ...(answers[route.name].codes ?? []),
    'rate_limited',
    'busy',
    'internal_error',
  ];
  return codes.sort((a, b) => statusOf(a) - statusOf(b));
}

function statusOf(code: ErrorCode): number {
  return problem(new WalletError(code)).status;
}

function refusalHeaders(status: number): HeaderName[] {
  if (status === 401) return [...everywhere, 'WWW-Authenticate'];
  if (status === 429) return [...everywhere, 'Retry-After', ...rateHeaders];
  return status === 503 ? [...everywhere, 'Retry-After'] : [...everywhere];
}

const rateHeaders = ['RateLimit-Limit', 'RateLimit-Remaining', 'RateLimit-Reset'] as const;

/** Returns whether a token of an end user opens the route. Operators are not limited. */
function isForEndUsers(route: Route): boolean {
  return !('open' in route) && route.own !== undefined;
}

function headersOf(names: readonly HeaderName[]): { headers?: object } {
  if (names.length === 0) return {};
  return { headers: Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }])) };
}

function exampleOf(examples: Readonly<Record<string, object>>, name: string): object {
  const example = examples[name];
  if (example === undefined) throw new Error(`openapi-examples.ts and openapi-problems.ts have no example for ${name}`);
  return example;
}

/** Returns the text of a route's docstring after `METHOD path`: its first sentence, and all of it. */
function textOf(route: NamedRoute): { summary: string; description: string } {
  const source = filesOf(route.function, route.name)
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n');
  for (const [, comment = ''] of source.matchAll(/\/\*\*(.*?)\*\//gs)) {
    const text = comment.replaceAll(/\s*\n \* ?|\s+/g, ' ').trim();
    const title = `\`${route.method === 'HEAD' ? 'GET' : route.method} ${route.path}\`: `;
    if (!text.startsWith(title)) continue;
    const said = text.slice(title.length);
    const description = `${said.charAt(0).toUpperCase()}${said.slice(1)}`;
    return { summary: description.replace(/\.(?: .*)?$/, ''), description };
  }
  throw new Error(`no docstring in ${route.function}.ts begins with ${route.method} ${route.path}`);
}
