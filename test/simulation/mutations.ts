/** Ways to break the service, each of which the simulation must notice: `npm run mutants`. */

const fraudTest = 'test/simulation/fraud.test.ts';
const readsTest = 'test/store/refused-by-reads.test.ts';
const sweeperTest = 'test/store/sweeper.test.ts';
const journalTest = 'test/store/journal.test.ts';
const notifierTest = 'test/simulation/notifier.test.ts';
const relayTest = 'test/simulation/relay.test.ts';

export interface Mutation {
  readonly name: string;
  /** Texts that stand exactly once in their file, and what they become. */
  readonly edits: readonly Edit[];
  /** The operation of the exhaustive mode that shows it, where no random history can be expected to. */
  readonly operation?: string;
  /** The file with the tests that show it, where the histories do not reach: they end at the stream. */
  readonly test?: string;
}

export interface Edit {
  readonly file: string;
  readonly text: string;
  readonly replacement: string;
}

const client = 'lambdas/bank/client.ts';
const secret = 'lambdas/bank/secret.ts';
const consumer = 'lambdas/aws/consumer.ts';
const entries = 'lambdas/store/entries.ts';
const operations = 'lambdas/store/operations.ts';
const projector = 'lambdas/workers/projector.ts';
const relay = 'lambdas/workers/relay.ts';
const table = 'lambdas/store/table.ts';
const totals = 'lambdas/store/totals.ts';
const transfers = 'lambdas/store/transfers.ts';
const wallets = 'lambdas/store/wallets.ts';
const withdrawals = 'lambdas/store/withdrawals.ts';
const worker = 'lambdas/workers/withdrawals.ts';

function mutation(name: string, file: string, text: string, replacement: string, operation?: string): Mutation {
  return { name, edits: [{ file, text, replacement }], ...(operation !== undefined && { operation }) };
}

const commit = 'await write(table, items, limited.reads, contention)';
const commitWithNewIds = `await write(
    { ...table, retry: { ...table.retry, budgetMs: 0 } },
    items,
    limited.reads,
  ).catch((error) => {
    if (error.code !== 'busy') throw error;
    const transactionId = record.transactionId.slice(0, -2) + 'zz';
    const other = putRecord(table, { ...record, ...transactionKey(transactionId), transactionId });
    return write(table, [other, ...changes, ...limited.items]);
  })`;
const hold = "set: 'available = available - :amount, held = held + :amount',";
const funds = "if: 'available >= :amount',";
const leftAlone = "logger.info('bank left alone', { transactionId, dueAt: iso(dueAt) });\n  ";
const noPayment = "{ code: 'not_found', message: '' }";
const anyTransient =
  'if (cancellationReasons(error).some(({ Code }) => Code !== undefined && transientReasons.has(Code))) return true;';
const anyFailed = "if (cancellationReasons(error).some(({ Code }) => Code === 'ConditionalCheckFailed')) return false;";

export const mutations: readonly Mutation[] = [
  {
    name: "drop the condition on the transaction's put",
    edits: [
      { file: operations, text: "ConditionExpression: 'attribute_not_exists(pk)',", replacement: '' },
      { file: operations, text: "ReturnValuesOnConditionCheckFailure: 'ALL_OLD',", replacement: '' },
    ],
  },
  mutation(
    'settle without the claim',
    withdrawals,
    "if: '#status = :executing AND claimId = :claimId',",
    "if: '#status = :executing OR claimId = :claimId OR attribute_exists(pk)',",
  ),
  mutation(
    'release on an unknown outcome',
    worker,
    "case 'unknown': {",
    `case 'unknown': { if (await releaseWithdrawal(table, claimed, attempt, ${noPayment})) return undefined;`,
  ),
  mutation(
    'credit without marking the transfers',
    transfers,
    '...group.map((transfer) =>',
    '...group.slice(1).map((transfer) =>',
  ),
  mutation(
    'skip the sweeper',
    'lambdas/workers/sweeper.ts',
    'let shards = shardsToSweep(table);',
    'let shards: number[] = [];',
  ),
  mutation('retry a write under a new id', 'lambdas/store/commit.ts', commit, commitWithNewIds),
  mutation(
    'retry a write with a new token',
    'lambdas/store/write.ts',
    'table.client.send(command)',
    'table.client.send(new TransactWriteCommand({ ...command.input, ClientRequestToken: randomUUID() }))',
  ),

  mutation(
    'settle with a claim that was lost',
    withdrawals,
    "if: '#status = :executing AND claimId = :claimId',",
    "if: '#status = :executing AND (claimId = :claimId OR attribute_exists(pk))',",
  ),
  mutation('claim before the lease has ended', withdrawals, " AND dueAt <= :at'", "'"),
  mutation(
    'claim without saying that a submit may leave',
    withdrawals,
    'dueAt = :leaseUntil, submitBy = :submitBy',
    'dueAt = :leaseUntil, unheeded = :submitBy',
  ),
  mutation(
    'submit again without asking',
    worker,
    'if (submitBy === undefined) return undefined;',
    'if (submitBy !== String()) return undefined;',
  ),
  mutation(
    'take "not found" as definite at once',
    'lambdas/domain/withdrawal.ts',
    'return Date.parse(submitBy) + policy.notFoundWindowMs + clockToleranceMs;',
    'return Date.parse(submitBy) + Math.min(policy.notFoundWindowMs, clockToleranceMs);',
  ),
  mutation(
    'visit the bank by any clock',
    'lambdas/domain/withdrawal.ts',
    'return least >= -clockErrorMs && most <= clockErrorMs;',
    'return least >= -Infinity && most <= Infinity;',
    'withdraw, and ask by a clock that is far ahead',
  ),
  mutation(
    'judge "not found" by when it was answered',
    worker,
    'if (askedAt >= definiteAt) return undefined;',
    'if (table.now() >= definiteAt) return undefined;',
    'withdraw, and ask by a clock that is ahead',
  ),
  mutation(
    'release on "not found"',
    worker,
    'if (askedAt >= definiteAt) return undefined;',
    "if (askedAt >= definiteAt) return { answer: { outcome: 'rejected', code: 'not_found' }, submitted: false, submitBy };",
  ),
  mutation('submit however late', client, 'if (Date.now() > beginBy)', 'if (Number.isNaN(beginBy))'),
  mutation(
    'forget the submit when the breaker opens',
    worker,
    `${leftAlone}return { dueAt, submitBy };`,
    `${leftAlone}return { dueAt, submitBy: undefined };`,
  ),
  mutation(
    'count an attempt while the breaker is open',
    worker,
    `${leftAlone}return { dueAt, submitBy };`,
    `${leftAlone}return { dueAt, submitBy, attempt: { at: iso(table.now()), submitted: false, outcome: 'unknown' } };`,
  ),
  mutation(
    'ask another bank about what went to the first',
    worker,
    'return isOutElsewhere(visit.withdrawal, bankId) ? { redeliverAt: await reviewElsewhere(visit, services) } : visit;',
    'return visit;',
  ),
  mutation(
    'forget to which bank a submit went',
    withdrawals,
    "submitBy === undefined ? ', submitBy, bankId' : ''",
    "submitBy === undefined ? ', submitBy, bankId' : ', bankId'",
  ),
  mutation(
    'believe the bank whatever amount it names',
    client,
    "return body['amount'] === payment.amount && body['currency'] === payment.currency",
    "return body['reference'] === payment.reference",
  ),
  mutation(
    'believe a refusal of any payment',
    client,
    "return misfit === undefined && body['code'] === notAccepted",
    "return body['code'] === notAccepted",
  ),
  mutation(
    'take a lost connection for one that never was',
    client,
    'return answer.sent ? unknown(answer.lost)',
    'return answer.sent && answer.lost === String() ? unknown(answer.lost)',
  ),
  mutation(
    'keep a key for ever',
    'lambdas/aws/keep.ts',
    'if (mayRead && (wantsReload || ageMs >= staleAfterMs))',
    'if (mayRead && wantsReload)',
  ),
  {
    name: 'accept the key before the current one for ever',
    edits: [
      { file: secret, text: 'overlapEndsAt > at ? await', replacement: 'overlapMs > 0 ? await' },
      { file: secret, text: 'previous === undefined || now() >= overlapEndsAt', replacement: 'previous === undefined' },
    ],
  },
  mutation(
    'sign with the current key only',
    client,
    'for (const other of others) {',
    'for (const other of others.slice(keys.length)) {',
  ),
  mutation(
    'cancel what may be with the bank',
    withdrawals,
    " AND attribute_not_exists(submitBy) AND attribute_not_exists(attempts)';",
    "';",
  ),
  mutation(
    'pay from a frozen wallet',
    worker,
    "if (wallet.status === 'frozen') {",
    'if (wallet.status !== wallet.status) {',
  ),
  mutation(
    'leave what waits alone',
    'lambdas/workers/sweeper.ts',
    'await attempt(run, () => resume(run, withdrawals));',
    '',
  ),
  mutation('fail in place of review', withdrawals, "values: { review: 'review',", "values: { review: 'failed',"),
  mutation(
    'end a withdrawal that has ended',
    withdrawals,
    'if: `#type = :withdrawal AND #status IN',
    'if: `#type = :withdrawal OR #status IN',
  ),
  {
    name: 'book a return twice',
    edits: [
      { file: withdrawals, text: ' AND attribute_not_exists(returnTransactionId)', replacement: '' },
      {
        file: withdrawals,
        text: 'const transactionId = returnIdOf(original.transactionId);',
        replacement: 'const transactionId = returnIdOf(original.transactionId + at);',
      },
    ],
  },
  mutation(
    'acknowledge a message whose work failed',
    consumer,
    'await putBackAfterError(queue, record, error);\n      throw error;',
    'await putBackAfterError(queue, record, error);\n      return;',
  ),

  mutation(
    'spread a crowd over the history without marking the wallet',
    transfers,
    '(isCrowd ? creditCrowd : credit)(table, {',
    'credit(table, {',
  ),
  mutation(
    'read the history of a crowded wallet without its last part',
    'lambdas/store/keys.ts',
    'Array.from({ length: crowdParts }, (_, part)',
    'Array.from({ length: crowdParts - 1 }, (_, part)',
  ),
  mutation(
    'credit transfers that have ended',
    transfers,
    "if: '#type = :transfer AND #status = :pending',",
    "if: '#type = :transfer OR #status = :pending',",
  ),
  mutation(
    'give back more than was taken',
    transfers,
    'giveBack(table, { ...transfer, at }),',
    'giveBack(table, { ...transfer, at, amount: transfer.amount + 1 }),',
  ),
  mutation('hold nothing', wallets, hold, "set: 'available = available - :amount',"),
  mutation(
    'hold more than there is',
    wallets,
    `${hold}\n    ${funds}`,
    `${hold}\n    if: '(available >= :amount OR available < :amount)',`,
  ),
  mutation(
    'settle without the total',
    wallets,
    "'held = held - :amount, #total = #total - :amount'",
    "'held = held - :amount'",
  ),
  mutation(
    "move anybody's money",
    wallets,
    "const owned = movement.ownerId === undefined ? '' : ' AND ownerId = :ownerId';",
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
    'touch work that has moved',
    'lambdas/store/due.ts',
    "if: 'dueAt = :seen',",
    "if: 'dueAt = :seen OR pk > :at',",
    'withdraw, its message lost, and two sweepers',
  ),
  mutation(
    'accept however much waits',
    'lambdas/api/withdraw.ts',
    'await refuseIfOverloaded(services.isOverloaded, services.table, transactionId);',
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
    "order a wallet's ledger by the clocks of the commands",
    'lambdas/domain/entries.ts',
    "at: later(previous?.at ?? '', bookedAt),",
    'at: bookedAt,',
  ),
  mutation(
    'drop a change of a version that the ledger has, whatever it says',
    'lambdas/domain/entries.ts',
    'if (known !== undefined && isSameChange(known, entryOf(undefined, before, after))) return [];',
    'if (known !== undefined) return [];',
  ),
  mutation(
    'tell the balance at a moment from a ledger that is behind',
    'lambdas/domain/entries.ts',
    "if (wallet.version !== (entry?.version ?? -1) + 1) return 'behind';",
    'if (wallet.version !== (entry?.version ?? -1) + 1) return ofEntry;',
  ),
  {
    name: 'go on behind an entry whose insert has failed',
    edits: [
      { file: entries, text: "if (refusal === undefined) return 'stored';", replacement: '' },
      { file: entries, text: 'return refusal.Code ===', replacement: 'return refusal?.Code ===' },
      {
        file: entries,
        text: ": { error: new Error(`not inserted: ${refusal.Code ?? 'no code'}, ${refusal.Message ?? 'no message'}`) };",
        replacement: ": 'stored';",
      },
      {
        file: entries,
        text: 'transientCodes.has(Responses',
        replacement: 'transientCodes.has(String()) && transientCodes.has(Responses',
      },
    ],
  },
  mutation(
    'take an entry that is there for the one that was to be inserted',
    projector,
    "if (outcome === 'known') {\n    chain.state = 'unknown';\n  } else if (outcome === 'stored') {",
    "if (outcome === 'stored' || outcome === 'known') {",
  ),
  {
    ...mutation(
      'list a change in an hour that was checked',
      'lambdas/store/journal.ts',
      'now < start + hourMs + journalSlackMs;',
      'now < start + hourMs + 2 * journalMs;',
    ),
    test: journalTest,
  },
  mutation(
    'leave the last change of a batch out of the journal',
    projector,
    'const changes = done.flatMap((record) => listed.get(record) ?? []);',
    'const changes = done.slice(0, done.length - 1).flatMap((record) => listed.get(record) ?? []);',
  ),
  {
    name: 'count a booking in the totals again',
    edits: [
      { file: totals, text: "ConditionExpression: 'attribute_not_exists(pk)',", replacement: '' },
      { file: totals, text: "ReturnValuesOnConditionCheckFailure: 'ALL_OLD',", replacement: '' },
    ],
  },
  mutation(
    'touch work into the partition of another type',
    'lambdas/store/due.ts',
    'dueShardOf(work.type,',
    "dueShardOf('transfer',",
  ),
  mutation(
    'accept however many an hour',
    'lambdas/store/rate-window.ts',
    '`(attribute_not_exists(${nameOf(window)}) OR ${nameOf(window)} < :limit)`',
    '`(attribute_not_exists(${nameOf(window)}) OR ${nameOf(window)} <> :limit OR ${nameOf(window)} = :limit)`',
  ),
  mutation(
    'let windows of the rate limit end side by side',
    'lambdas/domain/rate.ts',
    'return Array.from({ length: windowSteps }, (_, n) => step - windowSteps + 1 + n);',
    'return [step];',
    'withdraw again within the hour, beyond the limit',
  ),

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
  {
    name: "sweep by the sweeper's own clock",
    test: sweeperTest,
    edits: [
      {
        file: 'lambdas/workers/sweeper.ts',
        text: 'databaseAt: clock?.databaseAt ?? startedAt,',
        replacement: 'databaseAt: startedAt + 0 * (clock?.databaseAt ?? 0),',
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
    edits: [{ file: relay, text: 'await services.setAside.send({ Records: [record] });', replacement: '' }],
  },
];
