/** The address of a part of the page: the text behind `#`. */

export type Route =
  | { readonly name: 'home' | 'review' | 'approvals' | 'health' | 'live' | 'try' }
  | { readonly name: 'search' | 'wallet' | 'transaction' | 'batch'; readonly id: string };

const plain = ['review', 'approvals', 'health', 'live', 'try'] as const;
const withId = { search: 'search', wallets: 'wallet', transactions: 'transaction', batches: 'batch' } as const;

/** The characters of the ids that the service makes. */
const idForm = /^[\w-]{1,128}$/;

/** Returns the part that an address names; the home for any other, and a search for what is no id. */
export function routeOf(hash: string): Route {
  const [first = '', id = ''] = hash.replace(/^#\/?/, '').split('/', 2);
  const name = plain.find((one) => one === first);
  if (name) return { name };
  const kind = Object.hasOwn(withId, first) ? withId[first as keyof typeof withId] : undefined;
  if (kind === undefined || id === '') return { name: 'home' };
  const text = decoded(id);
  // Any other text could lead a request to another route of the API: `..` to the one above.
  return { name: kind === 'search' || idForm.test(text) ? kind : 'search', id: text };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
