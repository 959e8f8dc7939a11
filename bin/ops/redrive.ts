import { GetQueueAttributesCommand, StartMessageMoveTaskCommand } from '@aws-sdk/client-sqs';
import { outputs, workKinds } from '../../lambdas/contract.ts';
import { OpsError } from './target.ts';
import type { OpsOptions, Report, Target } from './target.ts';

/** Moves the dead letters of a kind of work back to its queue. SQS keeps those whose move fails. */
export async function redrive({ sqs, output }: Target, { subject }: OpsOptions): Promise<Report> {
  const work = workKinds.find((kind) => kind === subject);
  if (work === undefined) {
    throw new OpsError(`redrive needs one of ${workKinds.join(', ')}, received ${subject ?? 'nothing'}`);
  }
  const { Attributes = {} } = await sqs.send(
    new GetQueueAttributesCommand({
      QueueUrl: output(outputs.deadLettersUrl(work)),
      AttributeNames: ['QueueArn', 'ApproximateNumberOfMessages'],
    }),
  );
  const deadLetters = Number(Attributes['ApproximateNumberOfMessages'] ?? 0);
  if (deadLetters > 0) await sqs.send(new StartMessageMoveTaskCommand({ SourceArn: Attributes['QueueArn'] }));
  return {
    lines: [
      deadLetters === 0
        ? `No ${work} is in the dead letters.`
        : `About ${String(deadLetters)} messages move back to the ${work} queue. Look again with: npm run ops -- doctor`,
    ],
    data: { work, moving: deadLetters },
  };
}
