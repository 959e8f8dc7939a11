/** Mutations of what follows the stream of events: relay, screening and notifications. */
import type { Mutation } from '../mutation.ts';

const fraudTest = 'test/simulation/fraud.test.ts';
const notifierTest = 'test/simulation/notifier.test.ts';
const relayTest = 'test/simulation/relay.test.ts';
const relay = 'lambdas/workers/relay.ts';

export const eventMutations: readonly Mutation[] = [
  {
    name: 'count a movement each time that it is delivered',
    test: fraudTest,
    edits: [
      {
        file: 'lambdas/domain/screening.ts',
        text: 'if (known.has(mark) || atMs <= memory.forgottenUntilMs) continue;',
        replacement: 'if (atMs <= memory.forgottenUntilMs) continue;',
      },
    ],
  },
  {
    name: 'count again what is older than the marks of a busy wallet',
    test: fraudTest,
    edits: [
      {
        file: 'lambdas/domain/screening.ts',
        text: 'if (known.has(mark) || atMs <= memory.forgottenUntilMs) continue;',
        replacement: 'if (known.has(mark)) continue;',
      },
    ],
  },
  {
    name: 'write over what another worker has counted',
    test: fraudTest,
    edits: [
      {
        file: 'lambdas/store/activity.ts',
        text: "ConditionExpression: 'version = :seen'",
        replacement: "ConditionExpression: 'version = :seen OR attribute_exists(pk)'",
      },
    ],
  },
  {
    name: 'forget the signals of what was counted before',
    test: fraudTest,
    edits: [
      {
        file: 'lambdas/domain/screening.ts',
        text: 'const signals = [...memory.signals, ...given].flatMap(',
        replacement: 'const signals = given.flatMap(',
      },
    ],
  },
  {
    name: 'notify first and record it afterwards',
    test: notifierTest,
    edits: [
      {
        file: 'lambdas/workers/notifier.ts',
        text: 'if (!(await claimNotification(sent, notification, envelopeId))) return;\n      await notify(notification);',
        replacement: 'await notify(notification);\n      await claimNotification(sent, notification, envelopeId);',
      },
    ],
  },
  {
    name: 'take a message that is delivered again for another one',
    test: notifierTest,
    edits: [
      {
        file: 'lambdas/store/notifications.ts',
        text: "'attribute_not_exists(id) OR claimant = :claimant'",
        replacement: "'attribute_not_exists(id) OR (claimant = :claimant AND claimant <> :claimant)'",
      },
    ],
  },
  {
    name: 'send again what SNS took of a message that failed',
    test: notifierTest,
    edits: [{ file: 'lambdas/workers/notifier.ts', text: 'taken.push(notification);', replacement: '' }],
  },
  {
    name: 'set aside a record that cannot be published now',
    test: relayTest,
    edits: [
      { file: relay, text: 'if (failure?.definite === false) {', replacement: "if (failure?.code === 'none') {" },
    ],
  },
  {
    name: 'drop a record that can never be published',
    test: relayTest,
    edits: [{ file: 'lambdas/aws/set-aside.ts', text: 'await queue.send({ Records: [record] });', replacement: '' }],
  },
];
