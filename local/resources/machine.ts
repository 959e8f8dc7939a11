/** What resources of a template become on this machine, and what each may use while it is started. */
import type { DatabaseSync } from 'node:sqlite';
import type { RestApiDraft } from '../api-gateway/rest-api-draft.ts';
import { TemplateError } from '../cloudformation/template.ts';
import type { Identity, ShapeMap } from '../cloudformation/template.ts';
import type { Engine } from '../dynamodb/dynamodb.ts';
import type { TableStreams } from '../dynamodb/stream-sharing.ts';
import type { Faults } from '../endpoint/faults.ts';
import type { EventBuses } from '../eventbridge/event-buses.ts';
import type { DeliveryStream } from '../firehose/delivery-streams.ts';
import type { Issuer } from '../issuer/issuer.ts';
import type { AsyncInvocations } from '../lambda/async-invocations.ts';
import type { LocalFunction } from '../lambda/function-pool.ts';
import type { Functions } from '../lambda/functions.ts';
import type { Secrets } from '../secrets-manager/secrets.ts';
import type { Topics } from '../sns/topics.ts';
import type { MessageAttribute, Queue, Queues } from '../sqs/queues.ts';
import type { Deliveries } from '../storage/deliveries.ts';

/** The parts of this machine. */
export interface Machine {
  readonly engine: Engine;
  /** Folder with one folder for each bucket. */
  readonly bucketsFolder: string;
  readonly store: DatabaseSync;
  readonly tableStreams: TableStreams;
  readonly queues: Queues;
  readonly topics: Topics;
  readonly buses: EventBuses;
  /** By ARN. */
  readonly deliveryStreams: Map<string, DeliveryStream>;
  readonly deliveries: Deliveries;
  readonly asyncInvocations: AsyncInvocations;
  readonly faults: Faults;
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

/** Sends as a service would: not while SQS is switched off, and no message that the queue would refuse. */
export function send(
  machine: Machine,
  queue: Queue,
  body: string,
  attributes: Record<string, MessageAttribute> = {},
): void {
  machine.faults.check('sqs');
  if (Buffer.byteLength(body) > queue.settings.maximumBytes) throw new Error('the message is too long for the queue');
  queue.send(body, { attributes });
}

/** Throws TemplateError when the ARN is not that of a queue of the template. */
export function queueOf(machine: Machine, arn: string, where: string): Queue {
  const queue = machine.queues.byArn(arn);
  if (!queue) throw new TemplateError(`${where}: ${arn} is not a queue of this template`);
  return queue;
}

/** Throws TemplateError when neither name nor ARN is that of a function of the template. */
export function functionOf(machine: Machine, nameOrArn: string, where: string): LocalFunction {
  const found = machine.functions.byName(nameOrArn) ?? machine.functions.byArn(nameOrArn);
  if (!found) throw new TemplateError(`${where}: ${nameOrArn} is not a function of this template`);
  return found;
}
