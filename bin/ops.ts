/**
 * `npm run ops`: commands for operators, against a deployed stack or the runner on this machine. Exits 0 when the
 * command is done and finds nothing wrong, 1 when it finds something, and 2 when it could not be done.
 */
import { workKinds } from '../lambdas/contract.ts';
import { runCommand, UsageError } from './command.ts';
import { acknowledge } from './ops/acknowledge.ts';
import { cancel } from './ops/cancel.ts';
import { doctor } from './ops/doctor.ts';
import { redrive } from './ops/redrive.ts';
import { replay } from './ops/replay.ts';
import { review } from './ops/review.ts';
import { openTarget } from './ops/target.ts';
import type { Command } from './ops/target.ts';
import { where } from './ops/where.ts';
import { printable } from './printable.ts';

const usage = `npm run ops -- COMMAND [options]

  where ID          the state of a transaction, approval, batch, standing order, wallet or receipt, and what happens next
  where --principal SUB --key KEY
                    the same for the transaction of a caller's Idempotency-Key
  review            the withdrawals in review, with their visits to the bank, and the commands that wait for a second operator
  redrive WORK      moves the dead letters of a kind of work back to its queue:
                    ${workKinds.join(', ')}
  replay READER     hands the records that the relay or the projector has set aside back to it, and deletes those that it took
  acknowledge SUBJECT --by NAME --evidence TEXT [--kind KIND] [--hour HOUR|none] [--bank ID|none]
                    takes a discrepancy in the books that is understood out of its alarm; it stays on the list
  cancel ID         cancels a withdrawal that has not left for the bank (needs --token, on a stack)
  doctor            checks state that can be read without metrics, and names the runbook entry for each problem

  --stack NAME      a stack in the AWS account of the environment, by the outputs of its template
  --url URL         the runner (http://127.0.0.1:3000, when no stack is given)
  --region NAME     the stack's region
  --token TOKEN     an access token of an operator
  --reason TEXT     why, for cancel
  --json            prints the findings as JSON`;

const commands: Readonly<Record<string, Command>> = { where, review, redrive, replay, acknowledge, cancel, doctor };

const options = {
  stack: { type: 'string' },
  url: { type: 'string' },
  region: { type: 'string' },
  token: { type: 'string' },
  reason: { type: 'string' },
  principal: { type: 'string' },
  key: { type: 'string' },
  kind: { type: 'string' },
  hour: { type: 'string' },
  bank: { type: 'string' },
  by: { type: 'string' },
  evidence: { type: 'string' },
  json: { type: 'boolean', default: false },
} as const;

runCommand({ usage, options, words: true }, async (values, positionals) => {
  const [name = '', subject, ...others] = positionals;
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) throw new UsageError(`there is no command "${name}"\n\n${usage}`);
  if (others.length > 0) throw new UsageError(`too many words: ${others.join(' ')}\n\n${usage}`);
  if (values.stack !== undefined && values.url !== undefined) throw new UsageError('give --stack or --url, not both');
  if (values.region !== undefined && values.stack === undefined) {
    throw new UsageError('--region is that of a stack: name the stack with --stack');
  }
  const target = await openTarget(values);
  try {
    const { lines, data, isWrong = false } = await command(target, { ...values, subject });
    console.log(printable(values.json ? JSON.stringify(data, undefined, 2) : lines.join('\n')));
    return isWrong ? 1 : 0;
  } finally {
    target.close();
  }
});
