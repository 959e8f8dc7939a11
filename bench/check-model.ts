/**
 * The cost and duration of the check of the books: the closed hours of a load, and a pass over books of a size. Prices
 * and the shape of the job are data below.
 */
import type { Load } from './capacity-model.ts';

type Command = 'charge' | 'transfer' | 'withdrawal';

/** The units of DynamoDB for one command, hour or transaction, and the CPU time on this machine, milliseconds. */
export interface CheckUsage {
  readonly readUnits: number;
  readonly cpuMs: number;
}

/** The usage of the check, as `checkUnits` has it. */
export interface CheckUnits {
  /** In the check of its hour. */
  readonly command: Readonly<Record<Command, CheckUsage>>;
  /** An hour without a command. */
  readonly idleHour: CheckUsage;
  /** A transaction in a pass over all books, its entries and its share of the wallets included. */
  readonly transaction: CheckUsage;
}

/**
 * Measured on two cores in November 2026, 300 commands of each kind, each of wallets of its own. A test measures it
 * again.
 */
export const checkUnits: CheckUnits = {
  command: {
    charge: { readUnits: 2.5, cpuMs: 0.55 },
    transfer: { readUnits: 5, cpuMs: 1.5 },
    withdrawal: { readUnits: 3, cpuMs: 0.66 },
  },
  idleHour: { readUnits: 274, cpuMs: 100 },
  transaction: { readUnits: 0.26, cpuMs: 0.7 },
};

/** The cost of the closed hours of a load. */
export interface HoursCost {
  readonly dollarsOfMonth: number;
  /** Minutes of runs that an hour of the load needs, and those that there are. */
  readonly minutes: number;
  readonly minutesAtMost: number;
  /** Commands a second that the runs can check. */
  readonly mostCommands: number;
}

/** The cost of a pass. */
export interface PassCost {
  readonly readUnits: number;
  readonly dollars: number;
  /** Hours from its beginning to its end, beside closed hours that take no time. */
  readonly hours: number;
}

/** Dollars for a million read units, and for a million seconds of a gigabyte on arm64. */
const millionReadUnits = 0.125;
const millionGigabyteSeconds = 13.3334;
/** The job's memory in gigabytes, which comes with one processor. */
const memory = 1_769 / 1_024;
/** Runs in an hour, and how long one works, seconds. */
const runs = 4;
const secondsOfRun = 600;
const hoursOfMonth = 730;

/** Returns the cost of the closed hours of a load. Reading runs beside computing, so the processor is the limit. */
export function costOfHours({ charges, transfers, withdrawals }: Load, units: CheckUnits): HoursCost {
  const { command, idleHour } = units;
  const perSecond: readonly [CheckUsage, number][] = [
    [command.charge, charges],
    [command.transfer, transfers],
    [command.withdrawal, withdrawals],
  ];
  const sum = (countOf: (usage: CheckUsage) => number) =>
    perSecond.reduce((total, [usage, count]) => total + 3_600 * count * countOf(usage), countOf(idleHour));
  const seconds = secondsOf(sum(({ cpuMs }) => cpuMs));
  const commands = charges + transfers + withdrawals;
  const most = runs * secondsOfRun;
  const ofCommands = seconds - secondsOf(idleHour.cpuMs);
  return {
    dollarsOfMonth: hoursOfMonth * (dollarsOf(sum(({ readUnits }) => readUnits)) + dollarsOfTime(seconds)),
    minutes: seconds / 60,
    minutesAtMost: most / 60,
    mostCommands: ((most - secondsOf(idleHour.cpuMs)) / ofCommands) * commands,
  };
}

/** Returns the cost of a pass over so many transactions. */
export function costOfPass(transactions: number, { transaction }: CheckUnits): PassCost {
  const readUnits = transactions * transaction.readUnits;
  const seconds = secondsOf(transactions * transaction.cpuMs);
  return {
    readUnits,
    dollars: dollarsOf(readUnits) + dollarsOfTime(seconds),
    hours: seconds / (runs * secondsOfRun),
  };
}

/** Returns the seconds that the job computes, on a processor like that of this machine. */
function secondsOf(cpuMs: number): number {
  return cpuMs / 1_000;
}

function dollarsOf(readUnits: number): number {
  return (readUnits * millionReadUnits) / 1e6;
}

function dollarsOfTime(seconds: number): number {
  return (seconds * memory * millionGigabyteSeconds) / 1e6;
}
