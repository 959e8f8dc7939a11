/** A service of this machine: the resource types that it knows, and what they become. */
import type { Identity, ShapeMap } from '../cloudformation/template.ts';
import type { Shutdown } from '../process/shutdown.ts';
import type { Data } from '../storage/data.ts';
import type { FunctionLog } from '../storage/function-log.ts';
import type { Endpoint } from './endpoint.ts';
import type { Faults } from './faults.ts';
import type { OwnRoutes } from './own-routes.ts';

/** An AWS service. Another one is a folder whose `service.ts` exports it, and a line in the runner's list. */
export interface Service<Opened = unknown> {
  /** Opens it before any resource starts: adds its endpoint, its routes and what functions find in their environment. */
  readonly open: (machine: Machine) => Opened | Promise<Opened>;
  /** By name, in the order in which they are started. */
  readonly types: Readonly<Record<string, ResourceType>>;
  /** Types that change nothing which a caller or a function on this machine could notice. */
  readonly cloudOnly?: readonly string[];
}

/** What a service may use. */
export interface Machine {
  /** Where callers reach the API. */
  readonly baseUrl: string;
  readonly data: Data;
  /** Where functions reach the services. */
  readonly endpoint: Endpoint;
  readonly faults: Faults;
  readonly routes: OwnRoutes;
  /** What every function finds in its environment besides its own variables. */
  readonly environment: Record<string, string>;
  readonly functions: FunctionLimits;
  readonly shutdown: Shutdown;
  /** Reports a step of the start in one line. */
  readonly progress: (line: string) => void;
  /** Returns what a service opened that comes before the caller's in the runner's list. */
  use<Opened>(service: Service<Opened>): Opened;
}

/** What all functions share. */
export interface FunctionLimits {
  readonly log: FunctionLog;
  /**
   * Threads of all functions together, beyond the first of each.
   * @default 4 for each processor
   */
  readonly spareThreads?: number | undefined;
  /**
   * How long a request waits for a thread at most, ms. The gateway waits for 29 s for the answer.
   * @default 10,000
   */
  readonly longestWaitMs?: number | undefined;
}

/** One resource of the template, its properties read. */
export interface BootResource<Properties> {
  readonly logicalId: string;
  readonly identity: Identity;
  readonly properties: Properties;
  /** Returns the folder of an asset by its key in the cloud assembly. Throws TemplateError. */
  readonly asset: (key: string) => string;
}

/** How names are made: stable for a stack, so that data is found again. */
export interface Naming {
  /** `<stack>-<logical id>` */
  readonly name: (logicalId: string) => string;
  readonly arn: (service: string, resource: string) => string;
  /** Where functions reach the services. */
  readonly servicesUrl: string;
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
