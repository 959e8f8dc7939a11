import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { bankIdOf } from '../../lambdas/bank/identity.ts';

describe('the id of a bank', () => {
  it('is the configured one', () => {
    for (const id of ['bank-1', '!', '~'.repeat(64), 'httpsbank']) assert.equal(bankIdOf(id), id);
  });

  it('comes from the host and path of the URL, so that the same bank keeps its id', () => {
    for (const url of [
      'https://bank.example/v1',
      'https://bank.example/v1/',
      'http://bank.example/v1//',
      'https://BANK.example:443/v1',
    ]) {
      assert.equal(bankIdOf(url), 'bank.example/v1');
    }
    assert.equal(bankIdOf('https://bank.example'), 'bank.example');
    assert.equal(bankIdOf('http://127.0.0.1:4000/'), '127.0.0.1:4000');
  });

  it('differs for two long URLs that differ only at their ends', () => {
    const long = (end: string) => `https://bank.example/${'path/'.repeat(20)}${end}`;
    const ids = ['a', 'b', 'a/b'].map((end) => bankIdOf(long(end)));
    assert.equal(new Set(ids).size, 3);
    for (const id of ids) assert.match(id, /^bank\.example\/[!-~]{34}~[0-9a-f]{16}$/);
    assert.equal(bankIdOf(long('a')), ids[0]);
  });

  it('is refused when it is empty, too long, or contains a space or a non-ASCII character', () => {
    for (const id of ['', 'x'.repeat(65), 'my bank', 'bänk', 'bank\n']) {
      assert.throws(() => bankIdOf(id), {
        message: `a bank's id must be 1 to 64 printable characters, received "${id}"`,
      });
    }
  });
});
