import type { Health as HealthAnswer, Integrity } from '../../client/src/index.ts';
import { useDesk } from '../context.ts';
import { CommandForm } from '../form.tsx';
import { useCommand, useLoad } from '../load.ts';
import { amountText } from '../money.ts';
import { Answer, Badge, Empty, Facts, Heading, Section, Table, Time } from '../parts.tsx';
import { baseUrl } from '../settings.ts';
import { spanText, timeText } from '../time.ts';

export function Health() {
  return (
    <>
      <Heading title="Health">Health</Heading>
      <Overview />
      <Books />
    </>
  );
}

/** The state of queues, bank and reviews. Asked again every five seconds. */
export function Overview() {
  const { client } = useDesk();
  const health = useLoad(
    'health',
    (signal) => client.health({ signal }),
    () => 5_000,
  );
  return (
    <Section title="The service now" aside={<p>Asked every 5 s</p>}>
      <Answer loaded={health} label="the state of the service">
        {(data) =>
          data.status === 'ok' ? (
            <Facts facts={factsOf(data)} />
          ) : (
            <p class="notice bad" role="alert">
              The service cannot do its work. The runbook has an entry: API answers 5xx.
            </p>
          )
        }
      </Answer>
    </Section>
  );
}

function factsOf({ queues, oldestDueAgeSeconds, inReview, bank }: HealthAnswer) {
  if (!queues) return [['More', 'needs a token with the scope support']] as const;
  const queue = ({ depth, deadLetters }: { readonly depth: number; readonly deadLetters: number }) => (
    <>
      {depth} waiting
      {deadLetters > 0 && (
        <>
          {' '}
          · <span class="badge bad">{deadLetters} set aside</span>
        </>
      )}
    </>
  );
  const breaker = bank?.breaker ?? 'unknown';
  return [
    ['Withdrawals', queue(queues.withdrawals)],
    ['Queued transfers', queue(queues.transfers)],
    ['Oldest work is late by', spanText((oldestDueAgeSeconds ?? 0) * 1000)],
    ['In review', <a href="#/review">{inReview?.length ?? 0}</a>],
    [
      'Breaker of the bank',
      <>
        <span class={`badge ${breaker === 'closed' ? 'good' : 'bad'}`}>
          {breaker === 'closed' ? 'closed: bank is up' : breaker}
        </span>
        {bank?.since !== undefined && breaker !== 'closed' && (
          <>
            {' '}
            since <Time at={bank.since} />
          </>
        )}
      </>,
    ],
  ] as const;
}

/** Lets the runner check the books at once. A deployed service checks them by its schedule. */
function CheckNow({ onDone }: { readonly onDone: () => void }) {
  const command = useCommand<null, unknown>(
    'check the books',
    async () => {
      const response = await fetch(`${baseUrl}/local/schedules`, { method: 'POST' });
      if (!response.ok) throw new Error(`the runner answers ${response.status}`);
    },
    () => 'Checked.',
  );
  return (
    <CommandForm
      label="Check the books"
      button="Check the books now"
      command={command}
      onSend={() => void command.send(null).then(onDone)}
    />
  );
}

/** The check of the books: its verdict, the last whole pass, and what it has found. */
function Books() {
  const { client, settings } = useDesk();
  const books = useLoad(
    'integrity',
    (signal) => client.integrity({ signal }),
    () => 5_000,
  );
  return (
    <Section title="The books" aside={<p>Asked every 5 s</p>}>
      <Answer loaded={books} label="the check of the books">
        {(data) => <BooksFound {...data} />}
      </Answer>
      {settings.development === true && <CheckNow onDone={books.reload} />}
    </Section>
  );
}

type Pass = NonNullable<Integrity['last']>;

function BooksFound({ last, running, hours, discrepancies }: Integrity) {
  return (
    <>
      <p class={`notice ${discrepancies.length > 0 ? 'bad' : last ? 'good' : 'waiting'}`} role="status">
        {discrepancies.length > 0
          ? `${discrepancies.length} discrepancies. Follow the runbook: discrepancy in the books.`
          : last
            ? 'The books are sound.'
            : 'No pass over the books has ended yet. One begins every day.'}
      </p>
      <Facts
        facts={[
          ['Last pass', last && <PassText pass={last} />],
          ['Running pass', running && running.passId !== last?.passId && <PassText pass={running} />],
          ['Sums as of', last?.asOf !== undefined && <Time at={last.asOf} />],
          ['Hours checked until', hours?.next],
          ['Unchecked', hours && spanText(hours.uncheckedSeconds * 1000)],
        ]}
      />
      {last && last.sums.length > 0 && <Sums pass={last} />}
      {discrepancies.length > 0 && (
        <Table
          label="Discrepancies"
          columns={['Since', 'Kind', 'Subject', 'Detail']}
          rows={discrepancies.map((one, index) => ({
            key: String(index),
            cells: [<Time at={one.since} />, one.kind, one.subject, one.detail],
          }))}
        />
      )}
      {discrepancies.length === 0 && last && <Empty>Nothing was found that needs an operator.</Empty>}
    </>
  );
}

function PassText({ pass }: { readonly pass: Pass }) {
  const { wallets, transactions, entries } = pass.counts;
  return (
    <>
      <Badge status={pass.status} /> <Time at={pass.finishedAt ?? pass.startedAt} />, {wallets} wallets, {transactions}{' '}
      transactions, {entries} entries
    </>
  );
}

/** The sums are texts, as they may be larger than any exact number; each is shown with the decimals of its currency. */
function Sums({ pass }: { readonly pass: Pass }) {
  return (
    <Table
      label={`Sums by currency as of ${timeText(pass.asOf ?? pass.startedAt)}`}
      columns={['Currency', 'Wallets', 'Outside', 'On the way', 'Sum']}
      rows={pass.sums.map(({ currency, wallets, external, transit, sum }) => ({
        key: currency,
        cells: [currency, ...[wallets, external, transit, sum].map((text) => amountText(BigInt(text), currency))],
      }))}
    />
  );
}
