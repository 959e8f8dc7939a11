/**
 * `npm run capacity`: computes the needs of a load from the commands' use of DynamoDB, which it measures on a local
 * engine. It prints the nearest limit, function instances, latencies and cost. Times of AWS are assumed unless they are
 * given.
 */
import { readOptions } from '../bin/options.ts';
import { measureBudgets } from './budgets.ts';
import { linesOfWrite } from './command-budgets.ts';
import {
  assumedTimes,
  concurrencyOf,
  costOfMillion,
  costOfMillionBalances,
  latencyOf,
  limitsOf,
  useOf,
} from './capacity-model.ts';
import type { Billing, Load, Times, Units, Use } from './capacity-model.ts';
import { checkUnits, costOfHours, costOfPass } from './check-model.ts';
import type { CheckUnits } from './check-model.ts';
import { measureFollowing } from './following.ts';
import { figure, table, verdict } from './report.ts';
import { startService } from './service.ts';

const usage = `npm run capacity -- [options]

  --rate N          commands a second; without it 12,000 an hour, 4,000 and 100,000 a second
  --mix C:T:W       charges to transfers to withdrawals (10:0:2 for the first, 6:3:1 for the others)
  --reads N         balances for each command (1)
  --hottest S       share of the commands that meet the busiest wallet (0.001)
  --write-ms A:B    p50 and p99 of a transactional write in your region (${assumedTimes.write.p50}:${assumedTimes.write.p99})
  --bank-ms A:B     p50 and p99 of a call to your bank (${assumedTimes.bank.p50}:${assumedTimes.bank.p99})`;

const options = readOptions(usage, {
  rate: { type: 'string' },
  mix: { type: 'string' },
  reads: { type: 'string', default: '1' },
  hottest: { type: 'string', default: '0.001' },
  'write-ms': { type: 'string' },
  'bank-ms': { type: 'string' },
});

/** Returns numbers with colons between them. */
function numbersOf(name: string, text: string, count: number): number[] {
  const numbers = text.split(':').map(Number);
  if (numbers.length === count && numbers.every((number) => number >= 0)) return numbers;
  console.error(
    `--${name} takes ${count === 1 ? 'a number' : `${count} numbers with colons between them`}\n\n${usage}`,
  );
  process.exit(1);
}

function loadOf(rate: number, mix: string): Load {
  const [charges = 0, transfers = 0, withdrawals = 0] = numbersOf('mix', mix, 3);
  const share = rate / (charges + transfers + withdrawals);
  const [reads = 0] = numbersOf('reads', options.reads, 1);
  const [hottest = 0] = numbersOf('hottest', options.hottest, 1);
  return {
    charges: charges * share,
    transfers: transfers * share,
    withdrawals: withdrawals * share,
    balances: rate * reads,
    hottest,
  };
}

function timesOf(): Times {
  const given = (name: 'write-ms' | 'bank-ms') => {
    const text = options[name];
    if (text === undefined) return undefined;
    const [p50 = 0, p99 = 0] = numbersOf(name, text, 2);
    return { p50, p99 };
  };
  return {
    ...assumedTimes,
    write: given('write-ms') ?? assumedTimes.write,
    bank: given('bank-ms') ?? assumedTimes.bank,
  };
}

/** What is measured: the units of the commands of a load, and what others use. */
interface Measured {
  readonly units: Units;
  /** By name; each is one command, or one line of a batch. */
  readonly others: Readonly<Record<string, Use>>;
}

async function measureUses(): Promise<Measured> {
  const service = await startService();
  try {
    const steps = await measureBudgets(service);
    const following = await measureFollowing(service);
    const unitsOf = (step: string) => steps.find((one) => one.step === step)?.writeUnits ?? NaN;
    const after = (command: string) => following.findLast((row) => row.command === command)?.sum ?? NaN;
    /** Returns the units of steps that one request or worker makes each, for each of `share` commands. */
    const sumOf = (names: readonly string[], share = 1) => {
      const made = names.map((name) => steps.find(({ step }) => step === name));
      const sum = (kind: 'writeUnits' | 'readUnits') =>
        made.reduce((all, one) => all + (one?.[kind] ?? NaN), 0) / share;
      return { writeUnits: sum('writeUnits'), readUnits: sum('readUnits') };
    };
    const useBy = (
      names: readonly string[],
      consumers: number,
      more: Pick<Use, 'requests' | 'events' | 'records'> & Partial<Use> & { readonly share?: number },
    ): Use => {
      const { share, ...given } = more;
      const { writeUnits, readUnits } = sumOf(names, share);
      return { writeUnits: writeUnits + consumers, readUnits, messages: 0, bankCalls: 0, ...given };
    };
    const transfer = after('transfer');
    const line = ['batch of 99 transfers', 'batch worker, 99 transfers', 'transfer worker, 99 to as many wallets'];
    const others = {
      'hold, captured': useBy(['hold, end user', 'capture, final, end user'], after('hold, captured'), {
        ...{ requests: 2, events: 2, records: 6 },
      }),
      refund: useBy(['refund, end user'], after('transfer, refunded') - transfer, {
        ...{ requests: 1, events: 1, records: 4 },
      }),
      'split, 2 legs': useBy(['split, 2 legs, end user'], after('split, 2 legs'), {
        ...{ requests: 1, events: 2, records: 6 },
      }),
      'transfer, in a batch': useBy(line, after('transfer, in a batch'), {
        // Ten messages are one call to the queue.
        ...{ share: linesOfWrite, requests: 0, events: 2, records: 3, messages: 0.1 + 2 / 100 },
      }),
      'transfer, scheduled': useBy(
        ['transfer scheduled, end user', 'transfer worker, a scheduled one'],
        after('transfer, scheduled'),
        { requests: 1, events: 3, records: 6, messages: 0.1 + 2 / 100 },
      ),
    };
    const units = {
      command: {
        charge: unitsOf('charge'),
        transfer: unitsOf('transfer, end user'),
        withdrawal: unitsOf('withdraw, accepted, end user') + unitsOf('withdrawal worker, paid'),
      },
      following: { charge: after('charge'), transfer: after('transfer'), withdrawal: after('withdrawal, paid') },
      balance: steps.find(({ step }) => step === 'balance')?.readUnits ?? NaN,
    };
    return { units, others };
  } finally {
    await service.stop();
  }
}

function report(load: Load, units: Units, times: Times): string {
  const limits = limitsOf(load, units, times);
  const [first] = limits;
  const busy = Object.entries(concurrencyOf(load, times));
  return [
    table(
      ['limit, the nearest first', 'asked', 'quota', 'of it', 'how it is lifted'],
      limits.map(({ name, demand, quota, unit, lift }) => [
        name,
        `${figure(demand)}${unit}`,
        `${figure(quota)}${unit}`,
        `${figure((demand / quota) * 100)} %`,
        lift,
      ]),
    ),
    first && first.demand > first.quota ? `\nBreaks first: ${first.name}.` : '\nNothing breaks.',
    `Functions at a time: ${busy.map(([name, count]) => `${name} ${figure(count)}`).join(', ')}.`,
  ].join('\n');
}

/** The most that a million may cost, dollars. */
const costTargets: Readonly<Record<string, number>> = { 'transfer, on demand': 16, 'transfer, provisioned': 10 };

function costs({ units, others }: Measured, times: Times): string {
  const billings: Billing[] = ['on demand', 'provisioned'];
  const uses: Readonly<Record<string, Use>> = {
    ...Object.fromEntries((['charge', 'transfer', 'withdrawal'] as const).map((name) => [name, useOf(name, units)])),
    ...others,
  };
  const rows = Object.entries(uses).flatMap(([command, use]) =>
    billings.map((billing): [string, number, Readonly<Record<string, number>>] => [
      `${command}, ${billing}`,
      use.writeUnits,
      costOfMillion(use, times, billing),
    ]),
  );
  rows.push(['balance, on demand', 0, costOfMillionBalances(units, times)]);
  const items = [...new Set(rows.flatMap(([, , cost]) => Object.keys(cost)))];
  return table(
    ['dollars for a million', 'units of one', ...items, 'sum', 'target', ''],
    rows.map(([name, writeUnits, cost]) => {
      const sum = Object.values(cost).reduce((all, each) => all + each, 0);
      const target = costTargets[name];
      return [
        name,
        writeUnits === 0 ? '' : figure(writeUnits),
        ...items.map((item) => (cost[item] === undefined ? '' : figure(cost[item]))),
        figure(sum),
        ...(target === undefined ? [] : [figure(target), verdict(sum <= target)]),
      ];
    }),
  );
}

/** Transactions of the books that a pass is computed for. */
const manyTransactions = 1_000_000_000;

function checks(units: CheckUnits): string {
  const hours = loads.map(([title, load]) => {
    const { dollarsOfMonth, minutes, minutesAtMost, mostCommands } = costOfHours(load, units);
    return [title, figure(dollarsOfMonth), `${figure(minutes)} of ${minutesAtMost}`, `${figure(mostCommands)}/s`];
  });
  const pass = costOfPass(manyTransactions, units);
  const { charge, transfer, withdrawal } = units.command;
  return [
    table(['closed hours of', 'dollars a month', 'minutes of an hour', 'one job checks at most'], hours),
    `\nRead units in the check of its hour: a charge ${figure(charge.readUnits)}, a transfer ${figure(transfer.readUnits)}, ` +
      `a withdrawal ${figure(withdrawal.readUnits)}; an idle hour ${figure(units.idleHour.readUnits)}.`,
    `A pass over 10⁹ transactions: ${figure(pass.hours)} hours, ${figure(pass.readUnits / 1e6)} million read units, ` +
      `$${figure(pass.dollars)}, without the bank's statement.`,
  ].join('\n');
}

const loads =
  options.rate === undefined
    ? ([
        ['12,000 commands an hour', loadOf(12_000 / 3_600, options.mix ?? '10:0:2')],
        ['4,000 commands a second', loadOf(4_000, options.mix ?? '6:3:1')],
        ['100,000 commands a second', loadOf(100_000, options.mix ?? '6:3:1')],
      ] as const)
    : ([
        [
          `${options.rate} commands a second`,
          loadOf(numbersOf('rate', options.rate, 1)[0] ?? 0, options.mix ?? '6:3:1'),
        ],
      ] as const);
const times = timesOf();
console.error('measuring write units on a local engine');
const measured = await measureUses();
const { units } = measured;
for (const [title, load] of loads) console.log(`\n${title}\n\n${report(load, units, times)}`);
const { command, balance } = latencyOf(times);
console.log(
  `\nExpected at the gateway: a command p50 ${figure(command.p50)} ms and p99 ${figure(command.p99)} ms, ` +
    `a balance ${figure(balance.p50)} and ${figure(balance.p99)} ms.`,
);
console.log(`\nCost, storage apart; provisioned capacity is used to 70 %\n\n${costs(measured, times)}`);
console.log(`\nThe check of the books, on demand\n\n${checks(checkUnits)}`);
