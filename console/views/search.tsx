import { WalletServiceError } from '../../client/src/index.ts';
import type { Transaction, Wallet, WalletClient } from '../../client/src/index.ts';
import { useDesk } from '../context.ts';
import { Field } from '../form.tsx';
import { useLoad } from '../load.ts';
import { Amount, Answer, Badge, Empty, Heading, Section, Table, WalletLink } from '../parts.tsx';
import { hrefs } from '../route.ts';
import { TransactionTable } from '../transactions.tsx';
import { Overview } from './health.tsx';

export function Home() {
  const { settings } = useDesk();
  return (
    <>
      <Heading title="Search">Search</Heading>
      <SearchForm />
      <Overview />
      {settings.development === true && (
        <p class="hint">
          Nothing here yet? <a href="#/try">Try</a> opens wallets, and pays with the simulated bank.
        </p>
      )}
    </>
  );
}

export function SearchView({ text }: { readonly text: string }) {
  const { client } = useDesk();
  const found = useLoad(text, (signal) => search(client, text, signal));
  return (
    <>
      <Heading title={`Search for ${text}`}>Search</Heading>
      <SearchForm text={text} />
      <Answer loaded={found} label="what was found">
        {(result) => <Results text={text} {...result} />}
      </Answer>
    </>
  );
}

function SearchForm({ text = '' }: { readonly text?: string }) {
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const value = new FormData(event.currentTarget as HTMLFormElement).get('text');
    const wanted = typeof value === 'string' ? value.trim() : '';
    if (wanted === '') return;
    if (walletId.test(wanted)) location.hash = hrefs.wallet(wanted);
    else if (transactionId.test(wanted)) location.hash = hrefs.transaction(wanted);
    else location.hash = hrefs.search(wanted);
  };
  return (
    <form class="panel row" role="search" aria-label="Search" onSubmit={submit}>
      <Field
        label="Wallet, owner, transaction, receipt or reference"
        name="text"
        value={text}
        required
        maxLength={128}
        hint="An id is recognized by its form. Any other text is an owner's id or an external reference."
      />
      <button type="submit">Search</button>
    </form>
  );
}

const walletId = /^w_[a-z]{3}_[a-z2-7]{26}$/;
const transactionId = /^tx_[a-z2-7]{26}$/;
const receiptCode = /^RCP-\d{8}-[a-z2-7]{26}$/;

interface Found {
  readonly wallets: readonly Wallet[];
  readonly transactions: readonly Transaction[];
}

/** Returns the wallets of the owner and the transactions with the receipt code or reference that a text may be. */
async function search(client: WalletClient, text: string, signal: AbortSignal): Promise<Found> {
  if (receiptCode.test(text)) {
    const transaction = await client.receipt(text, { signal }).catch(noneIfUnknown);
    return { wallets: [], transactions: transaction === undefined ? [] : [transaction] };
  }
  const [wallets, { data }] = await Promise.all([
    client.wallets({ ownerId: text, limit: 100, signal }).page(),
    client.http.GET('/transactions', { params: { query: { externalReference: text } }, signal }),
  ]);
  return { wallets: wallets.items, transactions: data?.items ?? [] };
}

function noneIfUnknown(error: unknown): undefined {
  if (error instanceof WalletServiceError && error.code === 'transaction_not_found') return undefined;
  throw error;
}

function Results({ text, wallets, transactions }: Found & { readonly text: string }) {
  if (wallets.length === 0 && transactions.length === 0) {
    return (
      <Section title="Nothing found">
        <Empty>
          No owner, receipt or reference is exactly “<bdi>{text}</bdi>”. Capital letters count, and a part of an id is
          not enough.
        </Empty>
      </Section>
    );
  }
  return (
    <>
      {wallets.length > 0 && (
        <Section title={`Wallets of ${text}`}>
          <Table
            label="Wallets"
            columns={['Wallet', 'Name', 'Status', 'Available', 'Held']}
            rows={wallets.map((wallet) => ({ key: wallet.walletId, cells: cellsOf(wallet) }))}
          />
        </Section>
      )}
      {transactions.length > 0 && (
        <Section title={`Transactions with ${text}`}>
          <TransactionTable label="Transactions" items={transactions} />
        </Section>
      )}
    </>
  );
}

function cellsOf(wallet: Wallet) {
  const { balance, currency } = wallet;
  return [
    <WalletLink walletId={wallet.walletId} />,
    wallet.name ?? '–',
    <Badge status={wallet.status} />,
    <Amount amount={balance.available} currency={currency} />,
    <Amount amount={balance.held} currency={currency} />,
  ];
}
