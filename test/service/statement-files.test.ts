/** Statements as files over the API of a running service: the file behind a link, and links that open nothing. */
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { findService, until } from './service.ts';

const service = await findService();

describe('a statement as a file', () => {
  it('is behind a link without a token, for its owner alone', async () => {
    const { ask, walletId } = await service.newUser(1_234);
    const other = await service.newUser(1);
    const asked = await until(
      () => ask(`/wallets/${walletId}/statements`, { body: { from: '2026-01-01T00:00:00Z', format: 'csv' } }),
      ({ status }) => status !== 503,
    );
    assert.equal(asked.status, 202, JSON.stringify(asked.body));
    const path = `/statements/${String(asked.body['statementId'])}`;
    const { body } = await until(
      () => ask(path),
      (answer) => answer.body['status'] === 'ready',
    );
    const { url, bytes } = body['file'] as { url: string; bytes: number };
    const answer = await fetch(url);
    const content = await answer.text();
    assert.equal(answer.headers.get('content-type'), 'text/csv; charset=utf-8');
    assert.match(answer.headers.get('content-disposition') ?? '', /^attachment; filename="statement-w_/);
    assert.equal(Buffer.byteLength(content), bytes);
    const { hash } = body['closing'] as { hash: string };
    assert.ok(content.includes(',charge,12.34,') && content.includes(hash));

    assert.equal((await other.ask(path)).body['code'], 'statement_not_found');
    const changed = new URL(url);
    changed.pathname = changed.pathname.replace('/files/', '/first/');
    const late = url.replace(/X-Amz-Expires=\d+/, 'X-Amz-Expires=86400');
    const [unsigned = ''] = url.split('?');
    for (const link of [changed.href, late, unsigned]) assert.equal((await fetch(link)).status, 403, link);
  });
});
