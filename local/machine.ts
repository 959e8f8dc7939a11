/** What resources of a template become on this machine, and what each may use while it is started. */
import type { Functions } from './functions.ts';
import type { Issuer } from './issuer.ts';
import type { Queues } from './queues.ts';
import type { RestApiDraft } from './rest-api.ts';
import type { Secrets } from './secrets.ts';
import type { Identity, ShapeMap } from './template.ts';

export const accountId = '000000000000';
export const region = 'us-east-1';

/** The parts of this machine. */
export interface Machine {
  readonly dynamodbEndpoint: string;
  readonly queues: Queues;
  readonly secrets: Secrets;
  readonly issuer: Issuer;
  readonly functions: Functions;
  readonly api: RestApiDraft;
  /** Folder of an asset, by its key in the cloud assembly. Throws TemplateError. */
  asset(key: string, where: string): string;
  /** What every function finds in its environment besides its own variables. */
  readonly baseEnvironment: Readonly<Record<string, string>>;
  /** Has `part` stopped before the functions are. */
  readonly onStop: (part: { stop(): Promise<void> }) => void;
}

/** One resource of the template, its properties read. */
export interface BootResource<Properties> {
  readonly logicalId: string;
  readonly identity: Identity;
  readonly properties: Properties;
}

/** How names are made: stable for a stack, so that data is found again. */
export interface Naming {
  /** `<stack>-<logical id>` */
  readonly name: (logicalId: string) => string;
  readonly arn: (service: string, resource: string) => string;
  readonly queueUrl: (name: string) => string;
  /** Where callers reach the API and the issuer, without a slash at the end. */
  readonly baseUrl: string;
}

export interface ResourceType {
  readonly shape: ShapeMap;
  readonly identify: (logicalId: string, naming: Naming) => Identity;
  readonly boot?: (machine: Machine, resource: BootResource<unknown>) => void | Promise<void>;
}

/** Declares a resource type; `Properties` is what `shape` lets through. */
export function resourceType<Properties>(declared: {
  readonly shape: ShapeMap;
  readonly identify?: ResourceType['identify'];
  readonly boot?: (machine: Machine, resource: BootResource<Properties>) => void | Promise<void>;
}): ResourceType {
  const { shape, identify = anonymous, boot } = declared;
  return {
    shape,
    identify,
    ...(boot && { boot: (machine, resource) => boot(machine, resource as BootResource<Properties>) }),
  };
}

const anonymous = (logicalId: string): Identity => ({ ref: logicalId, attributes: {} });
