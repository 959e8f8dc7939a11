/** The parts of the page. Each has an address behind `#`, so that links, bookmarks and the back button work. */
import { useEffect, useState } from 'preact/hooks';
import { routeOf } from './address.ts';
import type { Route } from './address.ts';

/** The addresses of the parts. */
export const hrefs = {
  search: (text: string) => `#/search/${encodeURIComponent(text)}`,
  wallet: (walletId: string) => `#/wallets/${walletId}`,
  transaction: (transactionId: string) => `#/transactions/${transactionId}`,
  batch: (batchId: string) => `#/batches/${batchId}`,
};

export function useRoute(): Route {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const follow = () => {
      setHash(location.hash);
    };
    addEventListener('hashchange', follow);
    return () => {
      removeEventListener('hashchange', follow);
    };
  }, []);
  return routeOf(hash);
}
