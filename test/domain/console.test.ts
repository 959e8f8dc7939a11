/** The pure parts of the console: amounts, spans and the life of a transaction. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from '@jest/globals';
import * as fc from 'fast-check';
import type { Transaction } from '../../client/src/index.ts';
import { routeOf } from '../../console/address.ts';
import { changesIn, linesOf } from '../../console/metadata.ts';
import { amountIn, amountText } from '../../console/money.ts';
import { spanText } from '../../console/time.ts';
import { isAtEnd, stepsOf } from '../../console/timeline.ts';

describe('amounts', () => {
  it('have the decimals of their currency', () => {
    assert.equal(amountText(123_450, 'USD'), '1,234.50 USD');
    assert.equal(amountText(-5, 'USD'), '-0.05 USD');
    assert.equal(amountText(120_000, 'JPY'), '120,000 JPY');
    assert.equal(amountText(1_234, 'KWD'), '1.234 KWD');
  });

  it('are exact as texts, and marked where a number has lost digits', () => {
    assert.equal(amountText(900_719_925_474_099_312_345n, 'USD'), '9,007,199,254,740,993,123.45 USD');
    assert.equal(amountText(Number.MAX_SAFE_INTEGER, 'USD'), '90,071,992,547,409.91 USD');
    assert.match(amountText(2 ** 60, 'USD'), /^≈ /);
  });

  it('are read back as they are written, for every amount', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
        fc.constantFrom('USD', 'JPY', 'KWD'),
        (amount, currency) => {
          assert.equal(amountIn(amountText(amount, currency).replace(/ .*/, ''), currency), amount);
        },
      ),
    );
  });

  it('are refused where they are no amount above zero', () => {
    assert.equal(amountIn(' 20.5 ', 'USD'), 2_050);
    for (const text of ['', '0', '0.00', '-1', '1.234', '1e3', '1,23', '12,34.00', 'NaN', '90071992547409.92']) {
      assert.equal(amountIn(text, 'USD'), undefined, text);
    }
    assert.equal(amountIn('1.5', 'JPY'), undefined);
  });
});

describe('metadata', () => {
  it('of a wallet is lines, and what an operator leaves as it was changes nothing', () => {
    const names = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_.-]{0,39}$/);
    const texts = fc.stringMatching(/^\S(.{0,30}\S)?$/);
    fc.assert(
      fc.property(fc.dictionary(names, texts), (metadata) => {
        assert.deepEqual(changesIn(linesOf(metadata), metadata), {});
        assert.deepEqual(changesIn(linesOf(metadata), {}), { ...metadata });
        assert.deepEqual(
          changesIn('', metadata),
          Object.fromEntries(Object.keys(metadata).map((name) => [name, null])),
        );
      }),
    );
  });

  it('has only what was changed, and names a line that is none', () => {
    assert.deepEqual(changesIn('a: 2\n\n c : x: y ', { a: '1', b: '2', c: 'x: y' }), { a: '2', b: null });
    const wordsOf = (lines: string) => changesIn(lines) as string;
    assert.match(wordsOf('a'), /“name: text” on each line, not “a”/);
    assert.match(wordsOf('a:'), /not “a:”/);
    assert.match(wordsOf('a: 1\na: 2'), /a is there twice/);
    assert.equal(JSON.stringify(changesIn('__proto__: x')), '{"__proto__":"x"}');
  });
});

describe('an address', () => {
  it('is a part with an id, a search for any other text, or the home', () => {
    assert.deepEqual(routeOf('#/wallets/w_usd_a'), { name: 'wallet', id: 'w_usd_a' });
    for (const id of ['..', '.', '%2e%2e', 'a%2Fb', 'a?b', '%', '%E0%A4%A', 'a b']) {
      assert.equal(routeOf(`#/transactions/${id}`).name, 'search', id);
    }
    for (const hash of ['', '#', '#//x', '#/__proto__/x', '#/constructor/x', '#/wallets/']) {
      assert.deepEqual(routeOf(hash), { name: 'home' }, hash);
    }
  });
});

describe('spans', () => {
  it('have their two largest units', () => {
    const spans = [0, 850, 9_999, 65_000, 3_600_000, 90_061_000, -5].map(spanText);
    assert.deepEqual(spans, ['0.0 s', '0.8 s', '9.9 s', '1 min 5 s', '1 h', '1 d 1 h', '0.0 s']);
  });
});

const withdrawal: Transaction = {
  transactionId: 'tx_a',
  receiptCode: 'RCP-20260301-a',
  type: 'withdrawal',
  status: 'pending',
  amount: 2_000,
  currency: 'USD',
  walletId: 'w_usd_a',
  postings: [],
  createdAt: '2026-03-01T10:00:00.000Z',
  updatedAt: '2026-03-01T10:00:00.000Z',
};
const titlesOf = (transaction: Transaction) => stepsOf(transaction).map(({ title }) => title);

describe('the life of a transaction', () => {
  it('begins with its acceptance, and ends with what it waits for', () => {
    assert.deepEqual(titlesOf(withdrawal), ['Accepted: the money is held', 'Waits in its queue']);
    const waiting = { ...withdrawal, status: 'executing', waitingFor: 'wallet_frozen' };
    assert.equal(stepsOf(waiting).at(-1)?.detail, 'Its wallet is frozen.');
    assert.ok(!isAtEnd(waiting));
  });

  it('shows each visit to the bank in order, and the end with its time', () => {
    const attempts = [
      { at: '2026-03-01T10:00:01.000Z', submitted: true, outcome: 'not_accepted', reason: 'status 503' },
      { at: '2026-03-01T10:00:03.000Z', submitted: true, outcome: 'accepted' },
    ];
    const completedAt = '2026-03-01T10:00:03.500Z';
    const paid = { ...withdrawal, status: 'completed', attempts, completedAt, updatedAt: completedAt };
    assert.deepEqual(titlesOf(paid), [
      'Accepted: the money is held',
      'Visit 1 to the bank: payment submitted',
      'Visit 2 to the bank: payment submitted',
      'Completed after 3.5 s',
    ]);
    assert.equal(stepsOf(paid)[1]?.detail, 'it does not take the payment now (status 503)');
    assert.ok(isAtEnd(paid));
  });

  it('puts events of the bus among the steps, after what happened at the same time', () => {
    const steps = stepsOf(withdrawal, [{ type: 'withdrawal.accepted', at: withdrawal.createdAt }]);
    assert.deepEqual(
      steps.map(({ title }) => title),
      ['Accepted: the money is held', 'Event withdrawal.accepted was published', 'Waits in its queue'],
    );
  });

  it('shows a resolution with its evidence, and a scheduled payment before it moves money', () => {
    const resolution = {
      outcome: 'failed',
      evidence: 'statement 7',
      principal: 'olga',
      at: '2026-03-01T11:00:00.000Z',
    };
    const failure = { code: 'resolved_as_failed', message: 'not paid' };
    const completedAt = resolution.at;
    const resolved = { ...withdrawal, status: 'failed', resolution, failure, completedAt, updatedAt: completedAt };
    assert.deepEqual(titlesOf(resolved).slice(1), [
      'Resolved as not paid by olga',
      'Failed after 1 h: the money is back',
    ]);
    const scheduled = { ...withdrawal, status: 'scheduled', executeAt: '2026-04-01T00:00:00.000Z' };
    assert.deepEqual(titlesOf(scheduled), ['Scheduled: no money has moved', 'Waits for its time']);
  });
});

describe('the colours', () => {
  const style = readFileSync(join(import.meta.dirname, '..', '..', 'console', 'style.css'), 'utf8');
  const blocks = [...style.matchAll(/:root[^{]*\{([^}]*)\}/g)].map(([, block = '']) =>
    Object.fromEntries([...block.matchAll(/--([\w-]+): (#\w{6});/g)].map(([, name = '', color = '']) => [name, color])),
  );
  const [light, dark, chosenDark] = blocks as [Colours, Colours, Colours];

  it('are the same dark ones by the system and by choice', () => {
    assert.equal(blocks.length, 3);
    assert.deepEqual(chosenDark, dark);
  });

  it('have the contrast of WCAG AA, light and dark', () => {
    const pairs = [
      ...['text', 'soft', 'accent', 'bad'].flatMap((name) => [`${name}/ground`, `${name}/panel`]),
      ...['good', 'bad', 'waiting'].map((name) => `${name}/${name}-ground`),
      ...['on-accent/accent', 'text/plain-ground'],
    ];
    for (const colours of [light, dark]) {
      for (const pair of pairs) {
        const [front = '', back = ''] = pair.split('/').map((name) => colours[name]);
        const ratio = contrast(front, back);
        assert.ok(ratio >= 4.5, `${pair}: ${front} on ${back} is ${ratio.toFixed(2)}`);
      }
    }
  });
});

type Colours = Readonly<Record<string, string>>;

/** Returns the contrast of two colours, 1 to 21, as WCAG 2.2 defines it. */
function contrast(one: string, other: string): number {
  const luminance = (color: string): number => {
    const [red = 0, green = 0, blue = 0] = [1, 3, 5]
      .map((start) => parseInt(color.slice(start, start + 2), 16) / 255)
      .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}
