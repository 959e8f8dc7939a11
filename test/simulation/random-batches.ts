/** Random batches of payments out of the wallets of a history. */
import { between, chance, choose } from './chance.ts';
import type { Action, History, Line, Step, WalletName } from './history.ts';

const accounts = ['OK-1', 'OK-2', 'REJECT-1', 'LATE-1'] as const;
const amounts = [1, 40, 100, 300, 700] as const;

/** Returns some histories with batches, and the others as they are. */
export function withBatches(history: History): History {
  const { seed, steps, restore } = history;
  // A restored table forgets lines that were refused, and makes them then.
  if (restore !== undefined || chance(seed, 'batches') >= 0.25) return history;
  const wallets = steps.flatMap(({ principal, key, action }): WalletName[] =>
    action.do === 'create-wallet' ? [{ principal, key, currency: action.currency }] : [],
  );
  const last = Math.max(...steps.map(({ at }) => at));
  const files = between(1, 3, seed, 'files');
  const batches = Array.from({ length: files }, (_, n): Step => {
    const isRepeated = n > 0 && chance(seed, 'file again', n) < 0.3;
    const nth = isRepeated ? n - 1 : n;
    const lines = linesFor(seed, wallets, chance(seed, 'another file', n) < 0.2 ? n : nth);
    return newStep(seed, n, between(4_000, last, seed, 'batch', n), `batch-${nth}`, { do: 'create-batch', lines });
  });
  const reads = batches.map(({ principal, key, at }, n): Step => {
    const kind = choose(['get-batch', 'list-batch-items'] as const, seed, 'reads', n);
    const action: Action = { do: kind, target: { principal, key } };
    return newStep(seed, files + n, at + between(0, 20_000, seed, 'read', n), '', action);
  });
  return { ...history, steps: [...steps, ...batches, ...reads] };
}

/** Returns a history without batches. */
export function withoutBatches({ steps, ...history }: History): History {
  return { ...history, steps: steps.filter(({ action }) => !ofBatches.has(action.do)) };
}

const ofBatches: ReadonlySet<string> = new Set<Action['do']>(['create-batch', 'get-batch', 'list-batch-items']);

function newStep(seed: string, n: number, at: number, key: string, action: Action): Step {
  const isStranger = chance(seed, 'batch of a stranger', n) < 0.05;
  const principal = isStranger ? 'alice' : 'operator';
  const retries = choose([0, 1, 4], seed, 'batch again', n);
  return { id: `b${n}`, at, principal, operator: !isStranger, key, retries, action };
}

/** Returns the lines of a file: most are paid by one wallet. */
function linesFor(seed: string, wallets: readonly WalletName[], nth: number): Line[] {
  const payer = choose(wallets, seed, 'payer', nth);
  return Array.from({ length: between(1, 9, seed, 'lines', nth) }, (_, n): Line => {
    const wallet = chance(seed, 'other payer', nth, n) < 0.3 ? choose(wallets, seed, 'payer', nth, n) : payer;
    const others = wallets.filter(
      ({ key, currency }) =>
        (key !== wallet.key && currency === wallet.currency) || chance(seed, 'bad line', nth, n) < 0.01,
    );
    const line = { key: `line-${n}`, wallet, amount: choose(amounts, seed, 'line', nth, n) };
    return others.length === 0 || chance(seed, 'withdrawal', nth, n) < 0.3
      ? { ...line, account: choose(accounts, seed, 'account', nth, n) }
      : { ...line, to: choose(others, seed, 'to', nth, n) };
  });
}
