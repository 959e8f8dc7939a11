/** The small parts that every view is made of. */
import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useRef } from 'preact/hooks';
import { useDesk } from './context.ts';
import { adviceOf, isSignedOut } from './load.ts';
import type { Loaded } from './load.ts';
import { amountText } from './money.ts';
import { hrefs } from './route.ts';
import { timeText } from './time.ts';

/** The heading of a view. It takes the focus when the view opens, so that a screen reader reads it. */
export function Heading({ children, title }: { readonly children: ComponentChildren; readonly title: string }) {
  const heading = useRef<HTMLHeadingElement>(null);
  // Before the browser paints: nobody sees the heading without the focus.
  useLayoutEffect(() => {
    document.title = `${title} · Wallet console`;
    heading.current?.focus();
  }, [title]);
  return (
    <h1 tabIndex={-1} ref={heading}>
      {children}
    </h1>
  );
}

export function Amount({ amount, currency }: { readonly amount: number; readonly currency: string }) {
  return <span class={amount < 0 ? 'amount negative' : 'amount'}>{amountText(amount, currency)}</span>;
}

export function Time({ at }: { readonly at: string }) {
  return <time dateTime={at}>{timeText(at)}</time>;
}

const moods: Readonly<Record<string, string>> = {
  completed: 'good',
  active: 'good',
  sound: 'good',
  approved: 'good',
  closed: 'plain',
  failed: 'bad',
  frozen: 'bad',
  rejected: 'bad',
  discrepancies: 'bad',
  review: 'waiting',
  asked: 'waiting',
  pending: 'waiting',
  executing: 'waiting',
  open: 'waiting',
  running: 'waiting',
};

export function Badge({ status }: { readonly status: string }) {
  return <span class={`badge ${moods[status] ?? 'plain'}`}>{status}</span>;
}

export function WalletLink({ walletId }: { readonly walletId: string }) {
  return (
    <a class="id" href={hrefs.wallet(walletId)}>
      {walletId}
    </a>
  );
}

export function TransactionLink({ transactionId }: { readonly transactionId: string }) {
  return (
    <a class="id" href={hrefs.transaction(transactionId)}>
      {transactionId}
    </a>
  );
}

/** A list of names and values. Entries without a value are left out. */
export function Facts({ facts }: { readonly facts: readonly (readonly [name: string, value: ComponentChildren])[] }) {
  return (
    <dl class="facts">
      {facts
        .filter(([, value]) => value !== undefined && value !== '' && value !== null && value !== false)
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}

/** What is wrong, and what to do now. */
export function Problem({ error, retry }: { readonly error: unknown; readonly retry?: () => void }) {
  const { signOut } = useDesk();
  const { title, next } = adviceOf(error);
  const isOver = isSignedOut(error);
  return (
    <div class="notice bad" role="alert">
      <p>
        <strong>{title}.</strong> {next}
      </p>
      {isOver ? (
        <button type="button" onClick={() => signOut('Your sign-in is over.')}>
          Sign in again
        </button>
      ) : (
        retry && (
          <button type="button" onClick={retry}>
            Try again
          </button>
        )
      )}
    </div>
  );
}

/** The place of an answer: the wait for it, its failure, or the answer. */
export function Answer<T>(props: {
  readonly loaded: Loaded<T>;
  readonly label: string;
  readonly children: (data: T) => ComponentChildren;
}) {
  const { data, error, reload } = props.loaded;
  return (
    <>
      {error !== undefined && <Problem error={error} retry={reload} />}
      {data !== undefined && props.children(data)}
      {data === undefined && error === undefined && (
        <p class="loading" role="status">
          Loading {props.label} …
        </p>
      )}
    </>
  );
}

export function Empty({ children }: { readonly children: ComponentChildren }) {
  return <p class="empty">{children}</p>;
}

/** A list of cards, or `empty` where there is none. */
export function Cards<Item>(props: {
  readonly items: readonly Item[];
  readonly keyOf: (item: Item) => string;
  readonly empty: string;
  readonly card: (item: Item) => ComponentChildren;
}) {
  const { items, keyOf, empty, card } = props;
  if (items.length === 0) return <Empty>{empty}</Empty>;
  return (
    <ul class="cards">
      {items.map((item) => (
        <li key={keyOf(item)}>{card(item)}</li>
      ))}
    </ul>
  );
}

/** A section with a heading that names it. */
export function Section(props: {
  readonly title: string;
  readonly children: ComponentChildren;
  readonly aside?: ComponentChildren;
}) {
  const id = useId();
  return (
    <section aria-labelledby={id}>
      <div class="section-head">
        <h2 id={id}>{props.title}</h2>
        {props.aside}
      </div>
      {props.children}
    </section>
  );
}

/** A table that scrolls on its own where the window is narrow, also by keyboard. */
export function Table(props: {
  readonly label: string;
  readonly columns: readonly string[];
  readonly rows: readonly { readonly key: string; readonly cells: readonly ComponentChildren[] }[];
}) {
  return (
    <div class="scroll" role="region" aria-label={props.label} tabIndex={0}>
      <table>
        <thead>
          <tr>
            {props.columns.map((column) => (
              <th key={column} scope="col">
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {props.rows.map(({ key, cells }) => (
            <tr key={key}>
              {cells.map((cell, index) => (
                <td key={props.columns[index]} data-label={props.columns[index]}>
                  {cell}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
