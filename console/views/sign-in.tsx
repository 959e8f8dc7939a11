import { useState } from 'preact/hooks';
import type { ConsoleSettings } from '../../lambdas/contract.ts';
import { Field } from '../form.tsx';
import { beginSignIn, keepSession, signInForDevelopment } from '../session.ts';
import type { Session } from '../session.ts';
import { ThemeSwitch } from '../theme.tsx';

/** The ways to a token: the issuer of the deployment, one that is pasted, and in the runner one for the asking. */
export function SignIn(props: {
  readonly settings: ConsoleSettings;
  readonly reason: string | undefined;
  readonly onSession: (session: Session) => void;
}) {
  const { settings, reason, onSession } = props;
  const { signIn, development } = settings;
  const [problem, setProblem] = useState<string>();
  const use = (session: Session | undefined): void => {
    if (!session) setProblem('This is no access token: it has three parts with dots between them.');
    else if (session.expiresAt !== undefined && session.expiresAt <= Date.now()) setProblem('This token is over.');
    else onSession(session);
  };
  const fail = (error: unknown): void => {
    setProblem(error instanceof Error ? error.message : String(error));
  };
  return (
    <div class="sign-in">
      <h1>Wallet console</h1>
      {(problem ?? reason) !== undefined && (
        <p class="notice bad" role="alert">
          {problem ?? reason}
        </p>
      )}
      {development === true && <DevelopmentForm onSession={use} onFailure={fail} />}
      {signIn && (
        <section aria-label="Sign in">
          <button type="button" onClick={() => void beginSignIn(signIn).catch(fail)}>
            Sign in
          </button>
        </section>
      )}
      <PasteForm onToken={(token) => use(keepSession(token))} />
      <ThemeSwitch />
    </div>
  );
}

const roles = 'wallet:operate';

function DevelopmentForm(props: {
  readonly onSession: (session: Session | undefined) => void;
  readonly onFailure: (error: unknown) => void;
}) {
  return (
    <section aria-label="Sign in for development">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const values = new FormData(event.currentTarget);
          signInForDevelopment(textOf(values, 'name') || 'operator', textOf(values, 'scope')).then(
            props.onSession,
            props.onFailure,
          );
        }}
      >
        <Field
          label="Your name"
          name="name"
          value="operator"
          hint="This service runs on your machine, and believes every name. Sign in with another one to approve what this one asks for."
        />
        <Field label="Scopes" name="scope" value={roles} hint="wallet:operate includes charge, support and decide." />
        <div class="send">
          <button type="submit">Sign in</button>
        </div>
      </form>
    </section>
  );
}

function PasteForm({ onToken }: { readonly onToken: (token: string) => void }) {
  return (
    <section aria-label="Use an access token">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          onToken(textOf(new FormData(event.currentTarget), 'token'));
        }}
      >
        <Field
          label="Access token"
          name="token"
          type="password"
          required
          hint="It is kept for this tab only, and sent to this service only. It needs the scope support at least."
        />
        <div class="send">
          <button type="submit" class="quiet">
            Use the token
          </button>
        </div>
      </form>
    </section>
  );
}

function textOf(values: FormData, name: string): string {
  const value = values.get(name);
  return typeof value === 'string' ? value.trim() : '';
}
