import { useState } from 'preact/hooks';
import type { Transaction } from '../../client/src/index.ts';
import { useDesk } from '../context.ts';
import { Check, CommandForm, Field, partOf } from '../form.tsx';
import type { Values } from '../form.tsx';
import { useCommand } from '../load.ts';
import { amountText } from '../money.ts';
import { TransactionLink } from '../parts.tsx';

/** Returns whether some money of a transaction can still be given back. The API decides; this only hides what it would refuse. */
export function isRefundable(transaction: Transaction): boolean {
  const { type, status, counterpartyWalletId } = transaction;
  if (status !== 'completed' || leftToRefund(transaction) <= 0) return false;
  return type === 'charge' || type === 'transfer' || (type === 'capture' && counterpartyWalletId !== undefined);
}

function leftToRefund({ amount, refunded = 0 }: Transaction): number {
  return amount - refunded;
}

interface RefundBody {
  readonly reason: string;
  readonly amount?: number;
  readonly chargeback?: true;
}

/** Gives back a part of a transaction, or all of it. */
export function RefundForm(props: { readonly transaction: Transaction; readonly onChange: () => void }) {
  const { transaction, onChange } = props;
  const { client } = useDesk();
  const [wrong, setWrong] = useState<string>();
  const [made, setMade] = useState<string>();
  const { currency, type } = transaction;
  const left = leftToRefund(transaction);
  const command = useCommand(
    `refund ${transaction.transactionId}`,
    (body: RefundBody, options) => client.transaction(transaction.transactionId).refund(body, options),
    ({ amount }) => `Refunded: ${amountText(amount, currency)} has moved.`,
  );
  const send = ({ amount: text = '', reason = '', chargeback }: Values): void => {
    const part = partOf(text, left, currency);
    setWrong('wrong' in part ? part.wrong : undefined);
    if ('wrong' in part) return;
    void command.send({ reason, ...part, ...(chargeback === 'on' && { chargeback: true }) }).then((refund) => {
      if (!refund) return;
      setMade(refund.transactionId);
      onChange();
    });
  };
  return (
    <>
      <CommandForm label="Refund" button="Refund" kind="danger" command={command} wrong={wrong} isOnce onSend={send}>
        <Field
          label={`Amount to refund (${currency})`}
          name="amount"
          inputMode="decimal"
          hint={`Empty: all that is left, ${amountText(left, currency)}.${type === 'charge' ? ' It leaves the books: send the money by the way that it came.' : ''}`}
        />
        <Field label="Reason to refund" name="reason" required maxLength={256} hint="Both parties see it." />
        {type === 'charge' && (
          <Check
            name="chargeback"
            label="Chargeback: the money is gone already. It is booked whatever the balance, which may fall below zero"
          />
        )}
      </CommandForm>
      {made !== undefined && <TransactionLink transactionId={made} />}
    </>
  );
}
