import type { Transaction } from '../../client/src/index.ts';
import { allows, useDesk } from '../context.ts';
import { CommandForm, TextArea } from '../form.tsx';
import { useCommand, useLoad } from '../load.ts';
import { Amount, Answer, Cards, Empty, Facts, Heading, Section, Time, TransactionLink, WalletLink } from '../parts.tsx';

/** The withdrawals whose outcome only the bank knows, the oldest first. */
export function Review() {
  const { client } = useDesk();
  const reviews = useLoad(
    'review',
    async (signal) => {
      const health = await client.health({ signal });
      const waiting = health.status === 'ok' ? (health.inReview ?? []) : [];
      const read = ({ transactionId }: { readonly transactionId: string }) =>
        client.transaction(transactionId).get({ signal });
      // The list is that of some moments ago.
      return (await Promise.all(waiting.slice(0, 25).map(read))).filter(({ status }) => status === 'review');
    },
    () => 5_000,
  );
  return (
    <>
      <Heading title="Review">Review</Heading>
      <Section title="Withdrawals in review" aside={<p>Oldest first, up to 25, asked every 5 s</p>}>
        <Answer loaded={reviews} label="reviews">
          {(items) => (
            <Cards
              items={items}
              keyOf={({ transactionId }) => transactionId}
              empty="Nothing is in review. A withdrawal comes here when the bank gives no definite answer."
              card={(item) => <ReviewCard transaction={item} onDone={reviews.reload} />}
            />
          )}
        </Answer>
      </Section>
    </>
  );
}

interface CardProps {
  readonly transaction: Transaction;
  readonly onDone: () => void;
}

function ReviewCard({ transaction, onDone }: CardProps) {
  const { session } = useDesk();
  const { transactionId, walletId, amount, currency, createdAt, destination, attempts = [] } = transaction;
  const last = attempts.at(-1);
  return (
    <>
      <Facts
        facts={[
          ['Transaction, and reference at the bank', <TransactionLink transactionId={transactionId} />],
          ['Amount', <Amount amount={amount} currency={currency} />],
          ['Account', destination?.account],
          ['Wallet', <WalletLink walletId={walletId} />],
          ['Accepted', <Time at={createdAt} />],
          ['Visits to the bank', last && `${attempts.length}, the last one: ${last.outcome} ${last.reason ?? ''}`],
        ]}
      />
      {allows(session, 'decide') ? (
        <details>
          <summary>Resolve</summary>
          <ResolveForm transaction={transaction} onDone={onDone} />
        </details>
      ) : (
        <Empty>An operator with the scope decide resolves it.</Empty>
      )}
    </>
  );
}

type Outcome = 'completed' | 'failed';

/** Ends a withdrawal in review by what the bank has told the operator. */
export function ResolveForm({ transaction, onDone }: CardProps) {
  const { client } = useDesk();
  const command = useCommand(
    `resolve ${transaction.transactionId}`,
    (body: { readonly outcome: Outcome; readonly evidence: string }, options) =>
      client.transaction(transaction.transactionId).resolve(body, options),
    ({ status }) => `The withdrawal is ${status}.`,
  );
  return (
    <CommandForm
      label={`Resolve ${transaction.transactionId}`}
      button="Resolve"
      command={command}
      onSend={({ outcome, evidence = '' }) =>
        void command.send({ outcome: outcome as Outcome, evidence }).then((done) => {
          if (done) onDone();
        })
      }
    >
      <fieldset>
        <legend>Has the bank paid? This ends the withdrawal for ever.</legend>
        <label>
          <input type="radio" name="outcome" value="completed" required /> Paid: the held money is gone
        </label>
        <label>
          <input type="radio" name="outcome" value="failed" required /> Not paid, and it will not: the money is
          available again
        </label>
      </fieldset>
      <TextArea
        label="Evidence"
        name="evidence"
        required
        maxLength={512}
        hint="How do you know it? For instance the line of the bank's statement. Operators see it, owners do not."
      />
    </CommandForm>
  );
}
