/** The operations of aliases. */
import type { WalletName } from './history.ts';
import { alice, asked, bob, currency, operation } from './operation.ts';
import type { Operation, Part } from './operation.ts';

const alias = 'acme';
const second: WalletName = { principal: 'bob', key: 'wallet-2', currency };
const open: Part = { at: 2_000, principal: 'bob', key: 'wallet-2', action: { do: 'create-wallet', currency } };
const claim = (at: number, wallet: WalletName, text: string | null = alias, more: Partial<Part> = {}): Part => ({
  ...{ at, principal: wallet.principal, key: `claim-${at}` },
  action: { do: 'change-wallet', wallet, name: 'Shop', alias: text },
  ...more,
});
const pay = (at: number, more: { queued?: boolean; executeAt?: number } = {}, key = `pay-${at}`): Part => ({
  ...{ at, key },
  action: { do: 'transfer', wallet: alice, to: bob, alias, amount: 100, queued: false, ...more },
});

export const aliasOperations: readonly Operation[] = [
  operation('take an alias', [claim(5_000, bob)]),
  operation('take an alias, side by side', [claim(5_000, bob), claim(5_000, alice), claim(9_000, alice)]),
  operation('take an alias that another owner has removed', [
    claim(5_000, bob),
    claim(6_000, bob, null),
    claim(7_000, alice),
  ]),
  operation('take another alias, and the one before again', [
    claim(5_000, bob),
    claim(6_000, bob, 'bob'),
    claim(7_000, bob, alias),
  ]),
  operation('pay by an alias', [claim(4_000, bob), pay(5_000)]),
  operation('pay by an alias that nobody has', [pay(5_000), claim(9_000, bob)]),
  operation('pay by an alias that was removed', [claim(4_000, bob), claim(4_500, bob, null), pay(5_000)]),
  operation('pay by an alias, queued', [claim(4_000, bob), pay(5_000, { queued: true })]),
  operation('pay by an alias that nobody has, queued', [pay(5_000, { queued: true })]),
  operation('pay by an alias twice with one key, while it moves to another wallet', [
    open,
    claim(4_000, bob),
    pay(5_000, {}, asked.key),
    claim(5_000, bob, null),
    claim(6_000, second),
    pay(7_000, {}, asked.key),
  ]),
  operation('pay by an alias at a time, after it moved to another wallet', [
    open,
    claim(4_000, bob),
    pay(5_000, { queued: true, executeAt: 100_000 }),
    claim(6_000, bob, null),
    claim(7_000, second),
    { at: 101_000, action: { do: 'sweep' } },
  ]),
];
