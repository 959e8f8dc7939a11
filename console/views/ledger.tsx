import { useMemo, useState } from 'preact/hooks';
import type { Entry } from '../../client/src/index.ts';
import { BalanceChart } from '../chart.tsx';
import { useDesk } from '../context.ts';
import { useLoad } from '../load.ts';
import { Amount, Answer, Empty, Section, Table, Time, TransactionLink } from '../parts.tsx';

/** Entries that one look at the ledger reads at most: a page of the API each time. */
const pageSize = 100;
const mostPages = 10;
const shownAtFirst = 10;

/** The balance over time, and the ledger behind it. */
export function Ledger(props: { readonly walletId: string; readonly currency: string; readonly version: number }) {
  const { walletId, currency, version } = props;
  const { client } = useDesk();
  const [pages, setPages] = useState(1);
  const [isWhole, setIsWhole] = useState(false);
  const ledger = useLoad(
    `ledger ${walletId} ${pages}`,
    async (signal) =>
      readPages((cursor) => client.wallet(walletId).entries({ limit: pageSize, signal }).page(cursor), pages),
    // The ledger follows the wallet by some moments.
    (read) => ((read?.entries[0]?.version ?? -1) < version ? 500 : 5_000),
  );
  return (
    <Section title="Balance over time">
      <Answer loaded={ledger} label="the ledger">
        {({ entries, hasMore }) =>
          entries.length < 2 ? (
            <Empty>No money has moved yet. The chart begins with the first change of the balance.</Empty>
          ) : (
            <>
              <History entries={entries} currency={currency} />
              <h3>Ledger</h3>
              <EntryTable entries={isWhole ? entries : entries.slice(0, shownAtFirst)} currency={currency} />
              {!isWhole && entries.length > shownAtFirst && (
                <button type="button" class="quiet" onClick={() => setIsWhole(true)}>
                  Show all {entries.length} entries
                </button>
              )}
              {hasMore && pages < mostPages && (
                <button type="button" class="quiet" onClick={() => setPages(pages + 1)}>
                  Read {pageSize} older entries
                </button>
              )}
            </>
          )
        }
      </Answer>
    </Section>
  );
}

interface EntryPage {
  readonly items: readonly Entry[];
  readonly nextCursor?: string | undefined;
}

async function readPages(read: (cursor?: string) => Promise<EntryPage>, count: number) {
  const entries: Entry[] = [];
  let cursor: string | undefined;
  for (let n = 0; n < count; n++) {
    const page = await read(cursor);
    entries.push(...page.items);
    cursor = page.nextCursor;
    if (cursor === undefined) break;
  }
  return { entries, hasMore: cursor !== undefined };
}

function History({ entries, currency }: { readonly entries: readonly Entry[]; readonly currency: string }) {
  const newest = entries[0]?.version;
  // The same points as long as the ledger is the same, so that the chart is not drawn again.
  const points = useMemo(
    () => entries.map(({ at, balanceAfter: { available, held } }) => ({ at, available, held })).reverse(),
    [newest, entries.length],
  );
  return <BalanceChart points={points} currency={currency} />;
}

function EntryTable({ entries, currency }: { readonly entries: readonly Entry[]; readonly currency: string }) {
  const changeOf = ({ changes }: Entry, account: 'available' | 'held') => {
    const change = changes.find((one) => one.account === account);
    return change ? <Amount amount={change.amount} currency={currency} /> : '–';
  };
  return (
    <Table
      label="Ledger, newest first"
      columns={['Time', 'Available changes by', 'Held changes by', 'Available then', 'Transaction']}
      rows={entries.map((entry) => ({
        key: String(entry.version),
        cells: [
          <Time at={entry.at} />,
          changeOf(entry, 'available'),
          changeOf(entry, 'held'),
          <Amount amount={entry.balanceAfter.available} currency={currency} />,
          entry.transactionId === undefined ? (
            entry.statusAfter
          ) : (
            <TransactionLink transactionId={entry.transactionId} />
          ),
        ],
      }))}
    />
  );
}
