/** MOCK integrations of the gateway, which answer without a function. Only what preflight requests of CORS need. */
import type { IncomingHttpHeaders } from 'node:http';
import { TemplateError } from '../cloudformation/template.ts';
import type { Answer, Refusal } from './gateway-responses.ts';

/** The properties of a MOCK integration in AWS::ApiGateway::Method that are read here. */
export interface MockProperties {
  readonly RequestTemplates?: Readonly<Record<string, string>>;
  readonly IntegrationResponses?: readonly {
    readonly StatusCode: string;
    readonly ResponseParameters?: Readonly<Record<string, string>>;
    readonly ResponseTemplates?: Readonly<Record<string, string>>;
  }[];
}

/** A function that returns the answer of a MOCK integration to a request with these headers. */
export type Mock = (headers: IncomingHttpHeaders) => Answer | Refusal;

const mediaType = 'application/json';
const prefix = 'method.response.header.';
/** The one template that is understood besides the empty one (lib/preflight.ts): names the origin if it is allowed. */
const originTemplate = new RegExp(
  [
    '#set\\(\\$origin = \\$input\\.params\\(\\)\\.header\\.get\\("Origin"\\)\\)',
    '#if\\(\\$origin == ""\\)#set\\(\\$origin = \\$input\\.params\\(\\)\\.header\\.get\\("origin"\\)\\)#end',
    '#if\\((?<origins>\\$origin == "[^"]*"( \\|\\| \\$origin == "[^"]*")*)\\)',
    '#set\\(\\$context\\.responseOverride\\.header\\.(?<header>[A-Za-z-]+) = \\$origin\\)',
    '#end',
  ].join('\n'),
);

/**
 * Returns the integration.
 *
 * @param where the method's logical id, for errors
 * @throws TemplateError for properties that would be answered differently here
 */
export function readMock({ RequestTemplates, IntegrationResponses = [] }: MockProperties, where: string): Mock {
  const [response, ...others] = IntegrationResponses;
  const { StatusCode = '', ResponseParameters = {}, ResponseTemplates = {} } = response ?? {};
  const wanted = JSON.stringify({ [mediaType]: `{"statusCode":${StatusCode}}` });
  if (response === undefined || others.length > 0 || JSON.stringify(RequestTemplates) !== wanted) {
    throw new TemplateError(`${where}: a MOCK integration has one response, whose status its request template names`);
  }
  const fixed = Object.entries(ResponseParameters).map(([name, value]): [string, string] => {
    const text = /^'([^']*)'$/.exec(value)?.[1];
    if (!name.startsWith(prefix) || text === undefined) {
      throw new TemplateError(`${where}: ${name} = ${value} is not supported`);
    }
    return [name.slice(prefix.length).toLowerCase(), text];
  });
  const template = ResponseTemplates[mediaType] ?? '';
  const parts = new RegExp(`^${originTemplate.source}$`).exec(template)?.groups;
  if (template !== '' && parts === undefined) throw new TemplateError(`${where}: ${template} is not supported`);
  const origins = [...(parts?.['origins'] ?? '').matchAll(/"([^"]*)"/g)].map(([, origin]) => origin);
  return (headers) => {
    // PassthroughBehavior is NEVER.
    if (headers['content-type'] !== undefined && headers['content-type'] !== mediaType) return 'UNSUPPORTED_MEDIA_TYPE';
    const origin = headers.origin ?? '';
    const named: [string, string][] = origins.includes(origin)
      ? [[String(parts?.['header']).toLowerCase(), origin]]
      : [];
    return { status: Number(StatusCode), headers: [...fixed, ...named], body: Buffer.alloc(0) };
  };
}
