import { createHash } from 'node:crypto';

const longest = 64;
const form = /^[!-~]{1,64}$/;

/**
 * Returns the id of a bank, which stays on the record of each withdrawal that was submitted to it.
 *
 * @param idOrUrl an id of 1 to 64 printable characters without spaces, or the bank's base URL: its host and path are
 * the id
 */
export function bankIdOf(idOrUrl: string): string {
  const id = /^https?:\/\//.test(idOrUrl) ? idOfUrl(new URL(idOrUrl)) : idOrUrl;
  if (!form.test(id)) throw new Error(`a bank's id must be 1 to 64 printable characters, received "${id}"`);
  return id;
}

function idOfUrl({ host, pathname }: URL): string {
  const address = host + pathname.replace(/\/+$/, '');
  if (address.length <= longest) return address;
  const hash = createHash('sha256').update(address).digest('hex').slice(0, 16);
  return `${address.slice(0, longest - hash.length - 1)}~${hash}`;
}
