import { useDesk } from '../context.ts';
import { useLoad } from '../load.ts';
import { Answer, Badge, Facts, Heading, Section, Table, Time, TransactionLink } from '../parts.tsx';

/** A file of payments: its progress, and its first lines. */
export function BatchView({ batchId }: { readonly batchId: string }) {
  const { client } = useDesk();
  const batch = useLoad(
    batchId,
    async (signal) => {
      const handle = client.batch(batchId);
      const [found, { items }] = await Promise.all([
        handle.get({ signal }),
        handle.items({ limit: 100, signal }).page(),
      ]);
      return { ...found, items };
    },
    (found) => (found?.status === 'completed' ? 15_000 : 2_000),
  );
  return (
    <>
      <Heading title={`Batch ${batchId}`}>
        Batch <span class="id">{batchId}</span>
      </Heading>
      <Answer loaded={batch} label="the batch">
        {(found) => (
          <>
            <Section title="Progress">
              <Facts
                facts={[
                  ['Status', <Badge status={found.status} />],
                  ['Lines', found.count],
                  ['Waiting', found.waiting],
                  ['Accepted', found.accepted],
                  ['Refused', found.refused],
                  ['Sent by', found.requestedBy.principal],
                  ['Sent at', <Time at={found.createdAt} />],
                ]}
              />
            </Section>
            <Section title="Lines" aside={<p>The first 100</p>}>
              <Table
                label="Lines of the batch"
                columns={['Key', 'Status', 'Transaction', 'Failure']}
                rows={found.items.map((item) => ({
                  key: item.key,
                  cells: [
                    item.key,
                    <Badge status={item.status} />,
                    item.status === 'waiting' || item.status === 'refused' ? (
                      '–'
                    ) : (
                      <TransactionLink transactionId={item.transactionId} />
                    ),
                    item.failure?.message ?? '–',
                  ],
                }))}
              />
            </Section>
          </>
        )}
      </Answer>
    </>
  );
}
