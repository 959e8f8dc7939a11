import type { ComponentChildren } from 'preact';
import { useEffect, useErrorBoundary, useMemo, useState } from 'preact/hooks';
import { createWalletClient } from '../client/src/index.ts';
import type { Route } from './address.ts';
import { DeskContext, useDesk } from './context.ts';
import type { Desk } from './context.ts';
import { useLoad } from './load.ts';
import { Heading } from './parts.tsx';
import { useRoute } from './route.ts';
import { endSignIn, forgetSession, readSession } from './session.ts';
import { forgetKeys } from './sent.ts';
import type { Session } from './session.ts';
import { baseUrl, readSettings } from './settings.ts';
import { ThemeSwitch } from './theme.tsx';
import { Approvals } from './views/approvals.tsx';
import { BatchView } from './views/batch.tsx';
import { Health } from './views/health.tsx';
import { Home, SearchView } from './views/search.tsx';
import { Live } from './views/live.tsx';
import { Review } from './views/review.tsx';
import { SignIn } from './views/sign-in.tsx';
import { TransactionView } from './views/transaction.tsx';
import { Try } from './views/try.tsx';
import { WalletView } from './views/wallet.tsx';

const settings = readSettings();
/** A person waits for each answer, so retries end early. */
const retries = { totalMs: 15_000, attemptMs: 15_000 };

export function App() {
  const [session, setSession] = useState<Session | undefined>(readSession);
  const [reason, setReason] = useState<string>();
  const [message, setMessage] = useState('');
  useEffect(() => {
    if (!settings.signIn) return;
    endSignIn(settings.signIn).then(
      (found) => {
        if (found) setSession(found);
      },
      (error: unknown) => {
        setReason(`The sign-in failed: ${error instanceof Error ? error.message : String(error)}.`);
      },
    );
  }, []);
  const desk = useMemo<Desk | undefined>(() => {
    if (!session) return undefined;
    const client = createWalletClient({
      url: baseUrl,
      token: session.token,
      // Called as a method of another object, the browser's own would refuse.
      fetch: (input, init) => fetch(input, init),
      retries,
    });
    const signOut = (why?: string): void => {
      forgetSession();
      // A sign-in that is over keeps the keys: the operator may repeat a command without an answer.
      if (why === undefined) forgetKeys();
      setReason(why);
      setSession(undefined);
    };
    return { client, session, settings, announce: setMessage, signOut };
  }, [session]);
  return (
    <>
      <p class="unseen" role="status" aria-live="polite">
        {message}
      </p>
      {desk ? (
        <DeskContext.Provider value={desk}>
          <Signed />
        </DeskContext.Provider>
      ) : (
        <main id="content">
          <SignIn settings={settings} reason={reason} onSession={setSession} />
        </main>
      )}
    </>
  );
}

function Signed() {
  const route = useRoute();
  return (
    <>
      <a
        class="skip"
        href="#content"
        onClick={(event) => {
          event.preventDefault();
          document.getElementById('content')?.focus();
        }}
      >
        Skip to content
      </a>
      <Bar route={route} />
      <main id="content" tabIndex={-1}>
        <Whole key={JSON.stringify(route)}>
          <View route={route} />
        </Whole>
      </main>
    </>
  );
}

const places = [
  ['home', '#/', 'Search'],
  ['review', '#/review', 'Review'],
  ['approvals', '#/approvals', 'Approvals'],
  ['health', '#/health', 'Health'],
  ['live', '#/live', 'Live'],
  ['try', '#/try', 'Try'],
] as const;

function Bar({ route }: { readonly route: Route }) {
  const { client, session, signOut } = useDesk();
  const health = useLoad(
    'health',
    (signal) => client.health({ signal }),
    () => 15_000,
  );
  const waiting = health.data?.status === 'ok' ? (health.data.inReview?.length ?? 0) : 0;
  return (
    <header class="bar">
      <span class="brand">Wallet console</span>
      <nav aria-label="Parts of the console">
        <ul>
          {places
            .filter(([name]) => name !== 'try' || settings.development === true)
            .map(([name, href, text]) => (
              <li key={name}>
                <a href={href} aria-current={route.name === name ? 'page' : undefined}>
                  {text}
                  {name === 'review' && waiting > 0 && (
                    <span class="count">
                      {waiting}
                      <span class="unseen"> waiting</span>
                    </span>
                  )}
                </a>
              </li>
            ))}
        </ul>
      </nav>
      <div class="who">
        <span title={`Scopes: ${session.scopes.join(' ')}`}>{session.principal}</span>
        <ThemeSwitch />
        <button type="button" class="quiet" onClick={() => signOut()}>
          Sign out
        </button>
      </div>
    </header>
  );
}

/** Shows why a view cannot be shown, in its place: the bar and the other views go on. */
function Whole({ children }: { readonly children: ComponentChildren }) {
  const [error, reset] = useErrorBoundary((thrown) => reportError(thrown)) as [Error | undefined, () => void];
  if (error === undefined) return <>{children}</>;
  return (
    <>
      <Heading title="Not shown">This cannot be shown</Heading>
      <div class="notice bad" role="alert">
        <p>
          The service answered in a form that this page does not know: {error.message.slice(0, 200)}. The command{' '}
          <code>wallet</code> shows the answer as it is.
        </p>
        <button type="button" onClick={reset}>
          Try again
        </button>
      </div>
    </>
  );
}

function View({ route }: { readonly route: Route }) {
  switch (route.name) {
    case 'home':
      return <Home />;
    case 'search':
      return <SearchView key={route.id} text={route.id} />;
    case 'wallet':
      return <WalletView key={route.id} walletId={route.id} />;
    case 'transaction':
      return <TransactionView key={route.id} transactionId={route.id} />;
    case 'batch':
      return <BatchView key={route.id} batchId={route.id} />;
    case 'review':
      return <Review />;
    case 'approvals':
      return <Approvals />;
    case 'health':
      return <Health />;
    case 'live':
      return <Live />;
    case 'try':
      return settings.development === true ? <Try /> : <Home />;
  }
}
