import { useMemo, useState } from 'preact/hooks';
import type { Wallet } from '../../client/src/index.ts';
import { allows, useDesk } from '../context.ts';
import { CommandForm, Field, TextArea } from '../form.tsx';
import type { Values } from '../form.tsx';
import { useCommand } from '../load.ts';
import { changesIn, linesOf } from '../metadata.ts';
import type { MetadataChanges } from '../metadata.ts';
import { Empty, Facts, Section } from '../parts.tsx';

interface DetailsProps {
  readonly wallet: Wallet;
  readonly onChange: () => void;
}

/** Name, alias and metadata of a wallet, and for operators with `support` the way to change them. */
export function Details({ wallet, onChange }: DetailsProps) {
  const { session } = useDesk();
  const { name, alias, metadata = {} } = wallet;
  const texts = Object.entries(metadata);
  const isPlain = name === undefined && alias === undefined && texts.length === 0;
  return (
    <Section title="Name, alias and metadata">
      {isPlain && <Empty>It has none.</Empty>}
      <Facts
        facts={[
          ['Name', name],
          ['Alias', alias && `@${alias}`],
          ...texts.map(([text, value]) => [`Metadata ${text}`, value] as const),
        ]}
      />
      {allows(session, 'support') && wallet.status !== 'closed' && (
        <details>
          <summary>Change them</summary>
          <DetailsForm wallet={wallet} onChange={onChange} />
        </details>
      )}
    </Section>
  );
}

interface Change {
  readonly name?: string | null;
  readonly alias?: string | null;
  readonly metadata?: MetadataChanges;
}

function DetailsForm({ wallet, onChange }: DetailsProps) {
  const { client } = useDesk();
  // As the fields were filled: what another operator changes in between is not undone.
  const [seen, setSeen] = useState(wallet);
  const [wrong, setWrong] = useState<string>();
  // The same texts can be set once more, after others. To set them twice changes nothing.
  const form = useMemo(() => crypto.randomUUID(), [seen]);
  const command = useCommand(
    `change ${wallet.walletId} ${form}`,
    (body: Change, options) => client.wallet(wallet.walletId).change(body, options),
    () => 'The wallet is changed.',
  );
  const send = (texts: Values): void => {
    const change = changeOf(texts, seen);
    setWrong(typeof change === 'string' ? change : undefined);
    if (typeof change === 'string') return;
    void command.send(change).then((changed) => {
      if (!changed) return;
      setSeen(changed);
      onChange();
    });
  };
  const { name = '', alias = '', metadata } = seen;
  return (
    <CommandForm label="Change the wallet" button="Change" command={command} wrong={wrong} onSend={send}>
      <Field label="Name of the wallet" name="name" value={name} maxLength={128} />
      <Field
        label="Alias of the wallet"
        name="alias"
        value={alias}
        maxLength={30}
        hint="Without the @. An alias stays its owner's for ever, and an owner can take three."
      />
      <TextArea
        label="Metadata of the wallet"
        name="metadata"
        value={linesOf(metadata)}
        hint="A line “name: text” for each. A line that you remove is removed."
      />
    </CommandForm>
  );
}

/** Returns the difference between the texts of the form and the wallet; the words about what is wrong with them. */
function changeOf({ name = '', alias = '', metadata = '' }: Values, seen: Wallet): Change | string {
  const texts = changesIn(metadata, seen.metadata);
  if (typeof texts === 'string') return texts;
  const change = {
    ...(name !== (seen.name ?? '').trim() && { name: name === '' ? null : name }),
    ...(alias !== (seen.alias ?? '') && { alias: alias === '' ? null : alias }),
    ...(Object.keys(texts).length > 0 && { metadata: texts }),
  };
  return Object.keys(change).length === 0 ? 'Nothing is changed yet.' : change;
}
