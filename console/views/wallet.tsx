import { useState } from 'preact/hooks';
import type { Wallet } from '../../client/src/index.ts';
import { allows, useDesk } from '../context.ts';
import { CommandForm, Field } from '../form.tsx';
import { useCommand, useLoad } from '../load.ts';
import { Amount, Answer, Badge, Empty, Facts, Heading, Section, Time } from '../parts.tsx';
import { hrefs } from '../route.ts';
import { isAtEnd } from '../timeline.ts';
import { TransactionTable } from '../transactions.tsx';
import { Details } from './details.tsx';
import { OpenHolds } from './holds.tsx';
import { Ledger } from './ledger.tsx';
import { Limits } from './limits.tsx';
import { StatementFiles } from './statement.tsx';

export function WalletView({ walletId }: { readonly walletId: string }) {
  const { client } = useDesk();
  const handle = client.wallet(walletId);
  const wallet = useLoad(
    walletId,
    (signal) => handle.get({ signal }),
    () => 5_000,
  );
  return (
    <>
      <Heading title={`Wallet ${walletId}`}>
        Wallet <span class="id">{walletId}</span>
      </Heading>
      <Answer loaded={wallet} label="the wallet">
        {(found) => (
          <>
            <State wallet={found} />
            <Ledger walletId={walletId} currency={found.currency} version={found.balance.version} />
            <OpenHolds walletId={walletId} onChange={wallet.reload} />
            <OpenWork walletId={walletId} />
            <div class="columns">
              <Limits wallet={found} onChange={wallet.reload} />
              <StatusForms wallet={found} onChange={wallet.reload} />
              <Details wallet={found} onChange={wallet.reload} />
              <StatementFiles walletId={walletId} />
            </div>
            <History walletId={walletId} version={found.balance.version} />
          </>
        )}
      </Answer>
    </>
  );
}

function State({ wallet }: { readonly wallet: Wallet }) {
  const { balance, currency, ownerId, status, lastStatusChange: change, chargedBack } = wallet;
  return (
    <Section title={wallet.name ?? 'State'} aside={<p>Asked every 5 s</p>}>
      <Facts
        facts={[
          ['Available', <Figure amount={balance.available} currency={currency} />],
          ['Held', <Figure amount={balance.held} currency={currency} />],
          ['Total', <Figure amount={balance.total} currency={currency} />],
          ['Owner', <a href={hrefs.search(ownerId)}>{ownerId}</a>],
          ['Status', <Badge status={status} />],
          ['Charged back', chargedBack !== undefined && <Amount amount={chargedBack} currency={currency} />],
          ['Opened', <Time at={wallet.createdAt} />],
          ['Last change', <Time at={wallet.updatedAt} />],
          [
            'Status since',
            change && (
              <>
                <Time at={change.at} />
                {change.actor && (
                  <>
                    {' '}
                    by {change.actor.kind} <bdi>{change.actor.principal}</bdi>
                  </>
                )}
                {change.reason !== undefined && `: ${change.reason}`}
              </>
            ),
          ],
        ]}
      />
    </Section>
  );
}

function Figure(props: { readonly amount: number; readonly currency: string }) {
  return (
    <span class="figure">
      <Amount {...props} />
    </span>
  );
}

const openStatuses = ['pending', 'executing', 'review', 'scheduled'] as const;

/** The transactions that have not ended, in which the wallet sends. Its holds are in a list of their own. */
function OpenWork({ walletId }: { readonly walletId: string }) {
  const { client } = useDesk();
  const open = useLoad(
    `open ${walletId}`,
    async (signal) => {
      const list = (status: (typeof openStatuses)[number]) =>
        client.wallet(walletId).transactions({ status, limit: 50, signal }).page();
      const pages = await Promise.all(openStatuses.map(list));
      return pages.flatMap(({ items }) => items).filter((item) => !isAtEnd(item));
    },
    () => 5_000,
  );
  return (
    <Section title="Open work" aside={<p>Asked every 5 s</p>}>
      <Answer loaded={open} label="open work">
        {(items) =>
          items.length === 0 ? (
            <Empty>Nothing is open: all of its transactions have ended.</Empty>
          ) : (
            <TransactionTable label="Open work" items={items} isOfWallet />
          )
        }
      </Answer>
    </Section>
  );
}

function History({ walletId, version }: { readonly walletId: string; readonly version: number }) {
  const { client } = useDesk();
  const [limit, setLimit] = useState(20);
  const history = useLoad(`history ${walletId} ${version} ${limit}`, (signal) =>
    client.wallet(walletId).transactions({ limit, signal }).page(),
  );
  return (
    <Section title="Transactions">
      <Answer loaded={history} label="transactions">
        {({ items, nextCursor }) =>
          items.length === 0 ? (
            <Empty>No transaction yet. Money comes in by a charge or a transfer from another wallet.</Empty>
          ) : (
            <>
              <TransactionTable label="Transactions of the wallet" items={items} isOfWallet />
              {nextCursor !== undefined && limit < 100 && (
                <button type="button" class="quiet" onClick={() => setLimit(100)}>
                  Show up to 100
                </button>
              )}
            </>
          )
        }
      </Answer>
    </Section>
  );
}

interface FormProps {
  readonly wallet: Wallet;
  readonly onChange: () => void;
}

/** Freezing, unfreezing and closing, as the status and the token allow. */
function StatusForms({ wallet, onChange }: FormProps) {
  const { session } = useDesk();
  const { status, balance } = wallet;
  const isEmpty = balance.available === 0 && balance.held === 0;
  return (
    <Section title="Status">
      {status === 'active' && allows(session, 'support') && <StatusForm {...{ wallet, onChange }} verb="freeze" />}
      {status === 'frozen' && allows(session, 'decide') && <StatusForm {...{ wallet, onChange }} verb="unfreeze" />}
      {status !== 'closed' && isEmpty && allows(session, 'support') && (
        <details>
          <summary>Close the wallet</summary>
          <StatusForm {...{ wallet, onChange }} verb="close" />
        </details>
      )}
      {status === 'closed' && <Empty>The wallet is closed: no money moves in or out.</Empty>}
    </Section>
  );
}

const verbs = {
  freeze: { button: 'Freeze', hint: 'No money moves in or out. Payouts that have not left wait.' },
  unfreeze: { button: 'Unfreeze', hint: 'Money moves again.' },
  close: { button: 'Close for ever', hint: 'The end of an empty wallet.' },
} as const;

function StatusForm({ wallet, onChange, verb }: FormProps & { readonly verb: keyof typeof verbs }) {
  const { client } = useDesk();
  const { button, hint } = verbs[verb];
  // A wallet can be frozen once more, for the same reason. With the key of before, it would stay as it is.
  const { at = '' } = wallet.lastStatusChange ?? {};
  const command = useCommand(
    `${verb} ${wallet.walletId} ${at}`,
    (reason: string, options) => client.wallet(wallet.walletId)[verb](reason === '' ? {} : { reason }, options),
    ({ status }) => `The wallet is ${status}.`,
  );
  return (
    <CommandForm
      label={`${button} the wallet`}
      button={button}
      kind="danger"
      command={command}
      onSend={({ reason = '' }) => void command.send(reason).then(onChange)}
    >
      <Field label={`Reason to ${verb}`} name="reason" hint={hint} maxLength={128} />
    </CommandForm>
  );
}
