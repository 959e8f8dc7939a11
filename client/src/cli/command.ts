/** What a command of `wallet` is. */
import type { WalletClient } from '../client.ts';
import type { CallOptions, CommandOptions } from '../transport.ts';
import type { Io } from './io.ts';

/** An option of a command. */
export interface Option {
  readonly about: string;
  /** What stands for its value in the usage; absent: it takes none. */
  readonly value?: string;
}

/** The values of options, by name. */
export type Values = Readonly<Record<string, string | boolean | undefined>>;

/** What a command prints: `data` with `--json`, `text` for people. */
export interface Result {
  readonly data: unknown;
  readonly text: string;
  /** The exit code, where the command was carried out and its end is not the wanted one. */
  readonly exitCode?: number;
}

/** What a command works with. */
export interface Work {
  readonly io: Io;
  readonly client: WalletClient;
  /** The positional arguments, as many as the command has. */
  readonly given: readonly string[];
  /** Returns the value of an option; undefined when it is absent. */
  readonly option: (name: string) => string | undefined;
  readonly isSet: (name: string) => boolean;
  /** The settings of a call that changes something. */
  readonly command: CommandOptions;
  /** The settings of a read. */
  readonly read: CallOptions;
  readonly values: Values;
}

/** A command of `wallet`. */
export interface Command {
  readonly about: string;
  /** Its positional arguments. One in brackets may be absent. */
  readonly given: readonly string[];
  readonly options?: Readonly<Record<string, Option>>;
  /** Whether it changes something, and so takes `--key`. */
  readonly isKeyed?: boolean;
  readonly run: (work: Work) => Promise<Result>;
}
