import type { Transaction } from '../client/src/index.ts';
import { Amount, Badge, Table, Time, TransactionLink, WalletLink } from './parts.tsx';

/** A table of transactions, newest first as the API lists them. */
export function TransactionTable(props: {
  readonly label: string;
  readonly items: readonly Transaction[];
  /** Leaves out the column of wallets. */
  readonly isOfWallet?: boolean;
}) {
  const { label, items, isOfWallet = false } = props;
  return (
    <Table
      label={label}
      columns={['Time', 'Type', 'Status', 'Amount', ...(isOfWallet ? [] : ['Wallet']), 'Transaction']}
      rows={items.map((item) => ({
        key: item.transactionId,
        cells: [
          <Time at={item.createdAt} />,
          item.type,
          <Badge status={item.status} />,
          <Amount amount={item.amount} currency={item.currency} />,
          ...(isOfWallet ? [] : [<WalletLink walletId={item.walletId} />]),
          <TransactionLink transactionId={item.transactionId} />,
        ],
      }))}
    />
  );
}
