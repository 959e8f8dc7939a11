/** Random fees, the wallet that they are collected into, and the hours in which they are. */
import { between, chance, choose } from './chance.ts';
import type { FeeSettings, Schedule } from './fees.ts';
import { walletIdOfName } from './history.ts';
import type { Action, History, Step, WalletName } from './history.ts';
import { epoch } from '../engine.ts';

/** The last is none. */
const rules = [
  ...[{ flat: 1 }, { flat: 10 }, { flat: 95 }, { basisPoints: 250 }],
  ...[
    { basisPoints: 1_000, minimum: 5, maximum: 40 },
    { flat: 3, basisPoints: 150, byCurrency: { JPY: { flat: 1 } } },
  ],
  ...[{ byCurrency: { JPY: { basisPoints: 500 } } }, {}],
] as const;

const revenue: WalletName = { principal: 'operator', key: 'revenue', currency: 'EUR' };
const hourMs = 3_600_000;

/** Returns some histories with fees, and the others as they are. */
export function withFees(history: History): History {
  const { seed, steps, service, hasBooks, restore } = history;
  if (chance(seed, 'fees') >= 0.35) return history;
  const last = Math.max(...steps.map(({ at }) => at));
  const from = between(4_000, last, seed, 'fees', 'change');
  const fees: FeeSettings = {
    first: newSchedule(seed, 'first'),
    ...(chance(seed, 'fees', 'changes') < 0.4 && {
      later: { from: epoch + from, schedule: newSchedule(seed, 'later') },
    }),
  };
  const priced = { ...history, service: { ...service, fees } };
  // After a restore without a recovery the totals have more fees than the wallet table.
  return hasBooks && restore === undefined ? withCollections(priced) : priced;
}

/** Returns a history with the wallet that its fees are collected into; one without fees as it is. */
export function withCollections(history: History): History {
  const { seed, steps, service } = history;
  if (service.fees === undefined || service.fees.revenueWallet !== undefined) return history;
  const more = collections(seed, Math.max(...steps.map(({ at }) => at)));
  return {
    ...history,
    steps: [...steps, ...more],
    service: { ...service, fees: { ...service.fees, revenueWallet: walletIdOfName(revenue) } },
    calmAt: Math.max(history.calmAt ?? 0, ...more.map(({ at }) => at + 1_000)),
  };
}

/** Returns a history without fees. */
export function withoutFees({ service: { fees: removed, ...service }, ...history }: History): History {
  return { ...history, service };
}

function newSchedule(seed: string, which: string): Schedule {
  const rule = (command: string) => choose(rules, seed, 'fees', which, command);
  return {
    transfer: rule('transfer'),
    withdrawal: rule('withdrawal'),
    capture: rule('capture'),
    charge: rule('charge'),
  };
}

/** Opens the revenue wallet, and lets the sweeper run soon after hours, also twice at about the same time. */
function collections(seed: string, last: number): Step[] {
  const step = (id: string, at: number, action: Action): Step => ({
    ...{ id, at, principal: 'operator', operator: true, retries: 4, action },
    key: action.do === 'create-wallet' ? revenue.key : id,
  });
  const first = Math.ceil(last / hourMs) * hourMs;
  const soon = (n: number) => first + n * hourMs + 301_000;
  const isFrozen = chance(seed, 'fees', 'frozen') < 0.3;
  return [
    step('revenue', 40, { do: 'create-wallet', currency: 'EUR', owner: 'treasury' }),
    ...[0, 1].flatMap((n) =>
      [0, 1, 2].map((nth) =>
        step(`collect-${n}.${nth}`, soon(n) + between(0, nth * 40, seed, 'collect', n, nth), { do: 'sweep' }),
      ),
    ),
    ...(isFrozen
      ? [
          step('freeze revenue', soon(0) - 1_000, { do: 'freeze', wallet: revenue }),
          step('unfreeze revenue', soon(1) - 1_000, { do: 'unfreeze', wallet: revenue }),
        ]
      : []),
    step('late charge', soon(0) + 60_000, { do: 'charge', wallet: revenue, amount: 700 }),
  ];
}
