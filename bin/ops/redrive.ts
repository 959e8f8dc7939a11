import { GetQueueAttributesCommand, StartMessageMoveTaskCommand } from '@aws-sdk/client-sqs';
import { outputs, workKinds } from '../../lambdas/contract.ts';
import { UsageError } from '../command.ts';
import type { OpsOptions, Report, Target } from './target.ts';

/**
 * Moves the dead letters of a kind of work to its queue. SQS keeps those whose move fails. The queue is named, because
 * letters that EventBridge could not deliver were never in one.
 */
export async function redrive({ sqs, output, does }: Target, { subject }: OpsOptions): Promise<Report> {
  const work = workKinds.find((kind) => kind === subject);
  if (work === undefined) {
    throw new UsageError(`redrive needs one of ${workKinds.join(', ')}, received ${subject ?? 'nothing'}`);
  }
  if (!does(work)) throw new UsageError(`this stack has no ${work} queue: the feature is switched off`);
  const [dead, queue] = await Promise.all(
    [outputs.deadLettersUrl(work), outputs.queueUrl(work)].map(async (name) => {
      const AttributeNames = ['QueueArn', 'ApproximateNumberOfMessages'] as const;
      const QueueUrl = output(name);
      return (await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [...AttributeNames] })))
        .Attributes;
    }),
  );
  const deadLetters = Number(dead?.['ApproximateNumberOfMessages'] ?? 0);
  if (deadLetters > 0) {
    const task = { SourceArn: dead?.['QueueArn'], DestinationArn: queue?.['QueueArn'] };
    await sqs.send(new StartMessageMoveTaskCommand(task));
  }
  return {
    lines: [
      deadLetters === 0
        ? `SQS counts no ${work} in the dead letters. Its count may be a minute behind.`
        : `About ${String(deadLetters)} messages move back to the ${work} queue. Look again with: npm run ops -- doctor`,
    ],
    data: { work, moving: deadLetters },
  };
}
