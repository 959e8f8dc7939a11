/** The commands of `wallet` that move money, and those of holds. */
import { StillPendingError } from '../errors.ts';
import type { CommandOptions } from '../transport.ts';
import type { Transaction } from '../types.ts';
import type { PricedCommand } from '../wallet.ts';
import type { Command, Result, Work } from './command.ts';
import { exits } from './exits.ts';
import {
  dryRun,
  longestWaitSeconds,
  notes,
  notesOf,
  reason,
  reasonOf,
  receiverIn,
  required,
  timeOf,
  wait,
} from './fields.ts';
import { done, endOf, priced } from './results.ts';
import { amountIn, numberIn, timeIn } from './usage.ts';

/** The longest wait that one request may ask for. The rest is waited for by reading. */
const longestPreferredSeconds = 20;

export const payments: Record<string, Command> = {
  charge: {
    about: 'book money in that was paid elsewhere',
    given: ['WALLET', 'AMOUNT'],
    options: { ...notes, ...dryRun },
    isKeyed: true,
    async run(work) {
      const [walletId = '', amount = ''] = work.given;
      const body = { amount: amountIn(amount), ...notesOf(work) };
      const { charge } = work.client.wallet(walletId);
      return pricedOr(work, charge, body, async () => done(await charge(body, work.command)));
    },
  },
  withdraw: {
    about: 'pay money out through the bank',
    given: ['WALLET', 'AMOUNT'],
    options: {
      to: { value: 'ACCOUNT', about: 'the bank account' },
      name: { value: 'TEXT', about: "the account's holder" },
      at: { value: 'TIME', about: 'pay then' },
      ...notes,
      ...wait,
      ...dryRun,
    },
    isKeyed: true,
    async run(work) {
      const [walletId = '', amount = ''] = work.given;
      const [account, name] = [required(work, 'to'), work.option('name')];
      const body = {
        amount: amountIn(amount),
        destination: { account, ...(name !== undefined && { name }) },
        ...timeOf(work),
        ...notesOf(work),
      };
      const { withdraw } = work.client.wallet(walletId);
      return pricedOr(work, withdraw, body, async () => ended(work, await withdraw(body, preferring(work))));
    },
  },
  transfer: {
    about: 'send money to another wallet',
    given: ['WALLET', 'AMOUNT'],
    options: {
      to: { value: 'WALLET', about: 'the receiving wallet, or an alias such as @alice' },
      at: { value: 'TIME', about: 'pay then' },
      ...notes,
      ...wait,
      ...dryRun,
    },
    isKeyed: true,
    async run(work) {
      const [walletId = '', amount = ''] = work.given;
      const body = {
        ...{ amount: amountIn(amount), ...receiverIn(required(work, 'to')) },
        ...timeOf(work),
        ...notesOf(work),
      };
      const { transfer } = work.client.wallet(walletId);
      return pricedOr(work, transfer, body, async () => ended(work, await transfer(body, preferring(work))));
    },
  },
  hold: {
    about: 'promise money to a wallet until a time',
    given: ['WALLET', 'AMOUNT'],
    options: {
      to: { value: 'WALLET', about: 'the wallet that may take it, or an alias' },
      expires: { value: 'TIME', about: 'the end of the promise' },
      ...notes,
    },
    isKeyed: true,
    async run(work) {
      const [walletId = '', amount = ''] = work.given;
      const to = work.option('to');
      const body = {
        ...{ amount: amountIn(amount), expiresAt: timeIn(required(work, 'expires'), 'expires') },
        ...(to !== undefined && receiverIn(to)),
        ...notesOf(work),
      };
      return done(await work.client.wallet(walletId).hold(body, work.command));
    },
  },
  capture: {
    about: 'take held money, or a part of it',
    given: ['HOLD', '[AMOUNT]'],
    options: { final: { about: 'give the rest back to the payer' }, ...notes, ...dryRun },
    isKeyed: true,
    async run(work) {
      const [holdId = '', amount] = work.given;
      const body = {
        ...(amount !== undefined && { amount: amountIn(amount) }),
        ...(work.isSet('final') && { final: true }),
        ...notesOf(work),
      };
      const { capture } = work.client.hold(holdId);
      return pricedOr(work, capture, body, async () => done(await capture(body, work.command)));
    },
  },
  release: {
    about: 'give held money back to the payer',
    given: ['HOLD'],
    options: reason,
    isKeyed: true,
    run: async ({ client, given: [holdId = ''], option, command }) =>
      done(await client.hold(holdId).release(reasonOf(option('reason')), command)),
  },
};

/** Returns the price of a command with `--dry-run`. Otherwise carries it out. */
async function pricedOr<Body extends object>(
  work: Work,
  priceOf: PricedCommand<Body, CommandOptions>,
  body: Body,
  carryOut: () => Promise<Result>,
): Promise<Result> {
  return work.isSet('dry-run') ? priced(await priceOf({ ...body, dryRun: true }, work.command)) : carryOut();
}

/** Returns the settings of a payment that is waited for. One request waits for a part of the time. */
function preferring(work: Work): Work['command'] & { readonly wait?: number } {
  const seconds = waitSecondsOf(work);
  if (seconds === undefined) return work.command;
  return { ...work.command, wait: Math.min(seconds, longestPreferredSeconds) };
}

function waitSecondsOf({ option }: Work): number | undefined {
  const text = option('wait');
  return text === undefined ? undefined : numberIn(text, 'wait', longestWaitSeconds);
}

/** Returns the transaction, with `--wait` at its end. Once it is accepted, a failed read is not an error of the command. */
async function ended(work: Work, accepted: Transaction): Promise<Result> {
  const { client, io, read } = work;
  const seconds = waitSecondsOf(work);
  if (seconds === undefined) return done(accepted);
  try {
    const { transactionId } = accepted;
    return endOf(await client.transaction(transactionId).waitFor({ timeoutMs: 1000 * seconds, ...read }), false);
  } catch (error) {
    if (error instanceof StillPendingError || io.signal.aborted) throw error;
    io.note(`the wait has ended: ${error instanceof Error ? error.message : String(error)}`);
    return { ...done(accepted), exitCode: exits.stillPending };
  }
}
