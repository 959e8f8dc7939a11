/** SNS topics in the SDK's query protocol. Each message is kept for inspection and delivered to the subscriptions. */
import { randomUUID } from 'node:crypto';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Matches } from '../eventbridge/event-pattern.ts';
import { ServiceError } from '../machine/endpoint.ts';
import type { QueryService } from '../machine/endpoint.ts';
import type { Faults } from '../machine/faults.ts';
import type { MessageAttribute } from '../sqs/queues.ts';
import { atomically, Query } from '../storage/store.ts';

/** A published message. */
export interface Notification {
  readonly messageId: string;
  readonly topicArn: string;
  readonly subject?: string;
  readonly message: string;
  readonly attributes: Readonly<Record<string, MessageAttribute>>;
  readonly publishedAt: string;
}

export interface Subscription {
  readonly arn: string;
  /** Returns whether a filter policy matches the attributes, by name; undefined accepts every message. */
  readonly accepts?: Matches | undefined;
  readonly deliver: (notification: Notification) => void;
}

export interface Topics {
  readonly service: QueryService;
  create(arn: string): void;
  /** Throws when there is no such topic. */
  subscribe(topicArn: string, subscription: Subscription): void;
  /** Returns published messages, newest first. */
  list(limit: number): Notification[];
}

const maxBytes = 262_144;
const maxEntries = 10;
/** Messages that are kept for inspection. */
const maxRemembered = 10_000;

const invalid = (message: string): ServiceError =>
  new ServiceError('InvalidParameter', `Invalid parameter: ${message}`);

export function createTopics(database: DatabaseSync, faults: Faults): Topics {
  const log = new NotificationLog(database);
  const topics = new Map<string, Subscription[]>();

  function topic(arn: string): Subscription[] {
    const subscriptions = topics.get(arn);
    if (!subscriptions) throw new ServiceError('NotFound', 'Topic does not exist', undefined, 404);
    return subscriptions;
  }

  /** @param prefix of the parameters: '' or that of an entry of a batch */
  function publish(topicArn: string, form: URLSearchParams, prefix: string): string {
    checkMessage(form, prefix);
    if (faults.refuses('sns')) {
      throw new ServiceError('InternalError', 'sns is switched to refuse this message', undefined, 500);
    }
    const notification = readNotification(topicArn, form, prefix);
    log.add(notification);
    for (const { accepts, deliver } of topic(topicArn)) {
      if (!accepts || accepts(filterable(notification))) deliver(notification);
    }
    return notification.messageId;
  }

  const operations: Record<string, (topicArn: string, form: URLSearchParams) => string> = {
    Publish: (arn, form) => tag('MessageId', publish(arn, form, '')),
    PublishBatch: (arn, form) => eachEntry(form, (prefix) => publish(arn, form, prefix)),
    GetTopicAttributes(arn) {
      const attributes = { TopicArn: arn, SubscriptionsConfirmed: String(topic(arn).length) };
      const entries = Object.entries(attributes).map(
        ([key, value]) => `<entry>${tag('key', key)}${tag('value', value)}</entry>`,
      );
      return `<Attributes>${entries.join('')}</Attributes>`;
    },
  };

  return {
    service: {
      answer(form) {
        faults.check('sns');
        const action = form.get('Action') ?? '';
        const run = operations[action];
        if (!run) throw new ServiceError('InvalidAction', `the action ${action} is not supported`);
        const topicArn = form.get('TopicArn') ?? '';
        topic(topicArn);
        const result = atomically(database, () => run(topicArn, form));
        const metadata = `<ResponseMetadata>${tag('RequestId', randomUUID())}</ResponseMetadata>`;
        return `<${action}Response xmlns="${namespace}"><${action}Result>${result}</${action}Result>${metadata}</${action}Response>`;
      },
      error({ type, message, status }) {
        const fault = tag('Type', status < 500 ? 'Sender' : 'Receiver');
        const body = `<Error>${fault}${tag('Code', type)}${tag('Message', message)}</Error>`;
        return `<ErrorResponse xmlns="${namespace}">${body}${tag('RequestId', randomUUID())}</ErrorResponse>`;
      },
    },
    create(arn) {
      topics.set(arn, []);
    },
    subscribe(topicArn, subscription) {
      topic(topicArn).push(subscription);
    },
    list: (limit) => log.newest(limit),
  };
}

/** The newest published messages. */
class NotificationLog {
  readonly #insert: StatementSync;
  readonly #forget: StatementSync;
  readonly #newest: Query<{ readonly notification: 'text' }>;

  constructor(database: DatabaseSync) {
    database.exec(`CREATE TABLE IF NOT EXISTS notifications (
      seq INTEGER PRIMARY KEY AUTOINCREMENT, notification TEXT NOT NULL)`);
    this.#insert = database.prepare('INSERT INTO notifications (notification) VALUES (?)');
    this.#forget = database.prepare('DELETE FROM notifications WHERE seq <= ?');
    this.#newest = new Query(
      database,
      { notification: 'text' },
      'SELECT notification FROM notifications ORDER BY seq DESC LIMIT ?',
    );
  }

  add(notification: Notification): void {
    const { lastInsertRowid } = this.#insert.run(JSON.stringify(notification));
    this.#forget.run(Number(lastInsertRowid) - maxRemembered);
  }

  newest(limit: number): Notification[] {
    return this.#newest.all(limit).map(({ notification }) => JSON.parse(notification) as Notification);
  }
}

/** Throws ServiceError for a message that SNS would refuse. */
function checkMessage(form: URLSearchParams, prefix: string): void {
  if ((form.get(`${prefix}Message`) ?? '') === '') throw invalid('Empty message');
  if (size(form, prefix) > maxBytes) throw invalid('Message too long');
  const structure = form.get(`${prefix}MessageStructure`);
  if (structure !== null) throw invalid(`MessageStructure ${structure} is not supported on this machine`);
}

function readNotification(topicArn: string, form: URLSearchParams, prefix: string): Notification {
  const subject = form.get(`${prefix}Subject`);
  return {
    messageId: randomUUID(),
    topicArn,
    ...(subject !== null && { subject }),
    message: form.get(`${prefix}Message`) ?? '',
    attributes: attributesOf(form, prefix),
    publishedAt: new Date().toISOString(),
  };
}

/** Publishes each entry of a PublishBatch call by its prefix. Returns the result as XML. Throws ServiceError for the whole batch. */
function eachEntry(form: URLSearchParams, publish: (prefix: string) => string): string {
  const prefixes = members(form, 'PublishBatchRequestEntries.member');
  const ids = prefixes.map((prefix) => form.get(`${prefix}Id`) ?? '');
  checkBatch(form, prefixes, ids);
  const successful: string[] = [];
  const failed: string[] = [];
  for (const [index, prefix] of prefixes.entries()) {
    const id = tag('Id', ids[index] ?? '');
    try {
      successful.push(`<member>${id}${tag('MessageId', publish(prefix))}</member>`);
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      const fault = tag('SenderFault', String(error.status < 500));
      failed.push(`<member>${id}${tag('Code', error.type)}${tag('Message', error.message)}${fault}</member>`);
    }
  }
  return `<Successful>${successful.join('')}</Successful><Failed>${failed.join('')}</Failed>`;
}

function checkBatch(form: URLSearchParams, prefixes: readonly string[], ids: readonly string[]): void {
  if (prefixes.length === 0) throw new ServiceError('EmptyBatchRequest', 'The batch request contains no entries');
  if (prefixes.length > maxEntries) {
    throw new ServiceError('TooManyEntriesInBatchRequest', 'The batch request contains more entries than permissible');
  }
  if (new Set(ids).size < ids.length) {
    throw new ServiceError('BatchEntryIdsNotDistinct', 'Two or more batch entries have the same Id');
  }
  if (prefixes.reduce((sum, prefix) => sum + size(form, prefix), 0) > maxBytes) {
    const message = 'The length of all the messages put together is more than the limit';
    throw new ServiceError('BatchRequestTooLong', message);
  }
}

/** Returns a notification in the form that subscribed queues and functions receive, without raw message delivery. */
export function envelope(notification: Notification): object {
  const { messageId, topicArn, subject, message, attributes, publishedAt } = notification;
  const named = Object.entries(attributes).map(
    ([name, { DataType, StringValue, BinaryValue }]) =>
      [name, { Type: DataType, Value: StringValue ?? BinaryValue }] as const,
  );
  return {
    Type: 'Notification',
    MessageId: messageId,
    TopicArn: topicArn,
    ...(subject !== undefined && { Subject: subject }),
    Message: message,
    Timestamp: publishedAt,
    ...(named.length > 0 && { MessageAttributes: Object.fromEntries(named) }),
  };
}

const namespace = 'http://sns.amazonaws.com/doc/2010-03-31/';

/** Returns the attributes in the form that filter policies compare: numbers as numbers, arrays as their items. */
function filterable({ attributes }: Notification): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, { DataType, StringValue = '' }]) => {
      if (DataType === 'Number') return [name, Number(StringValue)];
      const value: unknown = DataType === 'String.Array' ? JSON.parse(StringValue) : StringValue;
      return [name, value];
    }),
  );
}

/** Returns the prefixes of a list's members, `<name>.1.`, in order. */
function members(form: URLSearchParams, name: string): string[] {
  const numbers = new Set<number>();
  for (const key of form.keys()) {
    if (key.startsWith(`${name}.`)) numbers.add(Number(key.slice(name.length + 1).split('.', 1)[0]));
  }
  return [...numbers].sort((left, right) => left - right).map((number) => `${name}.${number}.`);
}

function attributesOf(form: URLSearchParams, prefix: string): Record<string, MessageAttribute> {
  return Object.fromEntries(
    members(form, `${prefix}MessageAttributes.entry`).map((entry): [string, MessageAttribute] => {
      const name = form.get(`${entry}Name`) ?? '';
      const DataType = form.get(`${entry}Value.DataType`) ?? '';
      const StringValue = form.get(`${entry}Value.StringValue`);
      const BinaryValue = form.get(`${entry}Value.BinaryValue`);
      if (DataType === '') throw invalid(`the message attribute '${name}' must contain a type`);
      if (StringValue) return [name, { DataType, StringValue }];
      if (BinaryValue) return [name, { DataType, BinaryValue }];
      throw new ServiceError('ParameterValueInvalid', `the message attribute '${name}' must contain a value`);
    }),
  );
}

function size(form: URLSearchParams, prefix: string): number {
  return Object.entries(attributesOf(form, prefix)).reduce(
    (sum, [name, { DataType, StringValue = '', BinaryValue = '' }]) =>
      sum + Buffer.byteLength(name + DataType + StringValue) + Buffer.byteLength(BinaryValue, 'base64'),
    Buffer.byteLength(form.get(`${prefix}Message`) ?? ''),
  );
}

const tag = (name: string, text: string): string => `<${name}>${escaped(text)}</${name}>`;
const escaped = (text: string): string =>
  text.replace(/[&<>]/g, (character) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[character] ?? character);
