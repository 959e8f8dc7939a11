/**
 * `npm run capacity`: computes the needs of a load from the commands' use of DynamoDB, which it measures on a local
 * engine. It prints the nearest limit, function instances, latencies and cost. Times of AWS are assumed unless they are
 * given.
 */
import { readOptions } from '../bin/options.ts';
import { measureBudgets } from './budgets.ts';
import {
  assumedTimes,
  concurrencyOf,
  costOfMillion,
  costOfMillionBalances,
  latencyOf,
  limitsOf,
} from './capacity-model.ts';
import type { Billing, Load, Times, Units } from './capacity-model.ts';
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

async function measureUnits(): Promise<Units> {
  const service = await startService();
  try {
    const steps = await measureBudgets(service);
    const following = await measureFollowing(service);
    const unitsOf = (step: string) => steps.find((one) => one.step === step)?.writeUnits ?? NaN;
    const after = (command: string) => following.findLast((row) => row.command === command)?.sum ?? NaN;
    return {
      command: {
        charge: unitsOf('charge'),
        transfer: unitsOf('transfer, end user'),
        withdrawal: unitsOf('withdraw, accepted, end user') + unitsOf('withdrawal worker, paid'),
      },
      following: { charge: after('charge'), transfer: after('transfer'), withdrawal: after('withdrawal, paid') },
      balance: steps.find(({ step }) => step === 'balance')?.readUnits ?? NaN,
    };
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

function costs(units: Units, times: Times): string {
  const billings: Billing[] = ['on demand', 'provisioned'];
  const rows = (['charge', 'transfer', 'withdrawal'] as const).flatMap((command) =>
    billings.map((billing): [string, Readonly<Record<string, number>>] => [
      `${command}, ${billing}`,
      costOfMillion(command, units, times, billing),
    ]),
  );
  rows.push(['balance, on demand', costOfMillionBalances(units, times)]);
  const items = [...new Set(rows.flatMap(([, cost]) => Object.keys(cost)))];
  return table(
    ['dollars for a million', ...items, 'sum', 'target', ''],
    rows.map(([name, cost]) => {
      const sum = Object.values(cost).reduce((all, each) => all + each, 0);
      const target = costTargets[name];
      return [
        name,
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
const units = await measureUnits();
for (const [title, load] of loads) console.log(`\n${title}\n\n${report(load, units, times)}`);
const { command, balance } = latencyOf(times);
console.log(
  `\nExpected at the gateway: a command p50 ${figure(command.p50)} ms and p99 ${figure(command.p99)} ms, ` +
    `a balance ${figure(balance.p50)} and ${figure(balance.p99)} ms.`,
);
console.log(`\nCost, storage apart; provisioned capacity is used to 70 %\n\n${costs(units, times)}`);
console.log(`\nThe check of the books, on demand\n\n${checks(checkUnits)}`);
