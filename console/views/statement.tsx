import { useState } from 'preact/hooks';
import type { StatementFile } from '../../client/src/index.ts';
import { allows, useDesk } from '../context.ts';
import { CommandForm, Field, Select } from '../form.tsx';
import type { Values } from '../form.tsx';
import { useCommand, useLoad } from '../load.ts';
import { Answer, Section, Time } from '../parts.tsx';

const formats = [
  ['csv', 'CSV'],
  ['camt.053', 'camt.053'],
  ['json', 'JSON'],
] as const;

interface StatementBody {
  readonly from: string;
  readonly to?: string;
  readonly format: 'csv' | 'camt.053' | 'json';
}

/** Statements of a wallet as files; nothing where the deployment does not make them. */
export function StatementFiles({ walletId }: { readonly walletId: string }) {
  const { client, session, settings } = useDesk();
  const [made, setMade] = useState<string>();
  const command = useCommand(
    `statement ${walletId}`,
    (body: StatementBody, options) => client.wallet(walletId).requestStatementFile(body, options),
    () => 'Asked for.',
  );
  if (!settings.features.includes('statementFiles') || !allows(session, 'support')) return null;
  const send = ({ from = '', to = '', format }: Values): void => {
    const body = { from: startOf(from), ...(to !== '' && { to: startOf(to) }), format } as StatementBody;
    void command.send(body).then((file) => {
      if (file) setMade(file.statementId);
    });
  };
  const now = new Date().toISOString();
  return (
    <Section title="Statement">
      <CommandForm label="Statement" button="Make the file" command={command} onSend={send}>
        <Field label="From (UTC)" name="from" type="date" required value={`${now.slice(0, 8)}01`} />
        <Field label="Until, not included (UTC)" name="to" type="date" hint="Empty: until now." />
        <Select label="Format" name="format" options={formats} />
      </CommandForm>
      {made !== undefined && <Made key={made} statementId={made} />}
    </Section>
  );
}

const startOf = (day: string): string => `${day}T00:00:00Z`;

/** The link to a file, which is asked for again before it ends to work. */
function Made({ statementId }: { readonly statementId: string }) {
  const { client } = useDesk();
  const file = useLoad(
    `statement ${statementId}`,
    (signal) => client.statementFile(statementId).get({ signal }),
    (found) => (found?.file === undefined ? 1_000 : 60_000),
  );
  return (
    <Answer loaded={file} label="the file">
      {(found) => <Link {...found} />}
    </Answer>
  );
}

function Link({ file, from, to, format }: StatementFile) {
  if (file === undefined) {
    return (
      <p class="hint" role="status">
        The service makes the file.
      </p>
    );
  }
  return (
    <p role="status">
      <a href={file.url} download rel="noreferrer" target="_blank">
        Statement as {format}, {file.bytes} bytes
      </a>{' '}
      from <Time at={from} /> until <Time at={to} />. The link works until <Time at={file.expiresAt} />.
    </p>
  );
}
