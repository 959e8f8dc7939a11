/** `wallet login` and `wallet logout`: the profiles. They print no token and no secret. */
import { createWalletClient } from '../client.ts';
import type { Option, Result, Values } from './command.ts';
import type { Io } from './io.ts';
import { profilesFile, readProfiles, tokenSourceOf, writeProfile } from './profiles.ts';
import type { Profile } from './profiles.ts';
import { UsageError } from './usage.ts';

/** The options of `wallet login`. */
export const loginOptions: Readonly<Record<string, Option>> = {
  'client-id': { value: 'ID', about: 'the client at the token issuer' },
  'secret-stdin': { about: "read the client's secret from the standard input" },
  'token-url': { value: 'URL', about: 'the token endpoint (URL/oauth/token)' },
  scope: { value: 'SCOPES', about: 'the scopes to ask for, separated by spaces' },
  'token-command': { value: 'COMMAND', about: 'a command that prints a token, in place of a client' },
};

/** Stores a profile, after it has got a token with it. */
export async function login(io: Io, name: string, url: string, values: Values): Promise<Result> {
  const text = (option: string) => (typeof values[option] === 'string' ? values[option] : undefined);
  const [clientId, tokenCommand, scope] = [text('client-id'), text('token-command'), text('scope')];
  if ((clientId === undefined) === (tokenCommand === undefined)) {
    throw new UsageError('login takes --client-id or --token-command');
  }
  const secret = values['secret-stdin'] === true ? (await io.readInput()).trim() : io.env['WALLET_CLIENT_SECRET'];
  const profile: Profile =
    tokenCommand === undefined
      ? {
          url,
          tokenUrl: text('token-url') ?? `${url.replace(/\/+$/, '')}/oauth/token`,
          ...(clientId !== undefined && { clientId }),
          ...(secret !== undefined && secret !== '' && { clientSecret: secret }),
          ...(scope !== undefined && { scope }),
        }
      : { url, tokenCommand };
  await tokenSourceOf(profile, io)?.();
  const health = await createWalletClient({ url, fetch: io.fetch }).health({ signal: io.signal });
  await writeProfile(io, name, profile);
  const file = profilesFile(io);
  return {
    data: { profile: name, url, file, health: health.status },
    text: `profile ${name} is stored in ${file}: the issuer gave a token, and ${url} is ${health.status}`,
  };
}

/** Removes a profile. */
export async function logout(io: Io, name: string): Promise<Result> {
  if (!Object.hasOwn(await readProfiles(io), name)) throw new UsageError(`there is no profile ${name}`);
  await writeProfile(io, name, undefined);
  return { data: { profile: name }, text: `profile ${name} is removed` };
}
