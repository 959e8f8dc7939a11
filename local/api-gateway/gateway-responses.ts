/** Answers of API Gateway itself: the gateway responses of the template, or else its built-in ones. */
import { TemplateError } from '../cloudformation/template.ts';

/** Status and message of each refusal when the template does not say otherwise. */
export const refusals = {
  ACCESS_DENIED: [403, 'User is not authorized to access this resource'],
  AUTHORIZER_CONFIGURATION_ERROR: [500, 'Internal server error'],
  AUTHORIZER_FAILURE: [500, 'Internal server error'],
  BAD_REQUEST_BODY: [400, 'Invalid request body'],
  BAD_REQUEST_PARAMETERS: [400, 'Bad Request'],
  // The function failed, ran out of its own time or answered what no proxy integration may.
  DEFAULT_5XX: [502, 'Internal server error'],
  INTEGRATION_TIMEOUT: [504, 'Endpoint request timed out'],
  MISSING_AUTHENTICATION_TOKEN: [403, 'Missing Authentication Token'],
  REQUEST_TOO_LARGE: [413, 'HTTP content length exceeded 10485760 bytes.'],
  THROTTLED: [429, 'Too Many Requests'],
  UNAUTHORIZED: [401, 'Unauthorized'],
  UNSUPPORTED_MEDIA_TYPE: [415, 'Unsupported Media Type'],
} as const satisfies Record<string, readonly [number, string]>;

export type Refusal = keyof typeof refusals;

/** AWS::ApiGateway::GatewayResponse */
export interface GatewayResponseProperties {
  readonly ResponseType: string;
  readonly StatusCode?: string | number;
  readonly ResponseParameters?: Readonly<Record<string, string>>;
  readonly ResponseTemplates?: Readonly<Record<string, string>>;
}

/** The facts of a request that a template of a gateway response may name. */
export interface RequestContext {
  readonly requestId: string;
  readonly httpMethod: string;
  readonly path: string;
  readonly resourcePath: string;
  readonly stage: string;
  readonly sourceIp: string;
  readonly requestTimeEpoch: number;
  /** The request's headers, by lower-case name. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

export interface Answer {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Buffer;
}

export interface GatewayResponses {
  /** Throws TemplateError for what cannot be rendered here. */
  define(properties: GatewayResponseProperties, where: string): void;
  answer(refusal: Refusal, context: RequestContext): Answer;
}

type Variables = Record<string, (context: RequestContext, refusal: Refusal) => string>;

const variables: Variables = {
  'error.message': (_, refusal) => refusals[refusal][1],
  'error.messageString': (_, refusal) => JSON.stringify(refusals[refusal][1]),
  'error.responseType': (_, refusal) => refusal,
  requestId: (context) => context.requestId,
  extendedRequestId: (context) => context.requestId,
  httpMethod: (context) => context.httpMethod,
  path: (context) => context.path,
  resourcePath: (context) => context.resourcePath,
  stage: (context) => context.stage,
  'identity.sourceIp': (context) => context.sourceIp,
  requestTimeEpoch: (context) => String(context.requestTimeEpoch),
};

const reference = /\$context\.([a-zA-Z]+(?:\.[a-zA-Z]+)*)/g;
const defaultTemplates = { 'application/json': '{"message":$context.error.messageString}' };

export function createGatewayResponses(): GatewayResponses {
  const defined = new Map<string, GatewayResponseProperties>();
  return {
    define(properties, where) {
      for (const template of Object.values(properties.ResponseTemplates ?? {})) {
        for (const [whole, name = ''] of template.matchAll(reference)) {
          if (!variables[name]) throw new TemplateError(`${where}: ${whole} is not supported`);
        }
        if (/\$(?!context\.)/.test(template)) throw new TemplateError(`${where}: ${template} is not supported`);
      }
      for (const [name, value] of Object.entries(properties.ResponseParameters ?? {})) {
        const supported =
          name.startsWith('gatewayresponse.header.') && /^('[^']*'|method\.request\.header\.\S+)$/.test(value);
        if (!supported) throw new TemplateError(`${where}: ${name} = ${value} is not supported`);
      }
      defined.set(properties.ResponseType, properties);
    },
    answer(refusal, context) {
      const [status] = refusals[refusal];
      const response = defined.get(refusal) ?? defined.get(status < 500 ? 'DEFAULT_4XX' : 'DEFAULT_5XX');
      const templates = response?.ResponseTemplates ?? defaultTemplates;
      const [[contentType, template] = ['application/json', '']] = Object.entries(templates);
      const body = template.replace(reference, (_, name: string) => variables[name]?.(context, refusal) ?? '');
      const headers = new Map([['content-type', contentType]]);
      for (const [name, value] of Object.entries(response?.ResponseParameters ?? {})) {
        const text = valueOf(value, context);
        if (text !== undefined) headers.set(name.slice('gatewayresponse.header.'.length).toLowerCase(), text);
      }
      return { status: Number(response?.StatusCode ?? status), headers: [...headers], body: Buffer.from(body) };
    },
  };
}

/** Returns a text in quotes, or the value of a header of the request; undefined when it has none. */
function valueOf(mapping: string, { headers }: RequestContext): string | undefined {
  if (mapping.startsWith("'")) return mapping.slice(1, -1);
  const value = headers[mapping.slice('method.request.header.'.length).toLowerCase()];
  return Array.isArray(value) ? value.at(-1) : value;
}
