import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { notificationKey } from './keys.ts';
import { withRetries } from './table.ts';
import type { Table } from './table.ts';
import { writeOne } from './write-one.ts';

/** The members of a notification that its record's key is made of. */
type Named = Parameters<typeof notificationKey>[0];

/** Longer than a message can wait in the queue and then in the dead letters, 14 days each. */
export const rememberedSeconds = 30 * 86_400;

/**
 * Makes a message responsible for a notification, before it is sent. A redelivered message is still responsible,
 * because its earlier try may have ended before SNS accepted the notification.
 *
 * @param sent the table of notifications
 * @param envelopeId names the message on the bus
 * @returns false when another message is responsible, so that this one must not send
 */
export async function claimNotification(sent: Table, notification: Named, envelopeId: string): Promise<boolean> {
  const command = new PutCommand({
    TableName: sent.name,
    Item: recordOf(sent, notification, envelopeId),
    ConditionExpression: 'attribute_not_exists(id) OR claimant = :claimant',
    ExpressionAttributeValues: { ':claimant': envelopeId },
  });
  return (await writeOne(sent, command)).written;
}

/** Records that SNS accepted a notification, so that no message sends it again. */
export async function finishNotification(sent: Table, notification: Named): Promise<void> {
  const command = new PutCommand({ TableName: sent.name, Item: recordOf(sent, notification, finished) });
  await withRetries(sent, () => sent.client.send(command));
}

/** No envelope has this id. */
const finished = 'finished';

function recordOf(sent: Table, notification: Named, claimant: string) {
  const expiration = Math.floor(sent.now() / 1000) + rememberedSeconds;
  return { ...notificationKey(notification), claimant, expiration };
}
