/** The SQS operations of the SDK's JSON protocol, over `queues.ts`. */
import { createHash, randomUUID } from 'node:crypto';
import { isRecord } from '../cloudformation/template.ts';
import { ServiceError } from '../machine/endpoint.ts';
import type { Input, JsonService } from '../machine/endpoint.ts';
import { md5 } from './queues.ts';
import type { Message, MessageAttribute, Queue, Queues } from './queues.ts';

const invalid = (message: string): ServiceError =>
  new ServiceError('InvalidParameterValueException', message, 'InvalidParameterValue');
/** @param queryCode where it differs from the code of the JSON protocol */
const refusal = (code: string, message: string, queryCode = code): ServiceError =>
  new ServiceError(`com.amazonaws.sqs#${code}`, message, queryCode);
const handleIsInvalid = (): ServiceError => refusal('ReceiptHandleIsInvalid', 'the input receipt handle is invalid');

/**
 * Returns the service that answers SQS requests.
 *
 * @param url returns the URL by which clients know a queue, by its name
 */
export function createQueueService(queues: Queues, url: (name: string) => string): JsonService {
  const operations: Record<string, (queue: Queue, input: Input) => Promise<object> | object> = {
    SendMessage: send,
    SendMessageBatch: sendBatch,
    ReceiveMessage: receive,
    DeleteMessage: remove,
    DeleteMessageBatch: (queue, input) => each(batch(input), (entry) => remove(queue, entry)),
    ChangeMessageVisibility: changeVisibility,
    ChangeMessageVisibilityBatch: (queue, input) => each(batch(input), (entry) => changeVisibility(queue, entry)),
    GetQueueUrl: (queue) => ({ QueueUrl: url(queue.settings.name) }),
    GetQueueAttributes: (queue, input) => ({
      Attributes: chosen(queueAttributes(queue), names(input, 'AttributeNames')),
    }),
    PurgeQueue: (queue) => {
      queue.purge();
      return {};
    },
  };

  return (operation, input) => {
    if (operation === 'ListQueues') {
      const prefix = input['QueueNamePrefix'] === undefined ? '' : string(input, 'QueueNamePrefix');
      const found = queues.list().filter((queue) => queue.settings.name.startsWith(prefix));
      return { QueueUrls: found.map((queue) => url(queue.settings.name)) };
    }
    if (operation === 'StartMessageMoveTask') return startMessageMoveTask(queues, input);
    const run = operations[operation];
    if (!run) throw new ServiceError('InvalidAction', `the action ${operation} is not supported`, 'InvalidAction');
    const name = operation === 'GetQueueUrl' ? string(input, 'QueueName') : string(input, 'QueueUrl').split('/').at(-1);
    const queue = queues.get(name ?? '');
    if (!queue) {
      const queryCode = 'AWS.SimpleQueueService.NonExistentQueue';
      throw refusal('QueueDoesNotExist', 'the specified queue does not exist', queryCode);
    }
    return run(queue, input);
  };
}

function startMessageMoveTask(queues: Queues, input: Input): object {
  const source = queues.byArn(string(input, 'SourceArn'));
  const target = input['DestinationArn']
    ? queues.byArn(string(input, 'DestinationArn'))
    : queues.list().find((queue) => queue.settings.redrive?.arn === source?.settings.arn);
  if (!source || !target) throw refusal('ResourceNotFoundException', 'no such dead letter queue');
  source.moveAllTo(target);
  return { TaskHandle: Buffer.from(randomUUID()).toString('base64') };
}

function sendBatch(queue: Queue, input: Input): object {
  const entries = batch(input);
  const total = entries.reduce((sum, entry) => sum + size(entry), 0);
  if (total > queue.settings.maximumBytes) {
    const message = `the batch is longer than ${queue.settings.maximumBytes} bytes`;
    throw refusal('BatchRequestTooLong', message, 'AWS.SimpleQueueService.BatchRequestTooLong');
  }
  return each(entries, (entry) => send(queue, entry));
}

async function receive(queue: Queue, input: Input): Promise<object> {
  const messages = await queue.receive({
    max: integer(input, 'MaxNumberOfMessages', 1, 10) ?? 1,
    waitMs: 1000 * (integer(input, 'WaitTimeSeconds', 0, 20) ?? queue.settings.waitSeconds),
    visibilityTimeoutSeconds: integer(input, 'VisibilityTimeout', 0, 43_200),
  });
  return messages.length > 0 ? { Messages: messages.map((message) => written(message, input)) } : {};
}

function send(queue: Queue, input: Input): object {
  const body = string(input, 'MessageBody');
  if (body === '') {
    throw new ServiceError('MissingParameter', 'the request must contain MessageBody', 'MissingParameter');
  }
  // The characters of XML 1.0 are the characters of a message.
  if (/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u.test(body)) {
    throw refusal('InvalidMessageContents', 'invalid characters in the body');
  }
  if (size(input) > queue.settings.maximumBytes) {
    throw invalid(
      `one or more parameters are invalid: message must be shorter than ${queue.settings.maximumBytes} bytes`,
    );
  }
  const attributes = messageAttributes(input);
  const delaySeconds = integer(input, 'DelaySeconds', 0, 900);
  const id = queue.send(body, { attributes, ...(delaySeconds !== undefined && { delaySeconds }) });
  const attributesMd5 = md5OfAttributes(attributes);
  return {
    MessageId: id,
    MD5OfMessageBody: md5(body),
    ...(attributesMd5 && { MD5OfMessageAttributes: attributesMd5 }),
  };
}

function remove(queue: Queue, input: Input): object {
  if (!queue.delete(string(input, 'ReceiptHandle'))) throw handleIsInvalid();
  return {};
}

function changeVisibility(queue: Queue, input: Input): object {
  const seconds = integer(input, 'VisibilityTimeout', 0, 43_200);
  if (seconds === undefined) {
    throw new ServiceError('MissingParameter', 'the request must contain VisibilityTimeout', 'MissingParameter');
  }
  const result = queue.changeVisibility(string(input, 'ReceiptHandle'), seconds);
  if (result === 'malformed handle') throw handleIsInvalid();
  if (result === 'gone') throw invalid('the message does not exist or is not available for visibility timeout change');
  if (result === 'not in flight') {
    throw refusal('MessageNotInflight', 'the message is not in flight', 'AWS.SimpleQueueService.MessageNotInflight');
  }
  return {};
}

function batch(input: Input): Input[] {
  const entries = Array.isArray(input['Entries']) ? (input['Entries'] as unknown[]).filter(isRecord) : [];
  const refuse = (code: string, message: string): ServiceError =>
    refusal(code, message, `AWS.SimpleQueueService.${code}`);
  if (entries.length === 0) throw refuse('EmptyBatchRequest', 'there should be at least one entry in the request');
  if (entries.length > 10) throw refuse('TooManyEntriesInBatchRequest', 'the maximum number of entries is 10');
  const ids = entries.map((entry) => string(entry, 'Id'));
  if (new Set(ids).size < ids.length) throw refuse('BatchEntryIdsNotDistinct', 'two or more entries have the same id');
  return entries;
}

function each(entries: Input[], run: (entry: Input) => object): object {
  const Successful: object[] = [];
  const Failed: object[] = [];
  for (const entry of entries) {
    try {
      Successful.push({ Id: entry['Id'], ...run(entry) });
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      Failed.push({ Id: entry['Id'], SenderFault: true, Code: error.queryCode ?? error.type, Message: error.message });
    }
  }
  return { Successful, ...(Failed.length > 0 && { Failed }) };
}

function written(message: Message, input: Input): object {
  const system = [...names(input, 'AttributeNames'), ...names(input, 'MessageSystemAttributeNames')];
  const asked = names(input, 'MessageAttributeNames');
  const attributes = Object.fromEntries(
    Object.entries(message.attributes).filter(([name]) =>
      asked.some(
        (pattern) =>
          pattern === 'All' || pattern === name || (pattern.endsWith('*') && name.startsWith(pattern.slice(0, -1))),
      ),
    ),
  );
  const shown = chosen(systemAttributes(message), system);
  const attributesMd5 = md5OfAttributes(attributes);
  return {
    MessageId: message.messageId,
    ReceiptHandle: message.receiptHandle,
    Body: message.body,
    MD5OfBody: message.bodyMd5,
    ...(Object.keys(shown).length > 0 && { Attributes: shown }),
    ...(attributesMd5 && { MessageAttributes: attributes, MD5OfMessageAttributes: attributesMd5 }),
  };
}

/** Returns the system attributes of a message, as consumers and functions get them. */
export function systemAttributes(message: Message): Record<string, string> {
  return {
    ApproximateReceiveCount: String(message.receiveCount),
    SentTimestamp: String(message.sentAt),
    SenderId: 'AIDALOCAL',
    ApproximateFirstReceiveTimestamp: String(message.firstReceivedAt),
  };
}

function queueAttributes(queue: Queue): Record<string, string> {
  const { settings } = queue;
  const counts = queue.counts();
  return {
    QueueArn: settings.arn,
    ApproximateNumberOfMessages: String(counts.visible),
    ApproximateNumberOfMessagesNotVisible: String(counts.notVisible),
    ApproximateNumberOfMessagesDelayed: String(counts.delayed),
    VisibilityTimeout: String(settings.visibilityTimeoutSeconds),
    DelaySeconds: String(settings.delaySeconds),
    ReceiveMessageWaitTimeSeconds: String(settings.waitSeconds),
    MessageRetentionPeriod: String(settings.retentionSeconds),
    MaximumMessageSize: String(settings.maximumBytes),
    ...(settings.redrive && {
      RedrivePolicy: JSON.stringify({
        deadLetterTargetArn: settings.redrive.arn,
        maxReceiveCount: settings.redrive.maxReceiveCount,
      }),
    }),
  };
}

function chosen(attributes: Record<string, string>, asked: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    Object.entries(attributes).filter(([name]) => asked.includes('All') || asked.includes(name)),
  );
}

/** Returns the MD5 by which SDKs check message attributes: name, type, value and their lengths, in order of name. */
function md5OfAttributes(attributes: Record<string, MessageAttribute>): string | undefined {
  const sorted = Object.entries(attributes).sort(([left], [right]) => (left < right ? -1 : 1));
  if (sorted.length === 0) return undefined;
  const hash = createHash('md5');
  const add = (value: Buffer): void => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(value.length);
    hash.update(length).update(value);
  };
  for (const [name, attribute] of sorted) {
    add(Buffer.from(name));
    add(Buffer.from(attribute.DataType));
    const binary = attribute.BinaryValue;
    hash.update(Buffer.from([binary === undefined ? 1 : 2]));
    add(binary === undefined ? Buffer.from(attribute.StringValue ?? '') : Buffer.from(binary, 'base64'));
  }
  return hash.digest('hex');
}

function messageAttributes(input: Input): Record<string, MessageAttribute> {
  const given = input['MessageAttributes'];
  if (!isRecord(given)) return {};
  return Object.fromEntries(
    Object.entries(given).map(([name, value]): [string, MessageAttribute] => {
      if (!isRecord(value)) throw invalid(`the message attribute ${name} is malformed`);
      const { DataType, StringValue, BinaryValue } = value;
      if (typeof DataType !== 'string') throw invalid(`the message attribute ${name} must have a DataType`);
      if (typeof StringValue === 'string') return [name, { DataType, StringValue }];
      if (typeof BinaryValue === 'string') return [name, { DataType, BinaryValue }];
      throw invalid(`the message attribute ${name} must have a value`);
    }),
  );
}

function size(input: Input): number {
  return Object.entries(messageAttributes(input)).reduce(
    (sum, [name, { DataType, StringValue = '', BinaryValue = '' }]) =>
      sum + Buffer.byteLength(name + DataType + StringValue) + Buffer.byteLength(BinaryValue, 'base64'),
    Buffer.byteLength(string(input, 'MessageBody')),
  );
}

function string(input: Input, name: string): string {
  const value = input[name];
  if (typeof value === 'string') return value;
  throw new ServiceError('MissingParameter', `the request must contain the parameter ${name}`, 'MissingParameter');
}

function integer(input: Input, name: string, min: number, max: number): number | undefined {
  const value = input[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
  throw invalid(`value ${JSON.stringify(value)} for parameter ${name} is invalid: must be between ${min} and ${max}`);
}

function names(input: Input, name: string): string[] {
  const value = input[name];
  return Array.isArray(value) ? (value as unknown[]).map(String) : [];
}
