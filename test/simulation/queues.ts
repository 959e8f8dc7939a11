/** SQS and its event sources on simulated time: at least once, in any order, hidden while at work, and dead letters. */
import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { createHash } from 'node:crypto';
import { kindOfChange } from './changes.ts';
import { between, chance, choose } from './chance.ts';
import { injected, noAnswer } from './in-process-clients.ts';
import type { ClientCall, Model, Reply } from './in-process-clients.ts';
import { deliveryFaults } from './plan.ts';
import type { FaultKind } from './plan.ts';
import type { Struck, Task, World } from './world.ts';

export interface QueueSettings {
  /** The time for which a received message is hidden, ms. */
  readonly visibilityMs: number;
  /** The number of receives after which a message goes to the dead letters. */
  readonly maxReceives: number;
  /** The most messages of one delivery. */
  readonly batchSize: number;
  /** The longest time for which messages are gathered, ms. */
  readonly gatherMs: number;
}

/** Passes a batch to a consumer. Returns undefined when the consumer died. */
export type Deliver = (label: string, event: SQSEvent) => Promise<SQSBatchResponse | undefined>;

interface Message {
  readonly id: string;
  readonly body: string;
  /** The name of the message's work in histories, and the number of the message for that work. */
  readonly label: string;
  /** Epoch ms. */
  readonly sentAt: number;
  receives: number;
  visibleAt: number;
}

/** A message that waits or is at work. */
export type WaitingMessage = Pick<Message, 'sentAt' | 'receives' | 'visibleAt'>;

interface SimulatedQueue {
  readonly settings: QueueSettings;
  readonly deliver: Deliver;
  messages: Message[];
  dead: Message[];
  /** The number of messages over time. */
  readonly depths: { readonly at: number; readonly depth: number }[];
}

export interface Queues {
  /** The model behind the SQS client. */
  readonly model: Model;
  readonly add: (url: string, settings: QueueSettings, deliver: Deliver) => void;
  /** Sends a message as another service does, and hides it for a time. */
  readonly send: (url: string, body: string, delayMs: number) => void;
  /** Returns the number of messages that wait or are at work. */
  readonly depth: (url: string) => number;
  /** Returns the messages that wait or are at work, and the number of dead letters. */
  readonly contents: (url: string) => { readonly messages: readonly WaitingMessage[]; readonly dead: number };
  /** Returns the least and the most messages of the queue since `since`, epoch ms. */
  readonly depthsSince: (url: string, since: number) => { readonly least: number; readonly most: number };
  /** Returns whether the task requested a send. */
  readonly hasSent: (task: Task) => boolean;
  /** Returns how many messages became dead letters. */
  readonly deadLetters: () => number;
  /** Puts the dead letters back into their queues. */
  readonly redrive: () => void;
}

/**
 * Opens the queues.
 *
 * @param labelOf returns the name of the work in a message body
 * @param onDone called for a message that its consumer has finished, unless another message has the same work
 */
export function openQueues(
  world: World,
  labelOf: (body: string) => string,
  onDone: (body: string, delivery: string) => void,
): Queues {
  const queues = new Map<string, SimulatedQueue>();
  const sent = new Map<string, number>();
  const senders = new WeakSet<Task>();
  let ids = 0;
  let deadLetters = 0;

  function queueAt(url: unknown): SimulatedQueue {
    const queue = queues.get(String(url));
    if (queue === undefined) throw new Error(`there is no queue ${String(url)}`);
    return queue;
  }

  function change(queue: SimulatedQueue, messages: Message[]): void {
    queue.messages = messages;
    queue.depths.push({ at: world.now(), depth: messages.length });
  }

  function wake(queue: SimulatedQueue, message: Message): void {
    const gathering = between(0, queue.settings.gatherMs, world.seed, 'gather', message.id, message.receives);
    world.at(message.visibleAt + gathering, () => {
      poll(queue);
    });
  }

  function put(url: unknown, body: string, delayMs: number): string {
    const queue = queueAt(url);
    const about = labelOf(body);
    const nth = sent.get(about) ?? 0;
    sent.set(about, nth + 1);
    const sentAt = world.now();
    const label = `${about}.${nth}`;
    const message = { id: `m${ids++}`, body, label, sentAt, receives: 0, visibleAt: sentAt + delayMs };
    change(queue, [...queue.messages, message]);
    wake(queue, message);
    return message.id;
  }

  function poll(queue: SimulatedQueue): void {
    const visible = queue.messages
      .filter(({ visibleAt }) => visibleAt <= world.now())
      .sort((a, b) => chance(world.seed, 'order', a.label) - chance(world.seed, 'order', b.label));
    const batch: Message[] = [];
    for (const message of visible.slice(0, queue.settings.batchSize)) {
      const delivery = `${message.label}#${message.receives + 1}`;
      const kind = world.strike({ id: `delivery of ${delivery}`, call: 'event source delivers', kinds: deliveries });
      if (kind === 'delivered-late') {
        message.visibleAt = world.now() + between(5_000, 600_000, world.seed, 'late', delivery);
        wake(queue, message);
        continue;
      }
      message.receives++;
      if (message.receives > queue.settings.maxReceives) {
        change(
          queue,
          queue.messages.filter((one) => one !== message),
        );
        queue.dead.push(message);
        deadLetters++;
        continue;
      }
      message.visibleAt = world.now() + queue.settings.visibilityMs;
      wake(queue, message);
      batch.push(message);
      if (kind === 'delivered-twice') {
        world.at(world.now() + choose([0, 3, 10, 1_000], world.seed, 'again', delivery), () => {
          void handOver(queue, [message], ' again');
        });
      }
    }
    if (batch.length > 0) void handOver(queue, batch, '');
  }

  async function handOver(queue: SimulatedQueue, batch: readonly Message[], which: string): Promise<void> {
    const [first] = batch;
    if (first === undefined) return;
    const label = `${first.label}#${first.receives}${which}`;
    const receives = new Map(batch.map((message) => [message, message.receives]));
    const answer = await queue.deliver(label, { Records: batch.map(recordOf) });
    if (answer === undefined) return;
    const failed = new Set(answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
    for (const message of batch) {
      if (failed.has(message.id)) continue;
      const delivery = `${message.label}#${message.receives}${which}`;
      const kind = world.strike({ id: `deletion of ${delivery}`, call: 'event source deletes', kinds: deletions });
      // A message that was received again meanwhile belongs to another delivery.
      const others = queue.messages.some((one) => one !== message && one.body === message.body);
      if (!others && message.receives === receives.get(message)) onDone(message.body, delivery);
      if (kind === undefined) {
        change(
          queue,
          queue.messages.filter((one) => one !== message),
        );
      }
    }
  }

  function perform({ operation, input }: ClientCall, { kind, id }: Struck): Reply {
    const url = input['QueueUrl'];
    if (kind === 'refused') return injected;
    switch (operation) {
      case 'SendMessage': {
        const body = String(input['MessageBody']);
        if (kind === 'duplicated') put(url, body, 0);
        return { status: 200, body: { MessageId: accept(url, body, kind, id), MD5OfMessageBody: md5(body) } };
      }
      case 'SendMessageBatch': {
        const entries = input['Entries'] as { Id: string; MessageBody: string }[];
        const refused = entries.filter(
          ({ Id }) => kind === 'partial-batch-refused' && chance(world.seed, 'refused', id, Id) < 0.5,
        );
        const taken = entries.filter((entry) => !refused.includes(entry));
        return {
          status: 200,
          body: {
            Successful: taken.map(({ Id, MessageBody: body }) => {
              if (kind === 'duplicated') put(url, body, 0);
              return { Id, MessageId: accept(url, body, kind, id), MD5OfMessageBody: md5(body) };
            }),
            Failed: refused.map(({ Id }) => ({ Id, Code: 'InternalError', SenderFault: false })),
          },
        };
      }
      case 'ChangeMessageVisibility': {
        const queue = queueAt(url);
        const message = queue.messages.find((one) => one.id === input['ReceiptHandle']);
        if (message === undefined) return { status: 400, body: { __type: 'Injected', message: 'not in flight' } };
        message.visibleAt = world.now() + 1000 * Number(input['VisibilityTimeout']);
        wake(queue, message);
        return { status: 200, body: {} };
      }
      case 'GetQueueAttributes':
        return {
          status: 200,
          body: { Attributes: { ApproximateNumberOfMessages: String(queueAt(url).messages.length) } },
        };
      default:
        throw new Error(`the simulation does not know SQS's ${operation}: add it in queues.ts`);
    }
  }

  function accept(url: unknown, body: string, kind: FaultKind | undefined, id: string): string {
    if (kind === 'message-lost') return 'lost';
    return put(url, body, kind === 'message-delayed' ? between(2_000, 900_000, world.seed, 'delayed', id) : 0);
  }

  return {
    model(call) {
      const task = world.current();
      if (task !== undefined && call.operation === 'SendMessage') senders.add(task);
      return world.external({
        service: 'sqs',
        operation: call.operation,
        change: kindOfChange(call.input),
        kinds: kindsFor(call.operation),
        legMs: [1, 15],
        timeoutMs: 2_000,
        lost: noAnswer,
        perform: (struck) => Promise.resolve(perform(call, struck)),
      });
    },
    add(url, settings, deliver) {
      queues.set(url, { settings, deliver, messages: [], dead: [], depths: [] });
    },
    send: put,
    depth: (url) => queueAt(url).messages.length,
    contents(url) {
      const { messages, dead } = queueAt(url);
      return { messages, dead: dead.length };
    },
    depthsSince(url, since) {
      const { depths } = queueAt(url);
      const known = [depths.findLast(({ at }) => at <= since), ...depths.filter(({ at }) => at > since)];
      const seen = known.map((one) => one?.depth ?? 0);
      return { least: Math.min(...seen), most: Math.max(...seen) };
    },
    hasSent: (task) => senders.has(task),
    deadLetters: () => deadLetters,
    redrive() {
      for (const queue of queues.values()) {
        for (const message of queue.dead) {
          const again = { ...message, receives: 0, label: `${message.label}~`, visibleAt: world.now() };
          change(queue, [...queue.messages, again]);
          wake(queue, again);
        }
        queue.dead = [];
      }
    },
  };
}

const deliveries = deliveryFaults.filter((kind) => kind !== 'delete-lost');
const deletions = deliveryFaults.filter((kind) => kind === 'delete-lost');

function kindsFor(operation: string): readonly FaultKind[] {
  switch (operation) {
    case 'SendMessage':
      return ['refused', 'duplicated', 'message-lost', 'message-delayed'];
    case 'SendMessageBatch':
      return ['refused', 'duplicated', 'message-lost', 'message-delayed', 'partial-batch-refused'];
    default:
      return ['refused'];
  }
}

function recordOf(message: Message): SQSRecord {
  return {
    messageId: message.id,
    receiptHandle: message.id,
    body: message.body,
    attributes: { ApproximateReceiveCount: String(message.receives) },
    eventSource: 'aws:sqs',
  } as SQSRecord;
}

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}
