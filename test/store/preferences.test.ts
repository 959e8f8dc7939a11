import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { getNotificationPreferences } from '../../lambdas/api/get-notification-preferences.ts';
import { putNotificationPreferences } from '../../lambdas/api/put-notification-preferences.ts';
import { channelsFor, defaultPreferences } from '../../lambdas/domain/preferences.ts';
import { serve } from '../../lambdas/http/http.ts';
import { openLimits } from '../../lambdas/http/limits.ts';
import { getPreferencesOf } from '../../lambdas/store/preferences.ts';
import { listWallets } from '../../lambdas/store/wallets.ts';
import { endUser, operator, send } from '../request.ts';
import type { Request } from '../request.ts';
import { openWallet } from './wallets.ts';
import { useTable } from '../fixture.ts';

const table = useTable();
const limits = openLimits({ readsPerHour: 1_000_000 });

const get = (request: Request) =>
  send('get-notification-preferences', serve(getNotificationPreferences, { table, limits }), request);
const put = (request: Request) =>
  send('put-notification-preferences', serve(putNotificationPreferences, { table, limits }), request);
const loud = { channels: { email: true, sms: true, push: true }, mutedEvents: [] };

describe('notification preferences', () => {
  it('have no channel until the owner asks for one', async () => {
    const { status, body } = await get({ as: endUser('new') });
    assert.equal(status, 200);
    assert.deepEqual(body, { ownerId: 'new', channels: { email: false, sms: false, push: false }, mutedEvents: [] });
    assert.deepEqual(channelsFor(defaultPreferences, 'wallet.funded'), []);
  });

  it('are replaced as a whole, by their owner or an operator, and do not appear as a wallet', async () => {
    const walletId = await openWallet(table, 'ann');
    const muted = {
      channels: { email: false, sms: false, push: true },
      mutedEvents: ['wallet.funded', 'wallet.funded'],
    };
    const { status, body } = await put({ as: endUser('ann'), body: muted });
    const stored = { ownerId: 'ann', ...muted, mutedEvents: ['wallet.funded'] };
    assert.deepEqual([status, body], [200, stored]);
    assert.deepEqual((await get({ as: operator, query: { ownerId: 'ann' } })).body, stored);
    await put({ as: operator, body: { ownerId: 'ann', ...loud } });
    assert.deepEqual((await get({ as: endUser('ann') })).body, { ownerId: 'ann', ...loud });
    const { items } = await listWallets(table, 'ann', { limit: 10, after: undefined });
    assert.deepEqual(
      items.map((wallet) => wallet.walletId),
      [walletId],
    );
  });

  it('are closed to other owners', async () => {
    const as = endUser('mallory');
    assert.equal((await get({ as, query: { ownerId: 'ann' } })).body?.['code'], 'forbidden');
    assert.equal((await put({ as, body: { ownerId: 'ann', ...loud } })).body?.['code'], 'forbidden');
    const readOnly = { principal: 'ann', scopes: 'read' };
    assert.equal((await put({ as: readOnly, body: loud })).body?.['code'], 'forbidden');
  });

  it('are refused when they are incomplete, or name an event that has no notification', async () => {
    for (const body of [
      {},
      { channels: { email: true } },
      { ...loud, channels: { ...loud.channels, fax: true } },
      { ...loud, mutedEvents: ['withdrawal.executing'] },
      { ...loud, more: true },
    ]) {
      assert.equal((await put({ as: endUser('ann'), body })).body?.['code'], 'invalid_request', JSON.stringify(body));
    }
  });

  it('are read for many owners in one call', async () => {
    await put({ as: endUser('bob'), body: loud });
    const before = table.calls.length;
    const found = await getPreferencesOf(table, ['bob', 'stranger']);
    assert.equal(table.calls.length - before, 1);
    assert.deepEqual(found.get('bob'), loud);
    assert.deepEqual(found.get('stranger'), defaultPreferences);
  });
});
