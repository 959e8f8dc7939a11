/** Sums of the files, and of what the tables have of them at the end. */
import { forEachOf } from '../../lambdas/aws/parallel.ts';
import { isBeingImported } from '../../lambdas/domain/wallet.ts';
import type { Wallet } from '../../lambdas/domain/wallet.ts';
import { readImported } from '../../lambdas/store/imports.ts';
import type { ImportedRecord } from '../../lambdas/store/imports.ts';
import { getWallets } from '../../lambdas/store/wallets.ts';
import { readable } from '../../lambdas/store/unreadable.ts';
import type { Book, Sum } from './book.ts';
import type { Run } from './write.ts';

/** Sums of movements by currency and kind, as `EUR charge`. */
export class Sums {
  readonly #sums = new Map<string, Sum>();

  add(currency: string, kind: string, { count, amount }: Sum): void {
    const name = `${currency} ${kind}`;
    const before = this.of(name);
    this.#sums.set(name, { count: before.count + count, amount: before.amount + amount });
  }

  of(name: string): Sum {
    return this.#sums.get(name) ?? { count: 0, amount: 0n };
  }

  names(): string[] {
    return [...this.#sums.keys()].sort();
  }
}

const pageSize = 100;

/** Returns the sums of the files, and what is new of them. */
export function sumsOf(book: Book): { readonly all: Sums; readonly fresh: Sums } {
  const [all, fresh] = [new Sums(), new Sums()];
  for (const { currency, kind, known, ...sum } of book.sums()) {
    all.add(currency, kind, sum);
    if (known === 0) fresh.add(currency, kind, sum);
  }
  return { all, fresh };
}

/**
 * Reads all that the files have back from the table, and reports what differs: movements, and the balances of wallets that only
 * imports have written.
 *
 * @returns the sums of the table
 */
export async function compare({ table, book, findings, atATime, progress }: Run): Promise<Sums> {
  const sums = new Sums();
  await forEachOf(book.linePages(pageSize, 1), atATime, async (page) => {
    const records = await readImported(
      table,
      page.map(({ key }) => key),
    );
    for (const { key, content, file, line, wallet_currency: currency, kind, amount } of page) {
      const record = records.get(key);
      if (record === undefined) {
        findings.add({ file, line, code: 'missing_in_table', detail: `the table has no ${key}` });
        continue;
      }
      sums.add(record.currency, kindOf(record), { count: 1, amount: BigInt(record.amount) });
      const isSame = record.amount === amount && record.currency === currency && kindOf(record) === kind;
      if (isSame && record.fingerprint === content) continue;
      const detail = `the table has a ${kindOf(record)} of ${record.amount} ${record.currency} as ${key}`;
      findings.add({ file, line, code: 'record_differs', detail });
    }
    progress(page.length);
  });
  await forEachOf(book.walletPages(pageSize), atATime, async (page) => {
    const wallets = await getWallets(
      table,
      page.map(({ wallet_id: id }) => id),
    );
    for (const { ref, wallet_id: id, file, line, state, balance, changes } of page) {
      const wallet = readable(wallets.get(id));
      if (wallet === undefined) {
        findings.add({ file, line, code: 'missing_in_table', detail: `the table has no wallet "${ref}"` });
      } else if (
        state !== 'closed' &&
        !isActivated(wallet) &&
        (!isBeingImported(wallet) || wallet.total !== balance || wallet.version !== changes)
      ) {
        const detail =
          `wallet "${ref}" has ${String(wallet.total)} after ${wallet.version} changes, ` +
          `and the files add up to ${balance} after ${changes}`;
        findings.add({ file, line, code: 'balance_differs', detail });
      }
    }
    progress(page.length);
  });
  return sums;
}

/** Returns whether another run has made a wallet active meanwhile, and so compared it. */
function isActivated({ importedVersion }: Pick<Wallet, 'importedVersion'>): boolean {
  return importedVersion === undefined;
}

function kindOf({ type, opening }: ImportedRecord): string {
  return opening ? 'opening' : type;
}
