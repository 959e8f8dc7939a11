/** DynamoDB as the simulation sees it: the real engine behind a wire on which calls take time and meet faults. */
import type { AttributeValue, CancellationReason } from '@aws-sdk/client-dynamodb';
import { HttpResponse } from '@smithy/core/protocols';
import type { Readable } from 'node:stream';
import type { Table } from '../../lambdas/store/table.ts';
import type { Call, TestTable } from '../engine.ts';
import { answer, cancelled } from '../faults.ts';
import { chance, choose } from './chance.ts';
import type { Ledger } from './ledger.ts';
import type { dynamodbFaults } from './plan.ts';
import type { Struck, World } from './world.ts';

type Kind = (typeof dynamodbFaults)[number];
export type StoredItem = Record<string, AttributeValue>;

/** As the client of lambdas/runtime/clients.ts. */
const timeoutMs = 1_500;
const reads = new Set(['GetItem', 'BatchGetItem', 'Query']);

/** A client of the engine, and the table that it is used for. */
export interface Place {
  readonly table: TestTable;
  readonly name: string;
}

/**
 * The table for the tasks of a world: each call is an external call of its task, and whatever is written is shown to
 * the ledger before anything else happens. Calls that no task makes go straight to the engine.
 */
export function connectTable(world: World, { table, name }: Place, ledger: Ledger): Table {
  table.fault = (call, send) => {
    if (world.current() === undefined) return send();
    return world.external({
      service: 'dynamodb',
      operation: call.operation,
      kinds: kindsFor(call),
      legMs: [1, 8],
      timeoutMs,
      lost: () => Object.assign(new Error('no answer in time'), { name: 'TimeoutError' }),
      perform: (struck) => perform(call, send, struck),
    });
  };

  async function perform(call: Call, send: () => Promise<HttpResponse>, struck: Struck): Promise<HttpResponse> {
    const kind = struck.kind as Kind | undefined;
    const inject = async (fault: ReturnType<typeof answer>) => complete(await fault(call, send));
    const really = async () => {
      const response = await complete(await send());
      if (!reads.has(call.operation) && response.statusCode === 200) await ledger.observe(keysIn(call.input));
      return response;
    };
    switch (kind) {
      case 'throttled':
        return inject(answer(choose(throttles, world.seed, 'throttle', struck.id)));
      case 'internal-error':
        return inject(answer('InternalServerError', 500));
      case 'internal-error-after':
        await really();
        return inject(answer('InternalServerError', 500));
      case 'conflict':
        return inject(conflict(call, world.seed, struck.id));
      case 'conflict-and-untrue-condition':
        return inject(untrueCondition(call, ledger, world.seed, struck.id));
      case 'conflict-and-failed-condition': {
        const response = await really();
        const reasons = reasonsIn(response);
        const sound = reasons.findIndex(({ Code }) => Code === 'None');
        if (sound < 0 || !reasons.some(({ Code }) => Code === 'ConditionalCheckFailed')) {
          struck.missed();
          return response;
        }
        return inject(cancelled(...reasons.with(sound, { Code: 'TransactionConflict' })));
      }
      case 'partial-batch':
        return changed(await really(), leaveKeysOut(world.seed, struck), call);
      case 'index-behind':
        return changed(await really(), leaveItemsOut(world.seed, struck), call);
      default:
        return really();
    }
  }

  return {
    client: table.client,
    name,
    retry: table.retry,
    now: world.now,
    random: world.random,
    sleep: world.sleep,
  };
}

const throttles = ['ThrottlingException', 'ProvisionedThroughputExceededException', 'RequestLimitExceeded'] as const;

function kindsFor({ operation, input }: Call): readonly Kind[] {
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
      return [...always, 'partial-batch'];
    case 'Query':
      return 'IndexName' in input ? [...always, 'index-behind'] : always;
    case 'GetItem':
      return always;
    default:
      throw new Error(`the simulation does not know what can happen to ${operation}: tell it in dynamodb.ts`);
  }
}

const always = ['throttled', 'internal-error'] as const;

/** Some other write holds an item of this one. */
function conflict({ operation, input }: Call, seed: string, id: string) {
  if (operation !== 'TransactWriteItems') return answer('TransactionConflictException');
  const items = input['TransactItems'] as unknown[];
  const held = Math.floor(chance(seed, 'held', id) * items.length);
  return cancelled(...items.map((_, index) => ({ Code: index === held ? 'TransactionConflict' : 'None' })));
}

/** A conflict on one item; another is judged by an image that never was: the wallet without its money. */
function untrueCondition({ input }: Call, ledger: Ledger, seed: string, id: string) {
  const items = input['TransactItems'] as Record<string, { Key?: StoredItem }>[];
  const judged = items.findIndex(({ Update: update }) => update?.Key?.['pk']?.S?.startsWith('WALLET#'));
  const key = items[judged]?.['Update']?.Key;
  const others = items.map((_, index) => index).filter((index) => index !== judged);
  const held = choose(others, seed, 'held', id);
  return cancelled(
    ...items.map((_, index): CancellationReason => {
      if (index === held) return { Code: 'TransactionConflict' };
      if (index !== judged) return { Code: 'None' };
      const image = key && ledger.stored(key);
      return { Code: 'ConditionalCheckFailed', ...(image && { Item: { ...image, available: { N: '0' } } }) };
    }),
  );
}

type Body = Record<string, unknown>;

function changed(response: HttpResponse, change: (body: Body, call: Call) => void, call: Call): HttpResponse {
  const body = bodyOf(response);
  change(body, call);
  const { statusCode, headers } = response;
  return new HttpResponse({ statusCode, headers, body: Buffer.from(JSON.stringify(body)) });
}

function leaveKeysOut(seed: string, struck: Struck) {
  return (body: Body, { input }: Call): void => {
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

function leaveItemsOut(seed: string, struck: Struck) {
  return (body: Body): void => {
    const items = body['Items'] as StoredItem[];
    body['Items'] = items.filter((_, index) => chance(seed, 'left out', struck.id, index) < 0.5);
    if ((body['Items'] as StoredItem[]).length === items.length) struck.missed();
  };
}

/** A key or an item's key as text. */
export function keyText(item: StoredItem): string {
  return `${item['pk']?.S ?? ''} ${item['sk']?.S ?? ''}`;
}

/** The keys of all items that a write names, wherever in it. */
function keysIn(value: unknown): StoredItem[] {
  if (typeof value !== 'object' || value === null) return [];
  const item = value as StoredItem;
  if (item['pk']?.S !== undefined && item['sk']?.S !== undefined) return [{ pk: item['pk'], sk: item['sk'] }];
  return Object.values(value).flatMap(keysIn);
}

function reasonsIn(response: HttpResponse): CancellationReason[] {
  if (response.statusCode !== 400) return [];
  return (bodyOf(response)['CancellationReasons'] ?? []) as CancellationReason[];
}

function bodyOf(response: HttpResponse): Body {
  return JSON.parse((response.body as Buffer).toString('utf8')) as Body;
}

/**
 * The response with its whole body at hand, so that reading it takes no turn of the event loop; and without its date, by
 * which the SDK would think that the clock of this world is wrong.
 */
async function complete(response: HttpResponse): Promise<HttpResponse> {
  if (Buffer.isBuffer(response.body)) return response;
  const chunks: Buffer[] = [];
  for await (const chunk of response.body as Readable) chunks.push(chunk as Buffer);
  const { date, ...headers } = response.headers;
  return new HttpResponse({ statusCode: response.statusCode, headers, body: Buffer.concat(chunks) });
}
