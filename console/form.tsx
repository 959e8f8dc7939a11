/** Forms: a label for each field, the refusal beside the button, and the success in words. */
import type { ComponentChildren } from 'preact';
import { useEffect, useId } from 'preact/hooks';
import { useDesk } from './context.ts';
import type { Command } from './load.ts';
import { Problem } from './parts.tsx';

export function Field(props: {
  readonly label: string;
  readonly name: string;
  readonly value?: string;
  readonly hint?: string;
  readonly required?: boolean;
  readonly type?: 'text' | 'password';
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
        {...(type === 'password' ? { type } : { type, ...(list && { list: `${id}-list` }) })}
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

/** The form of a command. `onSend` gets the texts of its fields. */
export function CommandForm<Body, T>(props: {
  readonly label: string;
  readonly button: string;
  readonly command: Command<Body, T>;
  readonly onSend: (values: Values) => void;
  readonly children?: ComponentChildren;
  readonly kind?: 'plain' | 'danger';
}) {
  const { command, button, kind = 'plain' } = props;
  const { announce } = useDesk();
  useEffect(() => {
    if (command.done !== undefined) announce(command.done);
  }, [command.done]);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    if (command.isBusy) return;
    const values = [...new FormData(event.currentTarget as HTMLFormElement)];
    props.onSend(
      Object.fromEntries(values.map(([name, value]) => [name, typeof value === 'string' ? value.trim() : ''])),
    );
  };
  return (
    <form aria-label={props.label} onSubmit={submit}>
      {props.children}
      <div class="send">
        <button type="submit" class={kind} aria-disabled={command.isBusy}>
          {button}
        </button>
        <span class="sent">{command.isBusy ? 'Sending …' : command.done}</span>
      </div>
      {command.error !== undefined && <Problem error={command.error} />}
    </form>
  );
}
