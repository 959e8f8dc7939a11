import { PublishBatchCommand } from '@aws-sdk/client-sns';
import type { SNSClient } from '@aws-sdk/client-sns';
import type { Channel } from '../domain/preferences.ts';
import { chunksOf } from '../aws/chunks.ts';
import type { Notice } from '../views/notice.ts';

/** The message to one owner about one event on one channel. */
export interface Notification {
  readonly eventId: string;
  readonly ownerId: string;
  readonly channel: Channel;
  /** The event, cut to the fields that this owner may see: `noticeOf` in notice.ts. */
  readonly event: Notice;
}

/** A function that publishes a notification. Settles when SNS has answered. */
export type Notify = (notification: Notification) => Promise<void>;

/** SNS takes ten messages a call, of 256 KB together. The rest is for attributes. */
const limits = { most: 10, mostBytes: 240_000 };
/** Longest wait of a notification for nine others to share its call. */
const gatherMs = 20;

interface Waiting {
  readonly notification: Notification;
  readonly message: string;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Returns a function that publishes notifications, ten in a call when they come at about the same time. Each settles
 * alone: a refusal by SNS fails one notification. When a call fails as a whole, it is unknown which of them SNS
 * accepted.
 */
export function openTopic(client: Pick<SNSClient, 'send'>, topicArn: string): Notify {
  let waiting: Waiting[] = [];
  let timer: NodeJS.Timeout | undefined;

  async function publish(batch: readonly Waiting[]): Promise<void> {
    try {
      const { Failed = [] } = await client.send(
        new PublishBatchCommand({
          TopicArn: topicArn,
          PublishBatchRequestEntries: batch.map(({ notification, message }, index) => ({
            Id: String(index),
            Message: message,
            MessageAttributes: {
              channel: { DataType: 'String', StringValue: notification.channel },
              ownerId: { DataType: 'String', StringValue: notification.ownerId },
              eventType: { DataType: 'String', StringValue: notification.event.type },
            },
          })),
        }),
      );
      const refusals = new Map(Failed.map(({ Id, Code }) => [Number(Id), Code ?? 'Unknown']));
      for (const [index, { resolve, reject }] of batch.entries()) {
        const code = refusals.get(index);
        if (code === undefined) resolve();
        else reject(new Error(`SNS refused the notification: ${code}`));
      }
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    const gathered = waiting;
    waiting = [];
    for (const batch of chunksOf(gathered, ({ message }) => Buffer.byteLength(message), limits)) void publish(batch);
  }

  return (notification) =>
    new Promise((resolve, reject) => {
      waiting.push({ notification, message: JSON.stringify(notification), resolve, reject });
      if (waiting.length === limits.most) flush();
      else timer ??= setTimeout(flush, gatherMs);
    });
}
