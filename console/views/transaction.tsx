import { useEffect, useRef } from 'preact/hooks';
import type { Transaction } from '../../client/src/index.ts';
import { readBus } from '../bus.ts';
import { allows, useDesk } from '../context.ts';
import { CommandForm, Field } from '../form.tsx';
import { useCommand, useLoad } from '../load.ts';
import {
  Amount,
  Answer,
  Badge,
  Empty,
  Facts,
  Heading,
  Section,
  Table,
  Time,
  TransactionLink,
  WalletLink,
} from '../parts.tsx';
import { hrefs } from '../route.ts';
import { isAtEnd, stepsOf } from '../timeline.ts';
import type { PublishedEvent } from '../timeline.ts';
import { HoldForms } from './holds.tsx';
import { isRefundable, RefundForm } from './refund.tsx';
import { ResolveForm } from './review.tsx';

/** How long until a transaction is asked again, by its status; undefined at its end. */
function pauseMs(transaction: Transaction | undefined): number | undefined {
  if (transaction === undefined) return 5_000;
  if (isAtEnd(transaction)) return undefined;
  return ['pending', 'executing'].includes(transaction.status) ? 1_000 : 5_000;
}

export function TransactionView({ transactionId }: { readonly transactionId: string }) {
  const { client, announce } = useDesk();
  const transaction = useLoad(transactionId, (signal) => client.transaction(transactionId).get({ signal }), pauseMs);
  const status = transaction.data?.status;
  const before = useRef<string | undefined>(undefined);
  useEffect(() => {
    if (before.current !== undefined && status !== undefined) announce(`The transaction is now ${status}.`);
    before.current = status;
  }, [status]);
  return (
    <>
      <Heading title={`Transaction ${transactionId}`}>
        Transaction <span class="id">{transactionId}</span>
      </Heading>
      <Answer loaded={transaction} label="the transaction">
        {(found) => (
          <>
            <State transaction={found} />
            <div class="columns">
              <TimeLine transaction={found} />
              <Actions transaction={found} onChange={transaction.reload} />
            </div>
            <Related transaction={found} />
            <Postings transaction={found} />
          </>
        )}
      </Answer>
    </>
  );
}

function State({ transaction }: { readonly transaction: Transaction }) {
  const { amount, fee, captured, refunded, currency, destination, metadata, failure, attempts } = transaction;
  return (
    <Section title={transaction.type}>
      <Facts
        facts={[
          [
            'Amount',
            <span class="figure">
              <Amount amount={amount} currency={currency} />
            </span>,
          ],
          ['Status', <Badge status={transaction.status} />],
          ['Fee', fee !== undefined && <Amount amount={fee} currency={currency} />],
          ['Captured', captured !== undefined && <Amount amount={captured} currency={currency} />],
          ['Expires', transaction.expiresAt && <Time at={transaction.expiresAt} />],
          ['Refunded', refunded !== undefined && <Amount amount={refunded} currency={currency} />],
          ['Chargeback', transaction.chargeback && 'yes: the money had been taken already'],
          ['Wallet', <WalletLink walletId={transaction.walletId} />],
          ['Alias', transaction.to],
          ['Receiver', transaction.counterpartyWalletId && <WalletLink walletId={transaction.counterpartyWalletId} />],
          [
            'Account',
            destination && (
              <>
                {destination.name !== undefined && (
                  <>
                    <bdi>{destination.name}</bdi>,{' '}
                  </>
                )}
                <bdi>{destination.account}</bdi>
              </>
            ),
          ],
          ['Visits to the bank', attempts?.length],
          [
            'Failure',
            failure && (
              <>
                <bdi>{failure.message}</bdi> ({failure.code})
              </>
            ),
          ],
          ['Receipt', transaction.receiptCode],
          ['Reference', transaction.externalReference],
          ['Description', transaction.description],
          ['Reason', transaction.reason],
          ...Object.entries(metadata ?? {}).map(([name, text]) => [`Metadata ${name}`, text] as const),
          ['Accepted', <Time at={transaction.createdAt} />],
          ['Last change', <Time at={transaction.updatedAt} />],
          ['Ended', transaction.completedAt && <Time at={transaction.completedAt} />],
        ]}
      />
    </Section>
  );
}

/** The life of the transaction. The runner also shows its events. */
function TimeLine({ transaction }: { readonly transaction: Transaction }) {
  const { settings } = useDesk();
  return settings.development === true ? <WithEvents transaction={transaction} /> : <Steps transaction={transaction} />;
}

function WithEvents({ transaction }: { readonly transaction: Transaction }) {
  const { transactionId, updatedAt } = transaction;
  const bus = useLoad(
    `bus ${transactionId} ${updatedAt}`,
    (signal) => readBus(1000, signal),
    () => 2_000,
  );
  const events = bus.data?.filter((event) => event.transactionId === transactionId);
  return <Steps transaction={transaction} events={events ?? []} />;
}

function Steps(props: { readonly transaction: Transaction; readonly events?: readonly PublishedEvent[] }) {
  const { transaction, events } = props;
  const pause = pauseMs(transaction);
  return (
    <Section
      title="Time line"
      aside={<p>{pause === undefined ? 'It has ended' : `Live: asked every ${pause / 1000} s`}</p>}
    >
      <ol class="steps">
        {stepsOf(transaction, events).map((step, index) => (
          <li key={index} class={step.mood}>
            <strong>{step.title}</strong>
            {step.detail !== undefined && <p>{step.detail}</p>}
            <Time at={step.at} />
          </li>
        ))}
      </ol>
    </Section>
  );
}

interface ActionProps {
  readonly transaction: Transaction;
  readonly onChange: () => void;
}

function Actions({ transaction, onChange }: ActionProps) {
  const { session, settings } = useDesk();
  const { status, type, attempts } = transaction;
  const isCancellable = status === 'scheduled' || (type === 'withdrawal' && status === 'pending' && !attempts);
  return (
    <Section title="Actions">
      {status === 'review' && allows(session, 'decide') ? (
        <ResolveForm transaction={transaction} onDone={onChange} />
      ) : isCancellable && allows(session, 'support') ? (
        <CancelForm transaction={transaction} onChange={onChange} />
      ) : type === 'hold' && status === 'open' ? (
        <HoldForms hold={transaction} onChange={onChange} />
      ) : isRefundable(transaction) && settings.features.includes('refunds') && allows(session, 'operate') ? (
        <RefundForm transaction={transaction} onChange={onChange} />
      ) : (
        <Empty>
          {isAtEnd(transaction) ? 'It has ended: there is nothing to do.' : 'Nothing to do now: it goes on by itself.'}
        </Empty>
      )}
    </Section>
  );
}

function CancelForm({ transaction, onChange }: ActionProps) {
  const { client } = useDesk();
  const command = useCommand(
    `cancel ${transaction.transactionId}`,
    (reason: string, options) =>
      client.transaction(transaction.transactionId).cancel(reason === '' ? {} : { reason }, options),
    () => 'Cancelled: the money is back.',
  );
  return (
    <CommandForm
      label="Cancel the transaction"
      button="Cancel it"
      kind="danger"
      command={command}
      onSend={({ reason = '' }) => void command.send(reason).then(onChange)}
    >
      <Field label="Reason to cancel" name="reason" maxLength={128} hint="Possible until it leaves for the bank." />
    </CommandForm>
  );
}

/** The transactions and files that belong to this one. */
function Related({ transaction }: { readonly transaction: Transaction }) {
  const { originalTransactionId, returnTransactionId, refunds = [], batchId, splitId, standingOrderId } = transaction;
  const hasAny = [originalTransactionId, returnTransactionId, batchId, splitId, standingOrderId, ...refunds].some(
    Boolean,
  );
  if (!hasAny) return null;
  return (
    <Section title="Belongs to it">
      <Facts
        facts={[
          ['Follows', originalTransactionId && <TransactionLink transactionId={originalTransactionId} />],
          ['Returned by', returnTransactionId && <TransactionLink transactionId={returnTransactionId} />],
          ...refunds.map((id, n) => [`Refund ${n + 1}`, <TransactionLink transactionId={id} />] as const),
          [
            'Batch',
            batchId && (
              <a class="id" href={hrefs.batch(batchId)}>
                {batchId}
              </a>
            ),
          ],
          ['Split', splitId],
          ['Standing order', standingOrderId],
        ]}
      />
    </Section>
  );
}

function Postings({ transaction: { postings, currency } }: { readonly transaction: Transaction }) {
  return (
    <Section title="Postings">
      {postings.length === 0 ? (
        <Empty>No money has moved.</Empty>
      ) : (
        <Table
          label="Postings"
          columns={['Account', 'Amount']}
          rows={postings.map(({ account, amount }, index) => ({
            key: String(index),
            cells: [<span class="id">{account}</span>, <Amount amount={amount} currency={currency} />],
          }))}
        />
      )}
    </Section>
  );
}
