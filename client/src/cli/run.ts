/** `wallet`: the service from a shell. */
import { parseArgs } from 'node:util';
import { createWalletClient } from '../client.ts';
import type { TokenSource } from '../client.ts';
import { WalletServiceError } from '../errors.ts';
import type { Command, Option, Result, Values } from './command.ts';
import { commands } from './commands.ts';
import { completionFor } from './completion.ts';
import { exits, failureOf, quoted } from './exits.ts';
import type { Io } from './io.ts';
import { login, loginOptions, logout } from './login.ts';
import { readProfiles, tokenSourceOf } from './profiles.ts';
import type { Profile } from './profiles.ts';
import { jsonText, plainLines } from './text.ts';
import { numberIn, UsageError } from './usage.ts';

const defaultUrl = 'http://127.0.0.1:3000';
const defaultProfile = 'default';

/** Options of every command. */
const everywhere: Readonly<Record<string, Option>> = {
  url: { value: 'URL', about: `the service (WALLET_URL, the profile, or ${defaultUrl})` },
  token: { value: 'TOKEN', about: 'a bearer token (WALLET_TOKEN keeps it out of the list of processes)' },
  profile: { value: 'NAME', about: `the profile of wallet login (WALLET_PROFILE, or ${defaultProfile})` },
  retry: { value: 'SECONDS', about: 'how long to repeat a request that has no certain answer (60)' },
  json: { about: 'print JSON' },
  help: { about: 'print this' },
};
const keyed: Readonly<Record<string, Option>> = {
  key: { value: 'KEY', about: 'the Idempotency-Key: the same command with the same key moves no money again' },
};

/** The commands that call no route of the service. */
const ownCommands: Readonly<Record<string, Pick<Command, 'about' | 'given' | 'options'>>> = {
  login: { about: 'store a profile: a service, and how to get a token for it', given: [], options: loginOptions },
  logout: { about: 'remove a profile', given: [] },
  completion: { about: 'print the completion for bash, zsh or fish', given: ['SHELL'] },
};
const all: Readonly<Record<string, Pick<Command, 'about' | 'given' | 'options' | 'isKeyed'>>> = {
  ...commands,
  ...ownCommands,
};

/** Runs a command line. Returns the exit code. */
export async function run(argv: readonly string[], terminal: Io): Promise<number> {
  const io: Io = {
    ...terminal,
    print: (text) => {
      terminal.print(plainLines(text));
    },
    note: (text) => {
      terminal.note(plainLines(text));
    },
  };
  const [name = '', ...rest] = argv;
  const isJson = rest.includes('--json');
  // Made here, so that it can be printed when the command is interrupted.
  const key = crypto.randomUUID() as string;
  let sentKey: string | undefined;
  try {
    if (name === '' || name === '--help' || name === 'help') {
      io.print(usage());
      return exits.done;
    }
    const spec = Object.hasOwn(all, name) ? all[name] : undefined;
    if (spec === undefined) throw new UsageError(`there is no command ${name}`);
    const { values, given } = parse(name, spec, rest);
    if (values['help'] === true) {
      io.print(usageOf(name, spec));
      return exits.done;
    }
    if (spec.isKeyed === true) sentKey = typeof values['key'] === 'string' ? values['key'] : key;
    const { data, text, exitCode = exits.done } = await resultOf(name, { given, values, key: sentKey }, io);
    io.print(isJson ? jsonText(data) : text);
    return exitCode;
  } catch (error) {
    return io.signal.aborted ? interrupted(io, sentKey) : fail(error, isJson, io);
  }
}

interface Asked {
  readonly given: readonly string[];
  readonly values: Values;
  readonly key: string | undefined;
}

async function resultOf(name: string, { given, values, key }: Asked, io: Io): Promise<Result> {
  if (name === 'completion') {
    const text = completionFor(given[0] ?? '', namesOfOptions());
    return { data: text, text };
  }
  const profileName = textIn(values, 'profile') ?? io.env['WALLET_PROFILE'] ?? defaultProfile;
  if (name === 'logout') return logout(io, profileName);
  const profiles = await readProfiles(io);
  const profile = Object.hasOwn(profiles, profileName) ? profiles[profileName] : undefined;
  if (name !== 'login' && profile === undefined && profileName !== defaultProfile) {
    throw new UsageError(`there is no profile ${profileName}: wallet login --profile ${profileName} makes it`);
  }
  const url = textIn(values, 'url') ?? io.env['WALLET_URL'] ?? profile?.url ?? defaultUrl;
  if (!/^https?:\/\/[^\s]+$/.test(url)) throw new UsageError(`--url takes an address such as ${defaultUrl}`);
  if (name === 'login') return login(io, profileName, url, values);
  const token = tokenOf(values, { url, profile }, io);
  const retries = { totalMs: 1000 * numberIn(textIn(values, 'retry') ?? '60', 'retry', 86_400) };
  const client = createWalletClient({ url, token, fetch: io.fetch, retries });
  const { signal } = io;
  const command = commands[name];
  if (command === undefined) throw new UsageError(`there is no command ${name}`);
  return command.run({
    ...{ io, client, given, values },
    option: (option) => textIn(values, option),
    isSet: (option) => values[option] === true,
    command: {
      signal,
      key,
      onAnswer({ replayed }) {
        if (replayed) io.note('the command was carried out before: this is its transaction or wallet as it is now');
      },
    },
    read: { signal },
  });
}

/**
 * Returns the way to a token. The token of a profile is for the service of the profile: it is sent to no other address.
 */
function tokenOf(
  values: Values,
  { url, profile }: { readonly url: string; readonly profile: Profile | undefined },
  io: Io,
): TokenSource | undefined {
  const token = textIn(values, 'token') ?? io.env['WALLET_TOKEN'];
  if (token !== undefined && token !== '') return token;
  if (profile === undefined || profile.url !== url) return undefined;
  return tokenSourceOf(profile, io);
}

function textIn(values: Values, name: string): string | undefined {
  const value = values[name];
  return typeof value === 'string' ? value : undefined;
}

/** Returns the options and arguments of a command. */
function parse(
  name: string,
  spec: Pick<Command, 'given' | 'options' | 'isKeyed'>,
  argv: readonly string[],
): { readonly values: Values; readonly given: readonly string[] } {
  const options = Object.entries(optionsOf(spec)).map(([option, { value }]) => {
    return [option, { type: value === undefined ? ('boolean' as const) : ('string' as const) }] as const;
  });
  let parsed;
  try {
    parsed = parseArgs({ args: [...argv], options: Object.fromEntries(options), allowPositionals: true });
  } catch (cause) {
    throw new UsageError(cause instanceof Error ? cause.message : String(cause), { cause });
  }
  const { positionals, values } = parsed;
  const least = spec.given.filter((one) => !one.startsWith('[')).length;
  if (values['help'] !== true && (positionals.length < least || positionals.length > spec.given.length)) {
    throw new UsageError(`write: wallet ${[name, ...spec.given].join(' ')}`);
  }
  return { values: values, given: positionals };
}

function optionsOf({ options = {}, isKeyed = false }: Pick<Command, 'options' | 'isKeyed'>): Record<string, Option> {
  return { ...options, ...(isKeyed && keyed), ...everywhere };
}

function namesOfOptions(): Record<string, readonly string[]> {
  return Object.fromEntries(Object.entries(all).map(([name, spec]) => [name, Object.keys(optionsOf(spec))]));
}

function fail(error: unknown, isJson: boolean, io: Io): number {
  const { exitCode, message, advice, data } = failureOf(error);
  if (isJson) {
    io.note(jsonText({ error: data, exitCode, ...(advice !== undefined && { advice }) }));
  } else {
    io.note(`wallet: ${message}`);
    if (error instanceof WalletServiceError && error.requestId !== undefined) io.note(`request ${error.requestId}`);
    if (advice !== undefined) io.note(advice);
  }
  return exitCode;
}

function interrupted(io: Io, key: string | undefined): number {
  const about =
    key === undefined ? '' : `: it may have been carried out, so repeat the same command with --key ${quoted(key)}`;
  io.note(`wallet: interrupted${about}`);
  return exits.interrupted;
}

function usage(): string {
  const width = Math.max(...Object.keys(all).map((name) => name.length));
  const list = Object.entries(all).map(([name, { about }]) => `  ${name.padEnd(width)}  ${about}`);
  return `wallet COMMAND [options]

${list.join('\n')}

Amounts are whole numbers of minor units: 1250 is 12.50 dollars. wallet COMMAND --help shows the options.`;
}

function usageOf(name: string, spec: Pick<Command, 'about' | 'given' | 'options' | 'isKeyed'>): string {
  const options = Object.entries(optionsOf(spec)).map(([option, { value, about }]) => {
    return [value === undefined ? `--${option}` : `--${option} ${value}`, about] as const;
  });
  const width = Math.max(...options.map(([option]) => option.length));
  return `wallet ${[name, ...spec.given].join(' ')} [options]: ${spec.about}

${options.map(([option, about]) => `  ${option.padEnd(width)}  ${about}`).join('\n')}`;
}
