import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { Wallet } from '../../client/src/index.ts';
import { useDesk } from '../context.ts';
import { amountHint, CommandForm, Field, Select } from '../form.tsx';
import type { Values } from '../form.tsx';
import { useCommand } from '../load.ts';
import { amountIn } from '../money.ts';
import { Heading, Section, TransactionLink, WalletLink } from '../parts.tsx';

/** Buttons that make test wallets and payments. Only the runner has them: its bank is simulated. */
export function Try() {
  const [wallets, setWallets] = useState<readonly string[]>([]);
  const add = ({ walletId }: Wallet): void => {
    setWallets((before) => [walletId, ...before.filter((one) => one !== walletId)]);
  };
  return (
    <>
      <Heading title="Try">Try</Heading>
      <p class="notice waiting">Test money of this machine: the bank is simulated, and no money leaves it.</p>
      <div class="columns">
        <OpenWallet onOpen={add} />
        <Charge wallets={wallets} />
        <Withdraw wallets={wallets} />
        <Transfer wallets={wallets} />
      </div>
    </>
  );
}

function OpenWallet({ onOpen }: { readonly onOpen: (wallet: Wallet) => void }) {
  const { client } = useDesk();
  const [opened, setOpened] = useState<string>();
  const command = useCommand(
    'open',
    (body: { readonly currency: string; readonly ownerId: string }, options) => client.openWallet(body, options),
    () => 'Opened.',
  );
  const send = ({ ownerId = '', currency = '' }: Values): void => {
    void command.send({ ownerId, currency }).then((wallet) => {
      if (!wallet) return;
      setOpened(wallet.walletId);
      onOpen(wallet);
    });
  };
  return (
    <Section title="Open a wallet">
      <CommandForm label="Open a wallet" button="Open" command={command} onSend={send}>
        <Field label="Owner" name="ownerId" value="alice" required />
        <Field label="Currency" name="currency" value="USD" required maxLength={3} pattern="[A-Z]{3}" />
      </CommandForm>
      {opened !== undefined && <WalletLink walletId={opened} />}
    </Section>
  );
}

interface PaymentProps {
  readonly wallets: readonly string[];
}

function Charge({ wallets }: PaymentProps) {
  const { client } = useDesk();
  return (
    <Payment
      title="Charge"
      button="Charge"
      wallets={wallets}
      amount="100.00"
      pay={({ walletId = '' }, amount, options) => client.wallet(walletId).charge({ amount }, options)}
    />
  );
}

/** The destinations with fixed behaviour, each with what the bank does. */
const destinations = [
  ['SIM-OK', 'SIM-OK: paid'],
  ['SIM-FLAKY', 'SIM-FLAKY: refused twice, then paid'],
  ['SIM-REJECT', 'SIM-REJECT: rejected'],
  ['SIM-BARE-503', 'SIM-BARE-503: fails twice, then paid'],
  ['SIM-TIMEOUT-PAID', 'SIM-TIMEOUT-PAID: paid, and the answer is lost'],
  ['SIM-TIMEOUT-LOST', 'SIM-TIMEOUT-LOST: lost, then paid'],
  ['SIM-PROCESSING', 'SIM-PROCESSING: no end, so it comes to review'],
  ['SIM-DOWN', 'SIM-DOWN: refused for ever'],
] as const;

function Withdraw({ wallets }: PaymentProps) {
  const { client } = useDesk();
  return (
    <Payment
      title="Withdraw"
      button="Withdraw"
      wallets={wallets}
      amount="20.00"
      pay={({ walletId = '', account = '' }, amount, options) =>
        client.wallet(walletId).withdraw({ amount, destination: { account } }, options)
      }
    >
      <Select label="Destination" name="account" options={destinations} />
    </Payment>
  );
}

function Transfer({ wallets }: PaymentProps) {
  const { client } = useDesk();
  return (
    <Payment
      title="Transfer"
      button="Transfer"
      wallets={wallets}
      amount="30.00"
      pay={({ walletId = '', toWalletId = '' }, amount, options) =>
        client.wallet(walletId).transfer({ amount, toWalletId }, options)
      }
    >
      <Field label="To wallet" name="toWalletId" required list={wallets} />
    </Payment>
  );
}

function Payment(props: {
  readonly title: string;
  readonly button: string;
  readonly wallets: readonly string[];
  readonly amount: string;
  readonly pay: (
    values: Values,
    amount: number,
    options: { readonly key?: string | undefined },
  ) => Promise<{ readonly transactionId: string; readonly status: string }>;
  readonly children?: ComponentChildren;
}) {
  const { title, button, wallets, pay } = props;
  const [made, setMade] = useState<string>();
  const [wrong, setWrong] = useState<string>();
  const command = useCommand(
    title,
    ({ amount, ...values }: { readonly amount: number } & Record<string, string | number>, options) =>
      pay(values as unknown as Values, amount, options),
    ({ status }) => `It is ${status}.`,
  );
  const send = ({ amount: text = '', ...values }: Values): void => {
    const currency = /^w_([a-z]{3})_/.exec(values['walletId'] ?? '')?.[1]?.toUpperCase() ?? 'USD';
    const amount = amountIn(text, currency);
    setWrong(amount === undefined ? amountHint(currency) : undefined);
    if (amount === undefined) return;
    void command.send({ ...values, amount }).then((transaction) => {
      if (transaction) setMade(transaction.transactionId);
    });
  };
  return (
    <Section title={title}>
      <CommandForm label={title} button={button} command={command} wrong={wrong} onSend={send}>
        <Field
          key={wallets[0] ?? 'none'}
          label="Wallet"
          name="walletId"
          value={wallets[0] ?? ''}
          required
          list={wallets}
        />
        {props.children}
        <Field label="Amount" name="amount" value={props.amount} required inputMode="decimal" />
      </CommandForm>
      {made !== undefined && <TransactionLink transactionId={made} />}
    </Section>
  );
}
