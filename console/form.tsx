/** Forms: a label for each field, the refusal beside the button, and the success in words. */
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useState } from 'preact/hooks';
import { useDesk } from './context.ts';
import type { Command } from './load.ts';
import { amountIn, amountText, decimalsOf } from './money.ts';
import { Problem } from './parts.tsx';

export function Field(props: {
  readonly label: string;
  readonly name: string;
  readonly value?: string;
  readonly hint?: string;
  readonly required?: boolean;
  readonly type?: 'text' | 'password' | 'date';
  readonly inputMode?: 'decimal' | 'text';
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly list?: readonly string[];
}) {
  const id = useId();
  const { label, hint, list, value, type = 'text', ...input } = props;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        {...input}
        {...(type === 'text' ? { type, ...(list && { list: `${id}-list` }) } : { type })}
        id={id}
        defaultValue={value ?? ''}
        autocomplete="off"
        spellcheck={false}
        {...(hint !== undefined && { 'aria-describedby': `${id}-hint` })}
      />
      {list && (
        <datalist id={`${id}-list`}>
          {list.map((one) => (
            <option key={one} value={one} />
          ))}
        </datalist>
      )}
      {hint !== undefined && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}

export function TextArea(props: {
  readonly label: string;
  readonly name: string;
  readonly value?: string;
  readonly hint: string;
  readonly required?: boolean;
  readonly maxLength?: number;
}) {
  const id = useId();
  const { label, hint, value, ...area } = props;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <textarea {...area} id={id} defaultValue={value ?? ''} rows={3} aria-describedby={`${id}-hint`} />
      <p class="hint" id={`${id}-hint`}>
        {hint}
      </p>
    </div>
  );
}

/** A box to tick. Its value is `on`, and absent where it is not ticked. */
export function Check({ label, name }: { readonly label: string; readonly name: string }) {
  return (
    <label class="check">
      <input type="checkbox" name={name} /> {label}
    </label>
  );
}

export function Select(props: {
  readonly label: string;
  readonly name: string;
  readonly options: readonly (readonly [value: string, text: string])[];
}) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{props.label}</label>
      <select id={id} name={props.name}>
        {props.options.map(([value, text]) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </select>
    </div>
  );
}

/** The texts of a form by the names of its fields, without spaces at their ends. */
export type Values = Readonly<Record<string, string>>;

/** A part of an amount as an operator wrote it: its minor units, all of it, or the words about a text that is neither. */
type Part = { readonly amount?: number } | { readonly wrong: string };

/** Returns the part of `left` that a text names; an empty text is all of it. */
export function partOf(text: string, left: number, currency: string): Part {
  if (text === '') return {};
  const amount = amountIn(text, currency);
  if (amount === undefined) return { wrong: amountHint(currency) };
  return amount > left ? { wrong: `That is more than ${amountText(left, currency)}, which is left.` } : { amount };
}

/** Returns the words about a text that is no amount. */
export function amountHint(currency: string): string {
  return `Write an amount with up to ${decimalsOf(currency)} decimals.`;
}

/**
 * The form of a command. `onSend` gets the texts of its fields. With `isOnce` a second click after a success sends nothing
 * until a field changes: it would move money again.
 */
export function CommandForm<Body, T>(props: {
  readonly label: string;
  readonly button: string;
  readonly command: Command<Body, T>;
  readonly onSend: (values: Values) => void;
  readonly children?: ComponentChildren;
  readonly kind?: 'plain' | 'danger';
  /** What is wrong with a field, before anything is sent. */
  readonly wrong?: string | undefined;
  readonly isOnce?: boolean;
}) {
  const { command, button, kind = 'plain', wrong, isOnce = false } = props;
  const { announce } = useDesk();
  const [changed, setChanged] = useState(false);
  const isSent = isOnce && command.done !== undefined && !changed;
  useEffect(() => {
    if (command.done !== undefined) announce(command.done);
  }, [command.done]);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    if (command.isBusy || isSent) return;
    setChanged(false);
    const values = [...new FormData(event.currentTarget as HTMLFormElement)];
    props.onSend(
      Object.fromEntries(values.map(([name, value]) => [name, typeof value === 'string' ? value.trim() : ''])),
    );
  };
  return (
    <form aria-label={props.label} onSubmit={submit} onInput={() => setChanged(true)}>
      {props.children}
      <div class="send">
        <button type="submit" class={kind} aria-disabled={command.isBusy || isSent}>
          {button}
        </button>
        <span class="sent">{command.isBusy ? 'Sending …' : command.done}</span>
      </div>
      {wrong !== undefined && (
        <p class="notice bad" role="alert">
          {wrong}
        </p>
      )}
      {command.error !== undefined && <Problem error={command.error} />}
    </form>
  );
}
