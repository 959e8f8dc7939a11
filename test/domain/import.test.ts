/** What is read from files to import, and what is refused, with its line and a code. */
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { checkFile } from '../import-files.ts';
import type { Given } from '../import-files.ts';

const date = '2025-01-01T00:00:00Z';
const lines = (...records: readonly object[]) => records.map((one) => `${JSON.stringify(one)}\n`).join('');
const walletA = { kind: 'wallet', id: 'a', ownerId: 'ann', currency: 'EUR' };
const walletB = { kind: 'wallet', id: 'b', ownerId: 'bob', currency: 'EUR' };
const charge = (id: string, amount: unknown, more: object = {}) => ({
  kind: 'charge',
  id,
  wallet: 'a',
  amount,
  date,
  ...more,
});

describe('lines of JSON', () => {
  it.each<[string, readonly object[], string[]]>([
    ['an unknown kind', [{ ...walletA, kind: 'account' }], ['unknown_kind 1']],
    ['a member that is missing', [{ ...walletA, ownerId: undefined }], ['missing_member 1']],
    ['a member that no kind has', [{ ...walletA, balance: 5 }], ['bad_member 1']],
    ['a text that is too long', [{ ...walletA, ownerId: 'x'.repeat(129) }], ['bad_member 1']],
    ['no currency', [{ ...walletA, currency: 'euro' }], ['bad_currency 1']],
    ['a wallet id of another currency', [{ ...walletA, walletId: `w_usd_${'a'.repeat(26)}` }], ['bad_member 1']],
    ['an amount of 0', [walletA, charge('c', 0)], ['bad_amount 2']],
    ['a kind that is no text', [{ ...walletA, kind: { toString: 1 } }], ['unknown_kind 1']],
    ['a negative amount', [walletA, charge('c', -5)], ['bad_amount 2']],
    ['a part of a minor unit', [walletA, charge('c', 1.5)], ['bad_amount 2']],
    ['an amount that JSON rounds', [walletA, charge('c', 2 ** 53)], ['bad_amount 2']],
    ['an amount without digits', [walletA, charge('c', '1e3')], ['bad_amount 2']],
    ['no date', [walletA, charge('c', 1, { date: undefined })], ['missing_member 2']],
    ['a day that is none', [walletA, charge('c', 1, { date: '2025-02-30T00:00:00Z' })], ['bad_date 2']],
    ['a time without an offset', [walletA, charge('c', 1, { date: '2025-02-03T00:00:00' })], ['bad_date 2']],
    ['a time in the future', [walletA, charge('c', 1, { date: '2026-03-01T12:00:00.001Z' })], ['future_date 2']],
    ['an unknown wallet', [charge('c', 1)], ['unknown_wallet 1']],
    ['another currency', [walletA, charge('c', 1, { currency: 'USD' })], ['currency_mismatch 2']],
    [
      'a transfer into another currency',
      [
        walletA,
        { ...walletB, currency: 'USD' },
        charge('c', 5),
        { ...charge('t', 5), kind: 'transfer', toWallet: 'b' },
      ],
      ['currency_mismatch 4'],
    ],
    ['a transfer to itself', [walletA, { ...charge('t', 5), kind: 'transfer', toWallet: 'a' }], ['same_wallet 2']],
    ['an id twice', [walletA, charge('c', 1), charge('c', 2)], ['duplicate_id 3']],
    ['a wallet twice', [walletA, { ...walletA, ownerId: 'bob' }], ['duplicate_id 2']],
    ['more than there is', [walletA, charge('c', 5), { ...charge('w', 6), kind: 'debit' }], ['below_zero 3']],
    [
      'more than there is at its date',
      [walletA, charge('c', 5), { ...charge('w', 5), kind: 'withdrawal', date: '2024-12-31' }],
      ['below_zero 3'],
    ],
    ['more than a wallet holds', [walletA, charge('c', Number.MAX_SAFE_INTEGER), charge('d', 1)], ['too_large 3']],
    ['a date before its wallet', [{ ...walletA, date: '2025-01-02' }, charge('c', 1)], ['before_wallet 2']],
    [
      'an opening balance after a transaction',
      [walletA, charge('c', 1), { kind: 'opening', wallet: 'a', amount: 5, date: '2025-01-02' }],
      ['opening_not_first 3'],
    ],
  ])('%s is refused', async (_what, records, expected) => {
    assert.deepEqual((await checkFile(lines(...records))).found, expected);
  });

  it('are read with any line ends, a byte order mark, numbers as ids, and in any order', async () => {
    const content = [charge('7', '500', { id: 7 }), walletA, charge('8', 20), walletA]
      .map((one) => JSON.stringify(one))
      .join('\r\n\r\n');
    const { found, balances, sums, repeated, wallets } = await checkFile(`\ufeff${content}`, { size: 3 });
    assert.deepEqual([found, balances, sums, repeated], [[], { a: 520 }, { 'EUR charge': '2 of 520' }, 1]);
    assert.deepEqual(wallets, [['a', 'ann', 'EUR', '2025-01-01T00:00:00.000Z']]);
  });

  it('are ordered within a millisecond, as databases write times', async () => {
    const out = { ...charge('w', 5), kind: 'withdrawal', date: '2025-01-01 10:00:00.123457+00' };
    const { found } = await checkFile(lines(walletA, out, charge('c', 5, { date: '2025-01-01 11:00:00.123456+01' })));
    assert.deepEqual(found, []);
  });

  it('that are broken or too long are refused, and the next one is read', async () => {
    const content = `{"kind":\n[1]\n${JSON.stringify({ ...walletA, name: 'x'.repeat(1_100_000) })}\n${lines(walletA)}`;
    for (const size of [10_007, 100_000]) {
      const { found, wallets } = await checkFile(content, { size });
      assert.deepEqual(found, ['bad_json 1', 'bad_json 2', 'line_too_long 3']);
      assert.equal(wallets.length, 1);
    }
  });

  it.each(['9007199254740990.7', '1050.0000000000000001'])('the amount %s is not rounded', async (amount) => {
    const content = lines(walletA, charge('c', 0)).replace('"amount":0', `"amount":${amount}`);
    assert.deepEqual((await checkFile(content)).found, ['bad_amount 2']);
  });

  it('keep numbers of any length as ids', async () => {
    const content = lines(walletA, charge('1', 5), charge('2', 5))
      .replace('"id":"1"', '"id":9007199254740992')
      .replace('"id":"2"', '"id":9007199254740993');
    const { found, balances, repeated } = await checkFile(content);
    assert.deepEqual([found, balances, repeated], [[], { a: 10 }, 0]);
  });

  it('that are not UTF-8 or not there are refused', async () => {
    assert.deepEqual((await checkFile(Buffer.from([0x7b, 0xff, 0x0a]))).found, ['bad_encoding 1']);
    assert.deepEqual((await checkFile('\n\n')).found, ['empty_file 1']);
  });
});

describe('amounts in major units', () => {
  it.each<[string | number, string, number | 'refused']>([
    ['10.50', 'EUR', 1_050],
    [10.5, 'EUR', 1_050],
    ['10.5000', 'EUR', 1_050],
    ['10.505', 'EUR', 'refused'],
    ['1000', 'JPY', 1_000],
    ['1000.5', 'JPY', 'refused'],
    ['1.234', 'BHD', 1_234],
    ['1,000.00', 'EUR', 'refused'],
    [100_000_000_000_000.5, 'EUR', 'refused'],
    [900_719_925_474.25, 'EUR', 90_071_992_547_425],
    ['90071992547409.92', 'EUR', 'refused'],
    ['90071992547409.91', 'EUR', 9_007_199_254_740_991],
    ['.5', 'EUR', 'refused'],
    ['NaN', 'EUR', 'refused'],
  ])('%s %s is %s', async (amount, currency, expected) => {
    const { found, balances } = await checkFile(lines({ ...walletA, currency }, charge('c', amount, { currency })), {
      amounts: 'major',
    });
    assert.deepEqual([found, balances['a']], expected === 'refused' ? [['bad_amount 2'], 0] : [[], expected]);
  });

  it('need a currency on their line', async () => {
    const { found } = await checkFile(lines(walletA, charge('c', '1.00')), { amounts: 'major' });
    assert.deepEqual(found, ['missing_member 2']);
  });
});

describe('CSV', () => {
  const csv = (content: string, given: Given = {}) => checkFile(content, { name: 'file.csv', ...given });
  const header = 'kind,id,wallet,toWallet,ownerId,currency,amount,date,description,metadata.plan';

  it('has the names of members in its first record', async () => {
    const content = `\ufeff${header}\r\nwallet,a,,,ann,EUR,,,,gold\r\ncharge,c,a,,,,1050,2025-01-01,"a ""top-up"", paid",\r\n`;
    const { found, balances } = await csv(content, { size: 5 });
    assert.deepEqual([found, balances], [[], { a: 1_050 }]);
  });

  it('is refused with its line', async () => {
    assert.deepEqual((await csv('kind,balance\n')).found, ['unknown_column 1']);
    assert.deepEqual((await csv(`${header},amount\n`)).found, ['unknown_column 1']);
    assert.deepEqual((await csv(`${header}\nwallet,a\n`)).found, ['bad_record 2']);
    assert.deepEqual((await csv(`${header}\nwallet,a,,,ann,EUR,,,"x,\n`)).found, ['bad_record 2']);
    assert.deepEqual((await csv(`${header}\n"${'x'.repeat(1_100_000)}"\n`)).found.length, 1);
  });

  it('may have one column for several members', async () => {
    const columns = { kind: 'k', ownerId: 'nr', id: 'nr' };
    const mapping = { columns, metadata: { number: 'nr' }, constants: { currency: 'EUR' } };
    const { found, wallets } = await csv('k,nr,x,x\nwallet,1,,\n', { mapping });
    assert.deepEqual([found, wallets.map(([ref, owner]) => [ref, owner])], [[], [['1', '1']]]);
    assert.deepEqual((await csv('k,nr,nr\nwallet,1,2\n', { mapping })).found, ['unknown_column 1']);
  });

  it('is read by a mapping of its columns', async () => {
    const mapping = {
      delimiter: ';',
      columns: { kind: 'Typ', id: 'Nr', wallet: 'Konto', amount: 'Betrag', date: 'Tag' },
      metadata: { shop: 'Laden' },
      constants: { currency: 'EUR' },
      kinds: { charge: ['Gutschrift'], withdrawal: ['Auszahlung', 'Lastschrift'] },
      amounts: 'major',
      decimalMark: ',',
      encoding: 'windows-1252',
    };
    const content = Buffer.from('Nr;Tag;Typ;Konto;Betrag;Laden;x\n1;2025-01-01;Gutschrift;a;10,50;Käse;\n', 'latin1');
    assert.deepEqual((await checkFile(content, { name: 'file.csv', mapping })).found, ['unknown_wallet 2']);
    const broken = { ...mapping, encoding: 'utf-8' };
    assert.deepEqual((await checkFile(content, { name: 'file.csv', mapping: broken })).found, ['bad_encoding 1']);
    await assert.rejects(csv('', { mapping: { columns: { balance: 'x' } } }), /it is not valid/);
  });
});

describe('what the other system has', () => {
  const content = lines(walletA, charge('c', '10.50', { currency: 'EUR' }), charge('d', '2', { currency: 'EUR' }));
  const check = (expected: object, text = content) =>
    checkFile(text, { amounts: 'major', expected: { 'file.jsonl': expected } });

  it('is compared with the lines and the sums of each file', async () => {
    assert.deepEqual((await check({ lines: 3, sums: { EUR: '12.5' } })).found, []);
    assert.deepEqual((await check({ lines: 3 })).found, []);
    const cut = content.slice(0, content.trimEnd().lastIndexOf('\n') + 1);
    assert.deepEqual((await check({ lines: 3 }, cut)).details, ['it has 2 lines, and must have 3']);
    const sum = await check({ lines: 2, sums: { EUR: '12.5' } }, cut);
    assert.deepEqual(sum.found, ['totals_differ 2']);
    assert.deepEqual(sum.details, ['its amounts add up to 10.50 EUR, and must to 12.5']);
  });

  it('differs by a currency that one side lacks, and by a sum that is none', async () => {
    assert.deepEqual((await check({ lines: 3, sums: {} })).found, ['totals_differ 3']);
    assert.deepEqual((await check({ lines: 3, sums: { EUR: '12.50', USD: '1' } })).found, ['totals_differ 3']);
    assert.deepEqual((await check({ lines: 3, sums: { EUR: '12,50' } })).found, ['totals_differ 3']);
    await assert.rejects(check({ lines: '3' }), /it is not valid/);
  });

  it('counts a line that repeats an earlier one, and sums beyond 2^53', async () => {
    const most = Number.MAX_SAFE_INTEGER;
    const many = lines(walletA, { ...walletB, currency: 'EUR' }, charge('c', most), charge('c', most), {
      ...charge('d', most),
      wallet: 'b',
    });
    const expected = { 'file.jsonl': { lines: 5, sums: { EUR: String(3n * BigInt(most)) } } };
    const { found, repeated, sums } = await checkFile(many, { expected });
    assert.deepEqual([found, repeated, sums], [[], 1, { 'EUR charge': `2 of ${2n * BigInt(most)}` }]);
  });
});

describe('the export of a Formance ledger', () => {
  const accounts = /^users:(?<owner>[^:]+):main$/u;
  const log = (id: number, postings: readonly object[], type = 'NEW_TRANSACTION', reference?: string) => ({
    ...{ type, date: '2025-03-01T10:00:00.5Z', idempotencyKey: '', idempotencyHash: '', id, hash: 'aGFzaA==' },
    data: {
      ...(type === 'REVERTED_TRANSACTION' && { revertedTransactionID: 1 }),
      transaction: {
        ...{ postings, metadata: {}, timestamp: '2025-02-01T10:00:00.123456Z', id, reverted: false },
        ...(reference !== undefined && { reference }),
      },
      accountMetadata: {},
    },
  });
  const posting = (source: string, destination: string, amount: number, asset = 'USD/2') => ({
    ...{ source, destination, amount, asset },
  });

  it('makes wallets of accounts, and movements of postings', async () => {
    const content = lines(
      log(0, [posting('world', 'users:1:main', 10_000)], 'NEW_TRANSACTION', 'deposit-1'),
      {
        type: 'SET_METADATA',
        data: { targetType: 'ACCOUNT', targetId: 'users:1:main', metadata: { a: 'b' } },
        date,
        id: 1,
      },
      log(2, [posting('users:1:main', 'users:2:main', 3_000), posting('users:1:main', 'platform:fees', 50)]),
      log(3, [posting('users:2:main', 'payouts:stripe', 1_000), posting('platform:fees', 'world', 50)]),
      log(4, [posting('payouts:stripe', 'users:2:main', 1_000)], 'REVERTED_TRANSACTION'),
      log(5, [posting('world', 'users:1:main', 500, 'JPY')]),
    );
    const { found, balances, sums, wallets } = await checkFile(content, { accounts });
    assert.deepEqual(found, []);
    assert.deepEqual(balances, { 'users:1:main JPY': 500, 'users:1:main USD': 6_950, 'users:2:main USD': 3_000 });
    assert.deepEqual(sums, {
      'JPY charge': '1 of 500',
      'USD charge': '2 of 11000',
      'USD transfer': '1 of 3000',
      'USD withdrawal': '2 of 1050',
    });
    assert.deepEqual(wallets[1], ['users:1:main USD', '1', 'USD', '2025-02-01T10:00:00.123Z']);
  });

  it('may have a time before that of an earlier line', async () => {
    const late = JSON.stringify(log(1, [posting('world', 'users:1:main', 7)])).replace('2025-02-01', '2025-01-15');
    const content = `${lines(log(0, [posting('world', 'users:1:main', 5)]))}${late}\n`;
    const { found, wallets } = await checkFile(content, { accounts });
    assert.deepEqual([found, wallets[0]?.[3]], [[], '2025-01-15T10:00:00.123Z']);
  });

  it('does not take two long ids for one, and refuses an amount without digits', async () => {
    const charges = [0, 1].map((id) => log(id, [posting('world', 'users:1:main', 5)]));
    const content = lines(...charges).replaceAll(
      /("reverted":false|"id":)([01])(?=,"reverted)/g,
      '$19007199254740992$2',
    );
    assert.match(content, /90071992547409921/);
    const { found, balances, repeated } = await checkFile(content, { accounts });
    assert.deepEqual([found, balances, repeated], [[], { 'users:1:main USD': 10 }, 0]);
    const empty = lines(log(0, [posting('world', 'users:1:main', 5)])).replace('"amount":5', '"amount":""');
    assert.deepEqual((await checkFile(empty, { accounts })).found, ['bad_amount 1']);
  });

  it('is refused where an asset is no currency, or a line is no log', async () => {
    const content = lines(
      log(0, [posting('world', 'users:1:main', 1, 'USD/4')]),
      log(1, [posting('world', 'users:1:main', 1, 'COIN')]),
      { kind: 'wallet' },
      { type: 'NEW_TRANSACTION', data: {} },
    );
    const { found } = await checkFile(content, { accounts });
    assert.deepEqual(found, ['bad_currency 1', 'bad_currency 2', 'unknown_kind 3', 'bad_member 4']);
  });
});
