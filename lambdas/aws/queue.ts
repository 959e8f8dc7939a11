import {
  ChangeMessageVisibilityCommand,
  GetQueueAttributesCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
} from '@aws-sdk/client-sqs';
import type { SQSClient } from '@aws-sdk/client-sqs';

/** A queue of ids of work. The work itself is in the table. */
export interface Queue<M> {
  readonly send: (message: M) => Promise<void>;
  /** Sends up to ten messages in one call; returns those that SQS refused. */
  readonly sendAll: (messages: readonly M[]) => Promise<M[]>;
  /** Redelivers a received message after `seconds` (0 to 43,200) unless it is deleted before. */
  readonly delay: (receiptHandle: string, seconds: number) => Promise<void>;
}

export function openQueue<M extends object>(client: SQSClient, url: string): Queue<M> {
  return {
    async send(message) {
      await client.send(new SendMessageCommand({ QueueUrl: url, MessageBody: JSON.stringify(message) }));
    },
    async sendAll(messages) {
      const Entries = messages.map((message, index) => ({ Id: String(index), MessageBody: JSON.stringify(message) }));
      const { Failed = [] } = await client.send(new SendMessageBatchCommand({ QueueUrl: url, Entries }));
      return Failed.flatMap(({ Id }) => messages[Number(Id)] ?? []);
    },
    async delay(receiptHandle, seconds) {
      await client.send(
        new ChangeMessageVisibilityCommand({
          QueueUrl: url,
          ReceiptHandle: receiptHandle,
          VisibilityTimeout: Math.min(Math.max(Math.ceil(seconds), 0), 43_200),
        }),
      );
    },
  };
}

/** Returns a function that reads how many messages a queue has: visible, delayed or in flight; SQS's own estimate. */
export function openQueueDepth(client: SQSClient, url: string): () => Promise<number> {
  return async () => {
    const { Attributes = {} } = await client.send(
      new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: [...depthAttributes] }),
    );
    return depthAttributes.reduce((sum, name) => sum + Number(Attributes[name] ?? 0), 0);
  };
}

const depthAttributes = [
  'ApproximateNumberOfMessages',
  'ApproximateNumberOfMessagesNotVisible',
  'ApproximateNumberOfMessagesDelayed',
] as const;
