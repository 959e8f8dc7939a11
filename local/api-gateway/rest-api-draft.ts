/** A REST API as it is gathered from the resources of a template, before it is a gateway. */
import type { Authorizer } from './authorizer.ts';
import { createGatewayResponses } from './gateway-responses.ts';
import type { GatewayResponses } from './gateway-responses.ts';
import type { MockProperties } from './mock-integration.ts';

/** The resources of the API that have been read so far. */
export interface RestApiDraft {
  apiId?: string;
  stage?: StageProperties;
  minCompressionBytes?: number | undefined;
  readonly resources: Map<string, { readonly parentId: string; readonly part: string }>;
  readonly authorizers: Map<string, Authorizer>;
  readonly methods: { readonly logicalId: string; readonly properties: MethodProperties }[];
  readonly responses: GatewayResponses;
}

export interface MethodProperties {
  readonly HttpMethod: string;
  readonly ResourceId: string;
  readonly AuthorizationType?: 'NONE' | 'CUSTOM';
  readonly AuthorizerId?: string;
  readonly Integration:
    | { readonly Type: 'AWS_PROXY'; readonly Uri: string; readonly TimeoutInMillis?: number }
    | ({ readonly Type: 'MOCK' } & MockProperties);
}

export interface StageProperties {
  readonly StageName: string;
  readonly MethodSettings?: readonly {
    /** `*` for every method. */
    readonly HttpMethod: string;
    /** `/*` for every path; else with `~1` for each slash but the first. */
    readonly ResourcePath: string;
    readonly ThrottlingRateLimit?: number;
    readonly ThrottlingBurstLimit?: number;
  }[];
}

export function newRestApiDraft(): RestApiDraft {
  return { resources: new Map(), authorizers: new Map(), methods: [], responses: createGatewayResponses() };
}
