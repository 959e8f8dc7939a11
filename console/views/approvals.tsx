import { WalletServiceError } from '../../client/src/index.ts';
import type { Approval } from '../../client/src/index.ts';
import { allows, useDesk } from '../context.ts';
import { CommandForm, Field } from '../form.tsx';
import { useCommand, useLoad } from '../load.ts';
import {
  Amount,
  Answer,
  Badge,
  Cards,
  Empty,
  Facts,
  Heading,
  Section,
  Time,
  TransactionLink,
  WalletLink,
} from '../parts.tsx';

/** The commands that wait for a second operator. */
export function Approvals() {
  const { client } = useDesk();
  const approvals = useLoad(
    'approvals',
    async (signal) => {
      try {
        return (await client.approvals({ status: 'asked', limit: 100, signal }).page()).items;
      } catch (error) {
        if (error instanceof WalletServiceError && error.code === 'not_found') return 'off' as const;
        throw error;
      }
    },
    (found) => (found === 'off' ? undefined : 5_000),
  );
  return (
    <>
      <Heading title="Approvals">Approvals</Heading>
      <Section title="Commands that wait for a second operator" aside={<p>Asked every 5 s</p>}>
        <Answer loaded={approvals} label="approvals">
          {(items) =>
            items === 'off' ? (
              <Empty>This service needs no second operator: the prop fourEyes is not set.</Empty>
            ) : (
              <Cards
                items={items}
                keyOf={({ approvalId }) => approvalId}
                empty="Nothing waits. A command comes here when the prop fourEyes names it."
                card={(item) => <ApprovalCard approval={item} onDone={approvals.reload} />}
              />
            )
          }
        </Answer>
      </Section>
    </>
  );
}

interface CardProps {
  readonly approval: Approval;
  readonly onDone: () => void;
}

function ApprovalCard({ approval, onDone }: CardProps) {
  const { session } = useDesk();
  const { command, amount, currency, walletIds, askedBy, askedAt, expiresAt, transactionId, body } = approval;
  const isOwn = askedBy.principal === session.principal;
  const scope = command === 'charge' ? 'charge' : command === 'refund' ? 'operate' : 'decide';
  return (
    <>
      <h3>
        {command} <Badge status={approval.status} />
      </h3>
      <Facts
        facts={[
          ['Amount', amount !== undefined && currency !== undefined && <Amount amount={amount} currency={currency} />],
          ['Wallets', walletIds.map((walletId) => <WalletLink key={walletId} walletId={walletId} />)],
          ['Transaction', command === 'resolve' && <TransactionLink transactionId={transactionId} />],
          ['Asked by', askedBy.principal],
          ['Asked at', <Time at={askedAt} />],
          ['Expires', <Time at={expiresAt} />],
        ]}
      />
      <details>
        <summary>The request</summary>
        <pre>{JSON.stringify(body, undefined, 2)}</pre>
      </details>
      {allows(session, scope) ? (
        <div class="columns">
          {isOwn ? (
            <Empty>You have asked for it: another operator approves it. You can take it back.</Empty>
          ) : (
            <DecisionForm {...{ approval, onDone }} decision="approve" />
          )}
          <DecisionForm {...{ approval, onDone }} decision="reject" />
        </div>
      ) : (
        <Empty>An operator with the scope {scope} decides on it.</Empty>
      )}
    </>
  );
}

const decisions = {
  approve: { button: 'Approve', hint: 'Carries the command out now.', done: 'Approved: the command was carried out.' },
  reject: { button: 'Reject', hint: 'Ends it; nothing moves.', done: 'Rejected: nothing has moved.' },
} as const;

function DecisionForm({ approval, onDone, decision }: CardProps & { readonly decision: keyof typeof decisions }) {
  const { client } = useDesk();
  const { button, hint, done } = decisions[decision];
  const command = useCommand(
    `${decision} ${approval.approvalId}`,
    (reason: string, options) => {
      const handle = client.approval(approval.approvalId);
      return decision === 'reject'
        ? handle.reject({ reason }, options)
        : handle.approve(reason === '' ? {} : { reason }, options);
    },
    () => done,
  );
  return (
    <CommandForm
      label={`${button} ${approval.approvalId}`}
      button={button}
      kind={decision === 'reject' ? 'danger' : 'plain'}
      command={command}
      onSend={({ reason = '' }) =>
        void command.send(reason).then((ended) => {
          if (ended) onDone();
        })
      }
    >
      <Field
        label={`Reason to ${decision}`}
        name="reason"
        hint={hint}
        maxLength={256}
        required={decision === 'reject'}
      />
    </CommandForm>
  );
}
