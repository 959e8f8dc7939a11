import { readBus } from '../bus.ts';
import { useDesk } from '../context.ts';
import { useLoad } from '../load.ts';
import { Answer, Empty, Heading, Section, Table, Time, TransactionLink, WalletLink } from '../parts.tsx';
import { TransactionTable } from '../transactions.tsx';

/** What happens now: in the runner the events of the bus; of a deployed service the open work. */
export function Live() {
  const { settings } = useDesk();
  return (
    <>
      <Heading title="Live">Live</Heading>
      {settings.development === true && <Bus />}
      <OpenWork />
    </>
  );
}

function Bus() {
  const bus = useLoad(
    'bus',
    (signal) => readBus(50, signal),
    () => 1_000,
  );
  return (
    <Section title="Events on the bus" aside={<p>The newest 50 of the runner's bus, asked every second</p>}>
      <Answer loaded={bus} label="events">
        {(events) =>
          events.length === 0 ? (
            <Empty>No event yet. Each change of a wallet or a transaction publishes one.</Empty>
          ) : (
            <Table
              label="Events, newest first"
              columns={['Time', 'Event', 'About']}
              rows={events.map((event) => ({
                key: event.id,
                cells: [
                  <Time at={event.at} />,
                  event.type,
                  event.transactionId === undefined ? (
                    event.walletIds.map((walletId) => <WalletLink key={walletId} walletId={walletId} />)
                  ) : (
                    <TransactionLink transactionId={event.transactionId} />
                  ),
                ],
              }))}
            />
          )
        }
      </Answer>
    </Section>
  );
}

const statuses = ['executing', 'pending', 'review'] as const;

/** The transactions of all wallets that have not ended. */
function OpenWork() {
  const { client } = useDesk();
  const open = useLoad(
    'open work',
    async (signal) => {
      const list = (status: (typeof statuses)[number]) =>
        client.http.GET('/transactions', { params: { query: { status, limit: 50 } }, signal });
      const answers = await Promise.all(statuses.map(list));
      return answers.flatMap(({ data }) => data?.items ?? []);
    },
    () => 3_000,
  );
  return (
    <Section
      title="Under way"
      aside={<p>Up to 50 of each status, asked every 3 s; a transfer that ends at once is never here</p>}
    >
      <Answer loaded={open} label="open work">
        {(items) =>
          items.length === 0 ? (
            <Empty>Nothing is under way: each accepted withdrawal and queued transfer has ended.</Empty>
          ) : (
            <TransactionTable label="Transactions under way" items={items} />
          )
        }
      </Answer>
    </Section>
  );
}
