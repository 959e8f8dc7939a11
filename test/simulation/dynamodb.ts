/** DynamoDB in the simulation: the real engine behind a wire on which calls take time and meet faults. */
import type { AttributeValue, CancellationReason } from '@aws-sdk/client-dynamodb';
import { chance, choose } from './chance.ts';
import { kindOfChange } from './changes.ts';
import type { Connection } from './connection.ts';
import { noAnswer } from './in-process-clients.ts';
import type { ClientCall, Model, Reply } from './in-process-clients.ts';
import type { Ledger } from './ledger.ts';
import type { dynamodbFaults } from './plan.ts';
import type { Struck, Task, World } from './world.ts';

type Kind = (typeof dynamodbFaults)[number];
export type StoredItem = Record<string, AttributeValue>;

/** As in the client of lambdas/aws/clients.ts. */
const timeoutMs = 1_500;
const reads = new Set(['GetItem', 'BatchGetItem', 'Query', 'Scan']);

/** The engine that the calls reach. */
export interface TableAccess {
  readonly connection: Connection;
  /** The name of the table of entries, where the history has one. */
  readonly entriesName: string | undefined;
  /** The table of webhooks, where the history has one, and its auditor. */
  readonly webhooks?: { readonly name: string; readonly observe: (keys: readonly StoredItem[]) => Promise<void> };
  /** True if answers name the time. */
  readonly namesTime: boolean;
}

/**
 * Returns the model behind the client of a world's tasks. The ledger reads each write before anything else happens.
 */
export function connectTable(world: World, access: TableAccess, ledger: Ledger): Model {
  const { connection, entriesName, webhooks, namesTime } = access;
  async function really({ operation, input, text }: ClientCall, task: Task | undefined): Promise<Answer> {
    const answer = await connection.send(operation, text);
    if (reads.has(operation) || answer.status !== 200) return answer;
    // By its memory: the SDK's bytes warn about each other use as a text.
    const names = (name: string | undefined) =>
      name !== undefined && Buffer.from(text.buffer, text.byteOffset, text.byteLength).includes(name);
    if (names(webhooks?.name)) await webhooks?.observe(keysIn(input));
    else if (!names(entriesName)) await ledger.observe(keysIn(input), task);
    return answer;
  }

  async function perform(call: ClientCall, struck: Struck, task: Task | undefined): Promise<Reply> {
    const take = (one: ClientCall) => really(one, task);
    const kind = struck.kind as Kind | undefined;
    switch (kind) {
      case 'throttled':
        return refusal(choose(throttles, world.seed, 'throttle', struck.id));
      case 'internal-error':
        return refusal('InternalServerError', 500);
      case 'internal-error-after':
        await take(call);
        return refusal('InternalServerError', 500);
      case 'conflict':
        return conflict(call, world.seed, struck.id);
      case 'conflict-and-untrue-condition':
        return untrueCondition(call, ledger, world.seed, struck.id);
      case 'conflict-and-failed-condition':
        return alsoConflict(await take(call), struck);
      case 'partial-batch':
        return changed(await take(call), leaveKeysOut(world.seed, struck), call);
      case 'statements-throttled':
        return someThrottled(call, take, world.seed, struck);
      case 'statements-failed-after':
        return changed(await take(call), failSome(world.seed, struck), call);
      case 'stale-read':
        return changed(await take(call), showThePast(ledger, world, struck), call);
      case 'index-behind':
        return changed(await take(call), leaveItemsOut(world.seed, struck), call);
      default:
        return take(call);
    }
  }

  return (call) => {
    const [stops, task] = [world.stops(), world.current()];
    return world.external({
      service: 'dynamodb',
      operation: call.operation,
      ...(!reads.has(call.operation) && { change: kindOfChange(call.input) }),
      kinds: kindsFor(call),
      legMs: [1, 8],
      timeoutMs,
      lost: noAnswer,
      // A call that left before the stop arrives at a table that is no longer in use.
      async perform(struck) {
        if (world.stops() !== stops) throw noAnswer();
        const at = world.now();
        return { ...(await perform(call, struck, task)), ...(namesTime && { at }) };
      },
    });
  };
}

/** Returns an error answer of DynamoDB. The call had no effect. */
function refusal(type: string, status = 400, members: object = {}): Reply {
  return { status, body: { __type: `com.amazonaws.dynamodb.v20120810#${type}`, message: type, ...members } };
}

/** Returns the cancellation of an atomic write, with one reason for each of its items. */
function cancelled(reasons: readonly CancellationReason[]): Reply {
  return refusal('TransactionCanceledException', 400, { CancellationReasons: reasons });
}

const throttles = ['ThrottlingException', 'ProvisionedThroughputExceededException', 'RequestLimitExceeded'] as const;

function kindsFor({ operation, input }: ClientCall): readonly Kind[] {
  switch (operation) {
    case 'TransactWriteItems':
      return (input['TransactItems'] as unknown[]).length === 1
        ? [...always, 'internal-error-after', 'conflict']
        : [
            ...always,
            'internal-error-after',
            'conflict',
            'conflict-and-untrue-condition',
            'conflict-and-failed-condition',
          ];
    case 'PutItem':
    case 'UpdateItem':
    case 'DeleteItem':
      return [...always, 'internal-error-after', 'conflict'];
    case 'BatchGetItem':
      return isConsistent(input) ? [...always, 'partial-batch'] : [...always, 'partial-batch', 'stale-read'];
    case 'BatchExecuteStatement':
      return [...always, 'internal-error-after', 'statements-throttled', 'statements-failed-after'];
    case 'Query':
      return 'IndexName' in input ? [...always, 'index-behind'] : always;
    case 'Scan':
      return always;
    case 'GetItem':
      return isConsistent(input) ? always : [...always, 'stale-read'];
    default:
      throw new Error(`the simulation does not know what can happen to ${operation}: add it in dynamodb.ts`);
  }
}

const always = ['throttled', 'internal-error'] as const;

/** Returns a refusal because another write holds an item of this one. */
function conflict({ operation, input }: ClientCall, seed: string, id: string): Reply {
  if (operation !== 'TransactWriteItems') return refusal('TransactionConflictException');
  const items = input['TransactItems'] as unknown[];
  const held = Math.floor(chance(seed, 'held', id) * items.length);
  return cancelled(items.map((_, index) => ({ Code: index === held ? 'TransactionConflict' : 'None' })));
}

/**
 * Returns a conflict on one item, and on another a failed condition whose image never existed: the wallet without its
 * money.
 */
function untrueCondition({ input }: ClientCall, ledger: Ledger, seed: string, id: string): Reply {
  const items = input['TransactItems'] as Record<string, { Key?: StoredItem }>[];
  const judged = items.findIndex(({ Update: update }) => update?.Key?.['pk']?.S?.startsWith('WALLET#'));
  const key = items[judged]?.['Update']?.Key;
  const others = items.map((_, index) => index).filter((index) => index !== judged);
  const held = choose(others, seed, 'held', id);
  return cancelled(
    items.map((_, index): CancellationReason => {
      if (index === held) return { Code: 'TransactionConflict' };
      if (index !== judged) return { Code: 'None' };
      const image = key && ledger.stored(key);
      return { Code: 'ConditionalCheckFailed', ...(image && { Item: { ...image, available: { N: '0' } } }) };
    }),
  );
}

/** Adds a conflict to the refusal of a write. */
function alsoConflict(answer: Answer, struck: Struck): Reply {
  const reasons = answer.status === 400 ? ((bodyOf(answer)['CancellationReasons'] ?? []) as CancellationReason[]) : [];
  const sound = reasons.findIndex(({ Code }) => Code === 'None');
  if (sound < 0 || !reasons.some(({ Code }) => Code === 'ConditionalCheckFailed')) {
    struck.missed();
    return answer;
  }
  return cancelled(reasons.with(sound, { Code: 'TransactionConflict' }));
}

type Answer = { readonly status: number; readonly body: Buffer };
type Body = Record<string, unknown>;

function changed(answer: Answer, change: (body: Body, call: ClientCall) => void, call: ClientCall): Reply {
  const body = bodyOf(answer);
  change(body, call);
  return { status: answer.status, body };
}

function leaveKeysOut(seed: string, struck: Struck) {
  return (body: Body, { input }: ClientCall): void => {
    const [[name, request] = []] = Object.entries(input['RequestItems'] as Record<string, { Keys: StoredItem[] }>);
    if (name === undefined || request === undefined) return;
    const left = request.Keys.filter((_, index) => chance(seed, 'left out', struck.id, index) < 0.5);
    if (left.length === 0) {
      struck.missed();
      return;
    }
    const texts = new Set(left.map(keyText));
    const responses = body['Responses'] as Record<string, StoredItem[]>;
    body['Responses'] = { [name]: (responses[name] ?? []).filter((item) => !texts.has(keyText(item))) };
    body['UnprocessedKeys'] = { [name]: { ...request, Keys: left } };
  };
}

interface Statements {
  readonly Statements: readonly object[];
}

interface StatementResponse {
  readonly Error?: { readonly Code: string; readonly Message: string };
}

/** Reports some statements of a batch as throttled and drops them. The others take effect. */
async function someThrottled(
  call: ClientCall,
  really: (call: ClientCall) => Promise<Answer>,
  seed: string,
  struck: Struck,
): Promise<Reply> {
  const all = (call.input as unknown as Statements).Statements;
  const isThrottled = all.map((_, index) => chance(seed, 'throttled', struck.id, index) < 0.5);
  const input = { ...call.input, Statements: all.filter((_, index) => isThrottled[index] === false) };
  if (input.Statements.length === all.length) struck.missed();
  const throttled: StatementResponse = { Error: { Code: 'ThrottlingError', Message: 'throttled' } };
  if (input.Statements.length === 0) return { status: 200, body: { Responses: all.map(() => throttled) } };
  const answer = await really({ ...call, input, text: Buffer.from(JSON.stringify(input)) });
  const body = bodyOf(answer);
  const responses = [...((body['Responses'] ?? []) as StatementResponse[])];
  body['Responses'] = isThrottled.map((one) => (one ? throttled : responses.shift()));
  return { status: answer.status, body };
}

function failSome(seed: string, struck: Struck) {
  return (body: Body): void => {
    const error = { Code: 'InternalServerError', Message: 'internal error' };
    const responses = (body['Responses'] ?? []) as StatementResponse[];
    const changes = responses.map((response, index) =>
      response.Error === undefined && chance(seed, 'failed', struck.id, index) < 0.5 ? { Error: error } : response,
    );
    if (changes.every((response, index) => response === responses[index])) struck.missed();
    body['Responses'] = changes;
  };
}

/** The greatest age of an eventually consistent read, ms. */
export const stalenessMs = 5_000;

function isConsistent(input: ClientCall['input']): boolean {
  const [request] = Object.values((input['RequestItems'] ?? {}) as Record<string, { ConsistentRead?: boolean }>);
  return (request ?? input)['ConsistentRead'] === true;
}

/** Answers with an image that each item had within the last seconds, where one exists besides the latest. */
function showThePast(ledger: Ledger, { seed, now }: World, struck: Struck) {
  const imageOf = (key: StoredItem): { readonly item: StoredItem | undefined } | undefined => {
    const images = ledger.past(key, now() - stalenessMs).map((item) => ({ item }));
    return images.length === 0 ? undefined : choose(images, seed, 'stale', struck.id, keyText(key));
  };
  return (body: Body, { input }: ClientCall): void => {
    const [[name, request] = []] = Object.entries(
      (input['RequestItems'] ?? {}) as Record<string, { Keys: StoredItem[] }>,
    );
    const keys = request?.Keys ?? [input['Key'] as StoredItem];
    const stale = new Map(
      keys.flatMap((key) => (imageOf(key) === undefined ? [] : [[keyText(key), imageOf(key)?.item]])),
    );
    if (stale.size === 0) {
      struck.missed();
      return;
    }
    if (name === undefined) {
      const [item] = stale.values();
      if (item === undefined) delete body['Item'];
      else body['Item'] = item;
      return;
    }
    const responses = body['Responses'] as Record<string, StoredItem[]>;
    const others = (responses[name] ?? []).filter((item) => !stale.has(keyText(item)));
    responses[name] = [...others, ...[...stale.values()].filter((item) => item !== undefined)];
  };
}

function leaveItemsOut(seed: string, struck: Struck) {
  return (body: Body): void => {
    const items = body['Items'] as StoredItem[];
    body['Items'] = items.filter((_, index) => chance(seed, 'left out', struck.id, index) < 0.5);
    if ((body['Items'] as StoredItem[]).length === items.length) struck.missed();
  };
}

/** Returns a key, or an item's key, as text. */
export function keyText(item: StoredItem): string {
  return `${item['pk']?.S ?? ''} ${item['sk']?.S ?? ''}`;
}

/** Returns the keys of all items that a write names, at any depth. */
function keysIn(value: unknown): StoredItem[] {
  if (typeof value !== 'object' || value === null) return [];
  const item = value as StoredItem;
  if (item['pk']?.S !== undefined && item['sk']?.S !== undefined) return [{ pk: item['pk'], sk: item['sk'] }];
  return Object.values(value).flatMap(keysIn);
}

function bodyOf({ body }: Answer): Body {
  return JSON.parse(body.toString('utf8')) as Body;
}
