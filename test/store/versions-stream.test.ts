/** Changes in the stream that this release does not know. */
import type { DynamoDBRecord } from 'aws-lambda';
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { lastEntry } from '../../lambdas/store/entries.ts';
import { toItem } from '../../lambdas/store/write.ts';
import type { SetAside } from '../../lambdas/aws/set-aside.ts';
import { relay } from '../../lambdas/workers/relay.ts';
import { newBooks } from '../books.ts';
import { useEngine } from '../fixture.ts';
import { eventsIn, fingerprintKey, issuer, keepingBus, publisherTo } from '../simulation/consumers.ts';
import { charge } from './commands.ts';
import { fundedWallet, openWallet } from './wallets.ts';

const engine = useEngine();

/** Records of changes that this release does not know. */
function unknownRecords(record: DynamoDBRecord): Record<string, DynamoDBRecord> {
  const change = (members: object, keys: object = {}) => {
    const changed = structuredClone(record);
    Object.assign(changed.dynamodb!.NewImage!, toItem(members));
    Object.assign(changed.dynamodb!.Keys!, toItem(keys));
    return changed;
  };
  return {
    'a newer version': change({ v: 2 }),
    'an unknown type': change({ type: 'refund' }),
    'an unknown sort key': change({}, { sk: 'CARD' }),
  };
}

describe('a change that this release does not know', () => {
  it('is set aside whole by the relay, which publishes those behind it', async () => {
    const { table, takeRecords, close } = await newBooks(engine);
    await charge(table, await openWallet(table, 'ann'), { amount: 5 });
    const records = await takeRecords();
    const [funding] = records.filter((record) => [...eventsIn([record]).values()][0]?.type === 'wallet.funded');
    for (const [name, unknown] of Object.entries(unknownRecords(funding!))) {
      const aside: DynamoDBRecord[] = [];
      const bus = keepingBus();
      const setAside = {
        send: ({ Records }: SetAside) => {
          aside.push(...Records);
          return Promise.resolve();
        },
      };
      const key = () => Promise.resolve([fingerprintKey] as const);
      const services = { publisher: publisherTo(bus.put), setAside, fingerprintKey: key, issuer };
      assert.equal(await relay([unknown, ...records], services, 20_000), undefined, name);
      assert.deepEqual(aside, [unknown], name);
      assert.deepEqual(bus.delivered, [...eventsIn(records).values()], name);
    }
    close();
  });

  it('is set aside whole by the projector, which follows the other wallets', async () => {
    const own = await newBooks(engine);
    const ann = await fundedWallet(own.table, 'ann', 5);
    const records = await own.takeRecords();
    const [funding] = records.filter((record) => [...eventsIn([record]).values()][0]?.type === 'wallet.funded');
    for (const [name, unknown] of Object.entries(unknownRecords(funding!))) {
      own.aside.length = 0;
      assert.equal(await own.hand([unknown, ...records]), undefined, name);
      assert.deepEqual(own.aside, [unknown], name);
      assert.equal((await lastEntry(own.entries, ann))?.version, 1, name);
    }
    own.close();
  });

  it('of a wallet is set aside by the projector with the changes behind it, and projected in their order later', async () => {
    const own = await newBooks(engine);
    const ann = await openWallet(own.table, 'ann');
    for (const amount of [1, 2, 3]) await charge(own.table, ann, { amount });
    const records = await own.takeRecords();
    const newer = records.map((record) => {
      const { dynamodb } = record;
      if (dynamodb?.Keys?.['sk']?.S !== 'WALLET' || dynamodb.NewImage?.['version']?.N === '0') return record;
      const NewImage = { ...dynamodb.NewImage, v: { N: '2' } };
      return { ...record, dynamodb: { ...dynamodb, NewImage } };
    });
    assert.equal(await own.hand(newer), undefined);
    assert.equal((await lastEntry(own.entries, ann))?.version, 0);
    const aside = own.aside.map(({ dynamodb }) => dynamodb?.SequenceNumber);
    // A newer release reads them.
    const again = records.filter(({ dynamodb }) => aside.includes(dynamodb?.SequenceNumber));
    assert.equal(again.length, 3);
    assert.equal(await own.hand(again), undefined);
    assert.equal((await lastEntry(own.entries, ann))?.version, 3);
    own.close();
  });
});
