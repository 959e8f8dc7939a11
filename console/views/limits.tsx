import { useState } from 'preact/hooks';
import type { Wallet, WalletLimits } from '../../client/src/index.ts';
import { allows, useDesk } from '../context.ts';
import { CommandForm, Field } from '../form.tsx';
import type { Values } from '../form.tsx';
import { useCommand } from '../load.ts';
import { amountIn, amountText, decimalsOf } from '../money.ts';
import { Amount, Empty, Section, Table, Time } from '../parts.tsx';

type LimitValues = WalletLimits['limits'];

const names = [
  ['out.perTransaction', 'Out, each'],
  ['out.perDay', 'Out, a day'],
  ['out.perMonth', 'Out, a month'],
  ['in.perTransaction', 'In, each'],
  ['in.perDay', 'In, a day'],
  ['in.perMonth', 'In, a month'],
  ['minimumBalance', 'Least balance'],
  ['creditLine', 'Credit line'],
  ['maximumBalance', 'Most balance'],
] as const;

/** The limits of a wallet, with what is used of them, and for operators with `decide` the way to set them. */
export function Limits({ wallet, onChange }: { readonly wallet: Wallet; readonly onChange: () => void }) {
  const { session } = useDesk();
  const { limits = {}, limitWindows: windows = [], lastLimitsChange: change, currency } = wallet;
  const rows = names.flatMap(([name, label]) => {
    const most = valueOf(limits, name);
    if (most === undefined) return [];
    const used = windows.find((window) => window.limit === name);
    return [
      {
        key: name,
        cells: [
          label,
          <Amount amount={most} currency={currency} />,
          used ? <Amount amount={used.used} currency={currency} /> : '–',
          used ? <Amount amount={used.left} currency={currency} /> : '–',
        ],
      },
    ];
  });
  return (
    <Section title="Limits">
      {rows.length === 0 ? (
        <Empty>No limits: what moves is bound by the balance only.</Empty>
      ) : (
        <Table label="Limits" columns={['Limit', 'Most', 'Used', 'Left']} rows={rows} />
      )}
      {change && (
        <p class="hint">
          Set <Time at={change.at} />
          {change.actor && (
            <>
              {' '}
              by <bdi>{change.actor.principal}</bdi>
            </>
          )}
          {change.reason !== undefined && `: ${change.reason}`}
        </p>
      )}
      {allows(session, 'decide') && wallet.status !== 'closed' && (
        <details>
          <summary>Set the limits</summary>
          <LimitsForm wallet={wallet} onChange={onChange} />
        </details>
      )}
    </Section>
  );
}

function LimitsForm({ wallet, onChange }: { readonly wallet: Wallet; readonly onChange: () => void }) {
  const { client } = useDesk();
  const { currency, limits = {} } = wallet;
  const [wrong, setWrong] = useState<string>();
  // The version that the operator has seen: a change by another operator in between is refused.
  const version = wallet.lastLimitsChange?.version ?? 0;
  const command = useCommand(
    `limits ${wallet.walletId}`,
    (body: { readonly reason: string; readonly limits: LimitValues; readonly version: number }, options) =>
      client.wallet(wallet.walletId).setLimits(body, options),
    () => 'The limits are set.',
  );
  const send = ({ reason = '', ...texts }: Values): void => {
    const read = readLimits(texts, currency);
    setWrong(typeof read === 'string' ? read : undefined);
    if (typeof read !== 'string') void command.send({ reason, limits: read, version }).then(onChange);
  };
  return (
    <CommandForm label="Set the limits" button="Replace the limits" command={command} wrong={wrong} onSend={send}>
      <p class="hint">These replace all limits of the wallet. An empty field is no limit.</p>
      {names.map(([name, label]) => {
        const most = valueOf(limits, name);
        const value = most === undefined ? '' : amountText(most, currency).replace(/ [A-Z]+$/, '');
        return <Field key={name} label={`${label} (${currency})`} name={name} value={value} inputMode="decimal" />;
      })}
      <Field label="Reason for the limits" name="reason" required maxLength={128} />
    </CommandForm>
  );
}

function valueOf(limits: LimitValues, name: (typeof names)[number][0]): number | undefined {
  const [group, member] = name.split('.') as [keyof LimitValues, string | undefined];
  const value = limits[group];
  if (typeof value === 'object') return value[member as keyof typeof value];
  return value;
}

/** Returns the limits in the texts of the form; the words about the first text that is no amount. */
function readLimits(texts: Values, currency: string): LimitValues | string {
  const groups: Record<string, Record<string, number> | number> = {};
  for (const [name, label] of names) {
    const text = texts[name] ?? '';
    if (text === '') continue;
    const amount = /^0+(\.0*)?$/.test(text) ? 0 : amountIn(text, currency);
    if (amount === undefined) return `${label}: write an amount with up to ${decimalsOf(currency)} decimals.`;
    const [group = '', member] = name.split('.');
    if (member === undefined) groups[group] = amount;
    else groups[group] = { ...(groups[group] as Record<string, number> | undefined), [member]: amount };
  }
  return groups;
}
