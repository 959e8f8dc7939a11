import assert from 'node:assert/strict';
import { beforeAll, describe, it } from '@jest/globals';
import { askForApproval, endApproval, listApprovals } from '../../lambdas/store/approvals.ts';
import { askedApproval } from '../../lambdas/domain/approval.ts';
import { collection } from '../../lambdas/domain/collection.ts';
import { listOpenBatches } from '../../lambdas/store/batches.ts';
import { putBreaker } from '../../lambdas/store/breaker.ts';
import { earliestDue, listDue, listWaiting, touchDue } from '../../lambdas/store/due.ts';
import { putPreferences } from '../../lambdas/store/preferences.ts';
import { getTransaction, listTransactions } from '../../lambdas/store/transactions.ts';
import { failTransfer, settleTransfers } from '../../lambdas/store/transfers.ts';
import type { PendingTransfer, Withdrawal } from '../../lambdas/domain/transaction.ts';
import { createWallet } from '../../lambdas/store/open-wallet.ts';
import { listWallets, setWalletStatus } from '../../lambdas/store/wallets.ts';
import {
  cancelWithdrawal,
  endWithdrawal,
  resolveWithdrawal,
  returnWithdrawal,
} from '../../lambdas/store/withdrawals.ts';
import {
  putBackWithdrawal,
  releaseWithdrawal,
  reviewWithdrawal,
  settleWithdrawal,
} from '../../lambdas/store/withdrawal-claims.ts';
import { commitFees, noFees } from '../../lambdas/store/fees.ts';
import { expireHold } from '../../lambdas/store/holds.ts';
import { advance, complete, sendBatch, transferLine, withdrawalLine, workerOn } from './batch-commands.ts';
import { charge, operation, queueTransfer, timeOf, transfer, withdraw } from './commands.ts';
import { capture, holdOf, openHold, release } from './hold-commands.ts';
import { setLimits } from './limit-commands.ts';
import { accountClosed, claimed, visit } from './visits.ts';
import { fundedWallet, openWallet, setStatus } from './wallets.ts';
import { useTable } from '../fixture.ts';

/**
 * DynamoDB's reserved words, in any case, from "Reserved words in DynamoDB" of its developer guide. None may stand
 * bare.
 */
const reserved = new Set(
  `
  ABORT ABSOLUTE ACTION ADD AFTER AGENT AGGREGATE ALL ALLOCATE ALTER ANALYZE AND ANY ARCHIVE ARE ARRAY AS ASC ASCII
  ASENSITIVE ASSERTION ASYMMETRIC AT ATOMIC ATTACH ATTRIBUTE AUTH AUTHORIZATION AUTHORIZE AUTO AVG BACK BACKUP BASE
  BATCH BEFORE BEGIN BETWEEN BIGINT BINARY BIT BLOB BLOCK BOOLEAN BOTH BREADTH BUCKET BULK BY BYTE CALL CALLED CALLING
  CAPACITY CASCADE CASCADED CASE CAST CATALOG CHAR CHARACTER CHECK CLASS CLOB CLOSE CLUSTER CLUSTERED CLUSTERING
  CLUSTERS COALESCE COLLATE COLLATION COLLECTION COLUMN COLUMNS COMBINE COMMENT COMMIT COMPACT COMPILE COMPRESS
  CONDITION CONFLICT CONNECT CONNECTION CONSISTENCY CONSISTENT CONSTRAINT CONSTRAINTS CONSTRUCTOR CONSUMED CONTINUE
  CONVERT COPY CORRESPONDING COUNT COUNTER CREATE CROSS CUBE CURRENT CURSOR CYCLE DATA DATABASE DATE DATETIME DAY
  DEALLOCATE DEC DECIMAL DECLARE DEFAULT DEFERRABLE DEFERRED DEFINE DEFINED DEFINITION DELETE DELIMITED DEPTH DEREF
  DESC DESCRIBE DESCRIPTOR DETACH DETERMINISTIC DIAGNOSTICS DIRECTORIES DISABLE DISCONNECT DISTINCT DISTRIBUTE DO
  DOMAIN DOUBLE DROP DUMP DURATION DYNAMIC EACH ELEMENT ELSE ELSEIF EMPTY ENABLE END EQUAL EQUALS ERROR ESCAPE ESCAPED
  EVAL EVALUATE EXCEEDED EXCEPT EXCEPTION EXCEPTIONS EXCLUSIVE EXEC EXECUTE EXISTS EXIT EXPLAIN EXPLODE EXPORT
  EXPRESSION EXTENDED EXTERNAL EXTRACT FAIL FALSE FAMILY FETCH FIELDS FILE FILTER FILTERING FINAL FINISH FIRST FIXED
  FLATTERN FLOAT FOR FORCE FOREIGN FORMAT FORWARD FOUND FREE FROM FULL FUNCTION FUNCTIONS GENERAL GENERATE GET GLOB
  GLOBAL GO GOTO GRANT GREATER GROUP GROUPING HANDLER HASH HAVE HAVING HEAP HIDDEN HOLD HOUR IDENTIFIED IDENTITY IF
  IGNORE IMMEDIATE IMPORT IN INCLUDING INCLUSIVE INCREMENT INCREMENTAL INDEX INDEXED INDEXES INDICATOR INFINITE
  INITIALLY INLINE INNER INNTER INOUT INPUT INSENSITIVE INSERT INSTEAD INT INTEGER INTERSECT INTERVAL INTO INVALIDATE
  IS ISOLATION ITEM ITEMS ITERATE JOIN KEY KEYS LAG LANGUAGE LARGE LAST LATERAL LEAD LEADING LEAVE LEFT LENGTH LESS
  LEVEL LIKE LIMIT LIMITED LINES LIST LOAD LOCAL LOCALTIME LOCALTIMESTAMP LOCATION LOCATOR LOCK LOCKS LOG LOGED LONG
  LOOP LOWER MAP MATCH MATERIALIZED MAX MAXLEN MEMBER MERGE METHOD METRICS MIN MINUS MINUTE MISSING MOD MODE MODIFIES
  MODIFY MODULE MONTH MULTI MULTISET NAME NAMES NATIONAL NATURAL NCHAR NCLOB NEW NEXT NO NONE NOT NULL NULLIF NUMBER
  NUMERIC OBJECT OF OFFLINE OFFSET OLD ON ONLINE ONLY OPAQUE OPEN OPERATOR OPTION OR ORDER ORDINALITY OTHER OTHERS OUT
  OUTER OUTPUT OVER OVERLAPS OVERRIDE OWNER PAD PARALLEL PARAMETER PARAMETERS PARTIAL PARTITION PARTITIONED PARTITIONS
  PATH PERCENT PERCENTILE PERMISSION PERMISSIONS PIPE PIPELINED PLAN POOL POSITION PRECISION PREPARE PRESERVE PRIMARY
  PRIOR PRIVATE PRIVILEGES PROCEDURE PROCESSED PROJECT PROJECTION PROPERTY PROVISIONING PUBLIC PUT QUERY QUIT QUORUM
  RAISE RANDOM RANGE RANK RAW READ READS REAL REBUILD RECORD RECURSIVE REDUCE REF REFERENCE REFERENCES REFERENCING
  REGEXP REGION REINDEX RELATIVE RELEASE REMAINDER RENAME REPEAT REPLACE REQUEST RESET RESIGNAL RESOURCE RESPONSE
  RESTORE RESTRICT RESULT RETURN RETURNING RETURNS REVERSE REVOKE RIGHT ROLE ROLES ROLLBACK ROLLUP ROUTINE ROW ROWS
  RULE RULES SAMPLE SATISFIES SAVE SAVEPOINT SCAN SCHEMA SCOPE SCROLL SEARCH SECOND SECTION SEGMENT SEGMENTS SELECT
  SELF SEMI SENSITIVE SEPARATE SEQUENCE SERIALIZABLE SESSION SET SETS SHARD SHARE SHARED SHORT SHOW SIGNAL SIMILAR
  SIZE SKEWED SMALLINT SNAPSHOT SOME SOURCE SPACE SPACES SPARSE SPECIFIC SPECIFICTYPE SPLIT SQL SQLCODE SQLERROR
  SQLEXCEPTION SQLSTATE SQLWARNING START STATE STATIC STATUS STORAGE STORE STORED STREAM STRING STRUCT STYLE SUB
  SUBMULTISET SUBPARTITION SUBSTRING SUBTYPE SUM SUPER SYMMETRIC SYNONYM SYSTEM TABLE TABLESAMPLE TEMP TEMPORARY
  TERMINATED TEXT THAN THEN THROUGHPUT TIME TIMESTAMP TIMEZONE TINYINT TO TOKEN TOTAL TOUCH TRAILING TRANSACTION
  TRANSFORM TRANSLATE TRANSLATION TREAT TRIGGER TRIM TRUE TRUNCATE TTL TUPLE TYPE UNDER UNDO UNION UNIQUE UNIT UNKNOWN
  UNLOGGED UNNEST UNPROCESSED UNSIGNED UNTIL UPDATE UPPER URL USAGE USE USER USERS USING UUID VACUUM VALUE VALUED
  VALUES VARCHAR VARIABLE VARIANCE VARINT VARYING VIEW VIEWS VIRTUAL VOID WAIT WHEN WHENEVER WHERE WHILE WINDOW WITH
  WITHIN WITHOUT WORK WRAPPED WRITE YEAR ZONE
`
    .trim()
    .split(/\s+/),
);

/** The words of the expressions' own grammar. A function is recognised by its parenthesis. */
const grammar = new Set(['SET', 'REMOVE', 'AND', 'OR', 'NOT', 'IN', 'BETWEEN']);

interface Expression {
  readonly text: string;
  readonly names: Readonly<Record<string, string>>;
  readonly values: Readonly<Record<string, unknown>>;
}

const kinds = [
  'UpdateExpression',
  'ConditionExpression',
  'KeyConditionExpression',
  'FilterExpression',
  'ProjectionExpression',
];

/** Returns the expressions of a call, each with the names and values that its request declares. */
function requestsOf(input: unknown): Expression[] {
  if (typeof input !== 'object' || input === null) return [];
  const request = input as Record<string, unknown>;
  const texts = kinds.flatMap((kind) => (typeof request[kind] === 'string' ? [request[kind]] : []));
  const own = {
    text: texts.join(' ; '),
    names: (request['ExpressionAttributeNames'] ?? {}) as Record<string, string>,
    values: (request['ExpressionAttributeValues'] ?? {}) as Record<string, unknown>,
  };
  return [...(texts.length > 0 ? [own] : []), ...Object.values(request).flatMap(requestsOf)];
}

/** Returns the attribute names that stand bare in an expression. */
function bareNames({ text }: Expression): string[] {
  return [...text.matchAll(/(?<![#:\w])[A-Za-z_]\w*(?!\w|\s*\()/g)]
    .map(([word]) => word)
    .filter((word) => !grammar.has(word));
}

const table = useTable();
const expressions: Expression[] = [];

beforeAll(async () => {
  await useEveryFunction();
  expressions.push(...table.calls.flatMap(({ input }) => requestsOf(input)));
});

describe('the expressions that the store sends', () => {
  it('use no reserved word as a bare name', () => {
    assert.ok(expressions.length > 40);
    const names = new Set(expressions.flatMap(bareNames));
    for (const known of ['available', 'held', 'version', 'dueAt', 'pk', 'historyKey', 'claimId', 'attempts']) {
      assert.ok(names.has(known), `${known} was not seen: are the expressions read?`);
    }
    assert.deepEqual(
      [...names].filter((name) => reserved.has(name.toUpperCase())),
      [],
    );
  });

  it('declare exactly the names and values that they use, as DynamoDB demands', () => {
    for (const { text, names, values } of expressions) {
      const used = (pattern: RegExp) => [...new Set(text.match(pattern))].sort();
      assert.deepEqual(Object.keys(names).sort(), used(/#\w+/g), text);
      assert.deepEqual(Object.keys(values).sort(), used(/:\w+/g), text);
    }
  });

  it('use a placeholder only for a reserved word', () => {
    const spelled = new Set(expressions.flatMap(({ names }) => Object.values(names)));
    assert.deepEqual(
      [...spelled].filter((name) => !reserved.has(name.toUpperCase())),
      [],
    );
  });
});

/** Calls every function of the store at least once, so that every expression is sent. */
async function useEveryFunction(): Promise<void> {
  const at = () => timeOf(table);
  const rate = { principal: 'ann', operation: 'any', perHour: 100 };
  const request = { ownerId: 'ann', currency: 'EUR', rate };
  await createWallet(table, operation(table, request, { owner: 'ann' }), request);
  const walletId = await fundedWallet(table, 'ann', 1_000);
  const to = await openWallet(table, 'bob');
  await setStatus(table, await openWallet(table, 'bob'), 'frozen');
  await setStatus(table, await openWallet(table, 'bob'), 'closed');
  await transfer(table, walletId, to, { owner: 'ann', amount: 1, rate });
  await listWallets(table, 'ann', { limit: 1, after: walletId });
  await listTransactions(table, { walletId, limit: 1 });
  await listTransactions(table, {
    walletId,
    limit: 1,
    type: 'charge',
    status: 'completed',
    from: at(),
    to: at() + '9',
  });
  await listTransactions(table, { walletId, limit: 1, type: 'charge' });

  const accept = async () => (await withdraw(table, walletId, { owner: 'ann', amount: 1, rate })).transaction;
  const attempt = visit(table, 'unknown');
  const claim = async () => claimed(table, (await accept()).transactionId);
  const settled = await claim();
  await settleWithdrawal(table, settled, attempt);
  await returnWithdrawal(table, settled.withdrawal, { at: at() });
  await releaseWithdrawal(table, await claim(), attempt, accountClosed);
  await putBackWithdrawal(table, await claim(), { dueAt: at(), submitBy: at(), attempt });
  await putBackWithdrawal(table, await claim(), { dueAt: at(), submitBy: undefined });
  await putBackWithdrawal(table, await claim(), { dueAt: at(), submitBy: undefined, waitingFor: 'wallet_frozen' });
  const cancellation = { actor: { kind: 'owner', principal: 'ann' }, reason: 'r', at: at() } as const;
  await cancelWithdrawal(table, operation(table, 'cancel'), { withdrawal: await accept(), cancellation });
  const reviewed = await claim();
  await reviewWithdrawal(table, reviewed, attempt);
  const verdict = (withdrawal: Withdrawal) => ({
    withdrawal,
    at: at(),
    from: ['pending', 'review'] as const,
    failure: accountClosed,
  });
  const resolution = { outcome: 'failed', evidence: 'e', principal: 'p', at: at() } as const;
  await resolveWithdrawal(table, operation(table, 'resolve'), { ...verdict(reviewed.withdrawal), resolution });
  await endWithdrawal(table, { ...verdict(await accept()), failure: undefined, attempt });

  const queue = async () =>
    (await queueTransfer(table, walletId, to, { owner: 'ann', amount: 1 })).transaction as PendingTransfer;
  await settleTransfers(table, [await queue(), await queue()], at());
  await failTransfer(table, await queue(), accountClosed, at());

  const hold = (more: object = {}) => openHold(table, walletId, { amount: 9, to, rate, ...more });
  const captured = await hold();
  await capture(table, captured, { amount: 1 });
  await capture(table, await holdOf(table, captured), { amount: 1, isFinal: true });
  await release(table, await hold());
  const due = await hold();
  await expireHold(table, due, due.expiresAt);

  await useLimits();
  const counted = { ...noFees('EUR'), countedTo: '2026-03-01T12' };
  await commitFees(table, noFees('EUR'), counted, undefined);
  const fees = collection(counted, { walletId: to, amount: 1, currency: 'EUR', at: at() });
  await commitFees(table, counted, { ...counted, countedTo: '2026-03-01T13', sequence: 1, collected: 1 }, fees);

  const open = await accept();
  await earliestDue(table);
  await listDue(table, { type: 'withdrawal', shard: 0, before: '9', limit: 1 });
  await listWaiting(table, { before: '9', limit: 1 });
  await touchDue(table, { transactionId: open.transactionId, type: 'withdrawal', dueAt: open.createdAt }, at());
  await putBreaker(table, { state: 'open', since: at() });
  await putPreferences(table, 'ann', { channels: { email: true, sms: false, push: false }, mutedEvents: [] }, at());
  await getTransaction(table, open.transactionId);

  await useBatches(walletId, to);

  const approval = askedApproval({
    ...{ command: 'charge', path: {}, body: {}, idempotencyKey: 'key', fingerprint: 'print', walletIds: [walletId] },
    ...{ askedBy: { kind: 'operator', principal: 'olga' }, at: at(), expiresAfterMs: 1_000 },
  });
  await askForApproval(table, approval);
  const position = { expiresAt: approval.expiresAt, approvalId: approval.approvalId };
  await listApprovals(table, { status: 'asked', at: at(), limit: 1, after: position });
  await listApprovals(table, { status: 'expired', at: at(), limit: 1 });
  const end = { status: 'rejected', by: { kind: 'operator', principal: 'omar' }, reason: 'r', at: at() } as const;
  await endApproval(table, approval, operation(table, 'reject'), end);
  const unfrozen = await openWallet(table, 'ann');
  for (const statusChangedAt of [undefined, at()]) {
    const executed = { by: end.by, asked: { ...approval, statusChangedAt }, items: [] };
    const unfreeze = { ...operation(table, ['unfreeze', statusChangedAt]), approval: executed };
    await setWalletStatus(table, unfreeze, { walletId: unfrozen, status: 'active' });
  }
}

/** Makes a batch with lines that are accepted, refused and left, out of one wallet into another. */
async function useBatches(walletId: string, to: string): Promise<void> {
  const lines = [
    transferLine('a', walletId, to, 1),
    withdrawalLine('b', walletId, 1),
    transferLine('c', to, walletId, 1e9),
  ];
  const { batch } = await sendBatch(table, lines);
  await listOpenBatches(table, 1);
  await advance(batch, workerOn(table, 1e6).services);
  await complete(table, batch);
}

/** Moves money of a limited wallet, in a window that goes on, and at the beginning of a day and of a month. */
async function useLimits(): Promise<void> {
  const flow = { perTransaction: 1_000, perDay: 1_000, perMonth: 1_000 };
  const limited = await fundedWallet(table, 'ann', 1_000);
  for (const creditLine of [20, 10]) {
    await setLimits(table, limited, { out: flow, in: flow, maximumBalance: 2_000, creditLine });
  }
  for (const days of [0, 1, 31]) {
    table.clock.now += days * 86_400_000;
    await withdraw(table, limited, { owner: 'ann', amount: 1 });
    table.clock.now += days * 86_400_000;
    await charge(table, limited, { amount: 1 });
  }
  const { limitsVersion } = (await setLimits(table, limited, { minimumBalance: 1 })).wallet;
  await setLimits(table, limited, {}, { expectedVersion: limitsVersion ?? 0 });
}
