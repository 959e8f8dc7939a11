/** The profiles of `wallet login`: where a service is, and how to get a token for it. The file is for its user alone. */
import { execFile } from 'node:child_process';
import { chmod, mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { homedir, platform } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { clientCredentials } from '../credentials.ts';
import type { Io } from './io.ts';
import { UsageError } from './usage.ts';

/** A service, and the way to a token. */
export interface Profile {
  readonly url: string;
  /** A shell command that prints a token. */
  readonly tokenCommand?: string;
  readonly tokenUrl?: string;
  readonly clientId?: string;
  readonly clientSecret?: string;
  readonly scope?: string;
}

type Profiles = Readonly<Record<string, Profile>>;

/** Returns the path of the file with the profiles. */
export function profilesFile({ env }: Io): string {
  return join(env['XDG_CONFIG_HOME'] ?? join(env['HOME'] ?? homedir(), '.config'), 'wallet', 'config.json');
}

/** Returns all profiles. Refuses a file that others can read, because it may have secrets. */
export async function readProfiles(io: Io): Promise<Profiles> {
  const file = profilesFile(io);
  let text: string;
  try {
    const { mode } = await stat(file);
    if (platform() !== 'win32' && (mode & 0o077) !== 0) {
      throw new UsageError(`others can read ${file}, which may have secrets: run chmod 600 ${file}`);
    }
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
  try {
    return (JSON.parse(text) as { readonly profiles?: Profiles }).profiles ?? {};
  } catch (cause) {
    throw new UsageError(`${file} is not JSON: mend it, or delete it and run wallet login`, { cause });
  }
}

/** Stores a profile; undefined removes it. A crash leaves the old file or the new one. */
export async function writeProfile(io: Io, name: string, profile: Profile | undefined): Promise<void> {
  const file = profilesFile(io);
  const { [name]: _replaced, ...others } = await readProfiles(io);
  const profiles = profile === undefined ? others : { ...others, [name]: profile };
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const next = `${file}.${process.pid}`;
  await writeFile(next, `${JSON.stringify({ profiles }, undefined, 2)}\n`, { mode: 0o600 });
  await chmod(next, 0o600);
  await rename(next, file);
}

/** Returns the source of tokens of a profile; undefined where it has none. */
export function tokenSourceOf(profile: Profile, io: Io): (() => Promise<string>) | undefined {
  const { tokenCommand, tokenUrl, clientId, clientSecret, scope } = profile;
  if (tokenCommand !== undefined) return () => tokenFrom(tokenCommand, io);
  if (tokenUrl === undefined || clientId === undefined) return undefined;
  return clientCredentials({ tokenUrl, clientId, clientSecret, scope, fetch: io.fetch });
}

/** Runs the user's own command. Returns the token that it prints. */
async function tokenFrom(command: string, { env, signal }: Io): Promise<string> {
  const [shell, flag] = platform() === 'win32' ? ['cmd.exe', '/c'] : ['/bin/sh', '-c'];
  const run = promisify(execFile);
  const { stdout } = await run(shell, [flag, command], { env: { ...env }, signal }).catch((error: unknown) => {
    const { stderr = '' } = error as { readonly stderr?: string };
    throw new UsageError(`the token command of the profile failed: ${stderr.trim() || 'it printed no reason'}`);
  });
  const token = stdout.trim();
  if (!/^[\w.~+/=-]+$/.test(token)) throw new UsageError('the token command of the profile printed no token');
  return token;
}
