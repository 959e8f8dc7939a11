/** Mutations of what callers ask for: records, money of wallets, rights, repetitions and limits. */
import { mutation } from '../mutation.ts';
import type { Mutation } from '../mutation.ts';

const readsTest = 'test/store/refused-by-reads.test.ts';
const operations = 'lambdas/store/operations.ts';
const table = 'lambdas/store/table.ts';
const movements = 'lambdas/store/movements.ts';
const commit = 'await write(table, items, limited.reads, contention)';
const commitWithNewIds = `await write(
    { ...table, retry: { ...table.retry, budgetMs: 0 } },
    items,
    limited.reads,
  ).catch((error) => {
    if (error.code !== 'busy') throw error;
    const transactionId = transaction.transactionId.slice(0, -2) + 'zz';
    const other = putTransaction(table, { ...transaction, transactionId }, fingerprint, due);
    return write(table, [other, ...changes, ...limited.items]);
  })`;
const hold = 'set: `available = available - :amount, held = held + :amount${';
const anyTransient =
  'if (cancellationReasons(error).some(({ Code }) => Code !== undefined && transientReasons.has(Code))) return true;';
const anyFailed = "if (cancellationReasons(error).some(({ Code }) => Code === 'ConditionalCheckFailed')) return false;";

export const commandMutations: readonly Mutation[] = [
  {
    name: "drop the condition on the transaction's put",
    edits: [
      { file: operations, text: "ConditionExpression: 'attribute_not_exists(pk)',", replacement: '' },
      { file: operations, text: "ReturnValuesOnConditionCheckFailure: 'ALL_OLD',", replacement: '' },
    ],
  },
  mutation('retry a write under a new id', 'lambdas/store/commit.ts', commit, commitWithNewIds),
  mutation(
    'retry a write with a new token',
    'lambdas/store/write.ts',
    'table.client.send(command)',
    'table.client.send(new TransactWriteCommand({ ...command.input, ClientRequestToken: randomUUID() }))',
  ),
  mutation('hold nothing', movements, hold, 'set: `available = available - :amount${'),
  mutation(
    'take more than there is',
    'lambdas/store/limit-terms.ts',
    "'available >= :least'",
    "'(available >= :least OR available < :least)'",
  ),
  mutation(
    'settle without the total',
    movements,
    "'held = held - :amount, #total = #total - :amount'",
    "'held = held - :amount'",
  ),
  mutation(
    "move anybody's money",
    movements,
    "const owned = ownerId === undefined ? '' : ' AND ownerId = :ownerId';",
    'const owned = String();',
  ),
  mutation(
    "show anybody's transactions",
    'lambdas/http/visible.ts',
    'filter((wallet) => reaches(caller, wallet))',
    'filter(() => true)',
  ),
  mutation('judge what is mixed with a conflict', table, anyTransient, `${anyFailed} ${anyTransient}`),
  mutation('never retry a conflict', table, anyTransient, anyTransient.replace('true', 'false')),
  mutation(
    'give each request an id of its own',
    'lambdas/http/http.ts',
    'const transactionId = transactionIdOf(operation.principal, idempotencyKey);',
    'const transactionId = transactionIdOf(operation.principal, idempotencyKey + String(Math.random()));',
  ),
  mutation(
    'answer a lost message as a fault',
    'lambdas/http/queued-command.ts',
    '} catch (error) {',
    '} catch (error) { throw error;',
  ),
  mutation(
    'send a message for a replay',
    'lambdas/http/queued-command.ts',
    'if (!replayed && !isAtRest(transaction))',
    'if (!isAtRest(transaction))',
  ),
  mutation(
    'accept however much waits',
    'lambdas/api/withdraw.ts',
    'await refuseIfOverloaded(services.isOverloaded, table, transactionId);',
    '',
    'withdraw while too much waits for long',
  ),
  mutation(
    'read the depth of a queue once',
    'lambdas/http/overload.ts',
    'if (now() - readAt >= freshMs)',
    'if (readAt === -Infinity)',
    'withdraw while too much waits for long',
  ),
  mutation(
    'refuse by the depth of long ago',
    'lambdas/http/overload.ts',
    'if (overloaded) await reading;',
    '',
    'withdraw when too much waited',
  ),
  mutation(
    'accept however many an hour',
    'lambdas/store/rate-window.ts',
    '`(attribute_not_exists(${nameOf(window)}) OR ${nameOf(window)} < :full)`',
    '`(attribute_not_exists(${nameOf(window)}) OR ${nameOf(window)} <> :full OR ${nameOf(window)} = :full)`',
  ),
  mutation(
    'let windows of the rate limit end side by side',
    'lambdas/domain/rate.ts',
    'return Array.from({ length: windowSteps }, (_, n) => step - windowSteps + 1 + n);',
    'return [step];',
    'withdraw again within the hour, beyond the limit',
  ),
  {
    name: 'refuse by reads while a try may still arrive',
    test: readsTest,
    edits: [{ file: 'lambdas/store/write.ts', text: ' && !tries.unanswered) {', replacement: ') {' }],
  },
  {
    name: 'take one batch of reads for a snapshot',
    test: readsTest,
    edits: [
      {
        file: 'lambdas/store/write.ts',
        text: 'const [image] = await readItems(table, keys.slice(0, 1), deadline);',
        replacement: 'const [image] = [images.get(nameOf(keys[0]))];',
      },
    ],
  },
];
