import { useState } from 'preact/hooks';
import type { Transaction } from '../../client/src/index.ts';
import { allows, useDesk } from '../context.ts';
import { Check, CommandForm, Field, partOf } from '../form.tsx';
import type { Values } from '../form.tsx';
import { useCommand, useLoad } from '../load.ts';
import { amountText } from '../money.ts';
import { Amount, Answer, Cards, Empty, Facts, Section, Time, TransactionLink, WalletLink } from '../parts.tsx';

const mostHolds = 50;

interface HoldProps {
  readonly hold: Transaction;
  readonly onChange: () => void;
}

/** The money that the wallet has promised, with the forms that take it or give it back. */
export function OpenHolds({ walletId, onChange }: { readonly walletId: string; readonly onChange: () => void }) {
  const { client } = useDesk();
  const holds = useLoad(
    `holds ${walletId}`,
    (signal) => client.wallet(walletId).transactions({ type: 'hold', status: 'open', limit: mostHolds, signal }).page(),
    () => 5_000,
  );
  const change = (): void => {
    holds.reload();
    onChange();
  };
  return (
    <Section title="Open holds" aside={<p>Up to {mostHolds}, asked every 5 s</p>}>
      <Answer loaded={holds} label="open holds">
        {({ items }) => (
          <Cards
            items={items}
            keyOf={({ transactionId }) => transactionId}
            empty="Nothing is held for a purchase. A withdrawal that has not ended holds money, too."
            card={(hold) => <HoldCard hold={hold} onChange={change} />}
          />
        )}
      </Answer>
    </Section>
  );
}

function HoldCard({ hold, onChange }: HoldProps) {
  const { amount, captured = 0, currency, counterpartyWalletId: receiver, expiresAt } = hold;
  return (
    <>
      <Facts
        facts={[
          ['Hold', <TransactionLink transactionId={hold.transactionId} />],
          ['Amount', <Amount amount={amount} currency={currency} />],
          ['Captured', <Amount amount={captured} currency={currency} />],
          ['Receiver', hold.to ?? (receiver === undefined ? 'the world outside' : <WalletLink walletId={receiver} />)],
          ['Expires', expiresAt && <Time at={expiresAt} />],
        ]}
      />
      <details>
        <summary>Capture or release</summary>
        <HoldForms hold={hold} onChange={onChange} />
      </details>
    </>
  );
}

/** The ways to end an open hold, as far as the deployment and the token have them. */
export function HoldForms({ hold, onChange }: HoldProps) {
  const { session, settings } = useDesk();
  if (!settings.features.includes('holds')) {
    return <Empty>This service has no routes of holds: it waits for its end.</Empty>;
  }
  return (
    <div class="columns">
      {allows(session, 'operate') ? (
        <CaptureForm hold={hold} onChange={onChange} />
      ) : (
        <Empty>An operator with the scope operate captures it.</Empty>
      )}
      {allows(session, 'support') && <ReleaseForm hold={hold} onChange={onChange} />}
    </div>
  );
}

function CaptureForm({ hold, onChange }: HoldProps) {
  const { client } = useDesk();
  const [wrong, setWrong] = useState<string>();
  const { amount, captured = 0, currency } = hold;
  const left = amount - captured;
  const command = useCommand(
    `capture ${hold.transactionId}`,
    (body: { readonly amount?: number; readonly final?: true }, options) =>
      client.hold(hold.transactionId).capture(body, options),
    ({ amount: taken }) => `Captured: ${amountText(taken, currency)} has moved.`,
  );
  const send = ({ amount: text = '', final }: Values): void => {
    const part = partOf(text, left, currency);
    setWrong('wrong' in part ? part.wrong : undefined);
    if ('wrong' in part) return;
    void command.send({ ...part, ...(final === 'on' && { final: true }) }).then((done) => {
      if (done) onChange();
    });
  };
  return (
    <CommandForm
      label={`Capture ${hold.transactionId}`}
      button="Capture"
      kind="danger"
      command={command}
      wrong={wrong}
      isOnce
      onSend={send}
    >
      <Field
        label={`Amount to capture (${currency})`}
        name="amount"
        inputMode="decimal"
        hint={`Empty: all that is left, ${amountText(left, currency)}. The receiver gets it.`}
      />
      <Check name="final" label="End the hold: the payer gets back what is left after this" />
    </CommandForm>
  );
}

function ReleaseForm({ hold, onChange }: HoldProps) {
  const { client } = useDesk();
  const command = useCommand(
    `release ${hold.transactionId}`,
    (reason: string, options) => client.hold(hold.transactionId).release(reason === '' ? {} : { reason }, options),
    () => 'Released: the payer has the money back.',
  );
  return (
    <CommandForm
      label={`Release ${hold.transactionId}`}
      button="Release"
      kind="danger"
      command={command}
      onSend={({ reason = '' }) =>
        void command.send(reason).then((done) => {
          if (done) onChange();
        })
      }
    >
      <Field
        label="Reason to release"
        name="reason"
        maxLength={256}
        hint="Ends the hold. Its receiver relies on the money."
      />
    </CommandForm>
  );
}
