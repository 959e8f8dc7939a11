/** The types that an AWS service of this machine is made of, and the parts of the machine that services use. */
import type { Identity, ShapeMap } from '../cloudformation/template.ts';
import type { Shutdown } from '../process/shutdown.ts';
import type { Data } from '../storage/data.ts';
import type { FunctionLog } from '../storage/function-log.ts';
import type { Endpoint } from './endpoint.ts';
import type { Faults } from './faults.ts';
import type { OwnRoutes } from './own-routes.ts';

/**
 * An AWS service of this machine. A new one is a folder whose `service.ts` exports it, and a line in
 * `local/runner/services.ts`.
 */
export interface Service<Opened = unknown> {
  /** Opens it before any resource starts: adds its endpoint, its routes, and variables to the environment of functions. */
  readonly open: (machine: Machine) => Opened | Promise<Opened>;
  /** Resource types by name, in the order in which their resources are started. */
  readonly types: Readonly<Record<string, ResourceType>>;
  /** Types whose resources have no effect on callers and functions of this machine. They are not started. */
  readonly cloudOnly?: readonly string[];
}

/** The parts of this machine that a service may use. */
export interface Machine {
  /** The URL of the API. */
  readonly baseUrl: string;
  readonly data: Data;
  /** The endpoint at which functions reach the services. */
  readonly endpoint: Endpoint;
  readonly faults: Faults;
  readonly routes: OwnRoutes;
  /** Environment variables that every function gets besides its own. */
  readonly environment: Record<string, string>;
  readonly functions: FunctionLimits;
  readonly shutdown: Shutdown;
  /** Reports a step of the start in one line. */
  readonly progress: (line: string) => void;
  /** Returns the result of a service's `open`. The service must come earlier in the list than the caller's. */
  use<Opened>(service: Service<Opened>): Opened;
}

/** The log and the limits that all functions share. */
export interface FunctionLimits {
  readonly log: FunctionLog;
  /**
   * Threads of all functions together, beyond the first of each.
   * @default 4 for each processor
   */
  readonly spareThreads?: number | undefined;
  /**
   * Longest wait of a request for a thread, ms. The gateway waits for 29 s for the answer.
   * @default 10,000
   */
  readonly longestWaitMs?: number | undefined;
}

/** One resource of the template, with its properties resolved. */
export interface BootResource<Properties> {
  readonly logicalId: string;
  readonly identity: Identity;
  readonly properties: Properties;
  /** Returns the folder of an asset by its key in the cloud assembly. Throws TemplateError. */
  readonly asset: (key: string) => string;
}

/** The naming of resources. It is the same in each run of a stack, so that data is found again. */
export interface Naming {
  /** `<stack>-<logical id>` */
  readonly name: (logicalId: string) => string;
  readonly arn: (service: string, resource: string) => string;
  /** The URL at which functions reach the services. */
  readonly servicesUrl: string;
}

export interface ResourceType {
  readonly shape: ShapeMap;
  readonly identify: (logicalId: string, naming: Naming) => Identity;
  readonly boot?: (machine: Machine, resource: BootResource<unknown>) => void | Promise<void>;
}

/** Declares a resource type. `Properties`: the members that `shape` names. */
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
