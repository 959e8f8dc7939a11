/** The commands of `wallet`. */
import type { WaitOptions } from '../transaction.ts';
import type { Transaction } from '../types.ts';
import type { Command, Option, Result, Work } from './command.ts';
import { exits } from './exits.ts';
import { balanceText, columns, historyText, money, transactionText, walletsText, walletText } from './text.ts';
import { amountIn, numberIn, timeIn, UsageError } from './usage.ts';

const reason: Record<string, Option> = { reason: { value: 'TEXT', about: 'why' } };
const limit: Record<string, Option> = { limit: { value: 'N', about: 'the most to show (20)' } };
const notes: Record<string, Option> = {
  reference: { value: 'TEXT', about: 'an id of yours, such as an invoice number' },
  description: { value: 'TEXT', about: 'for people' },
};
const dryRun: Record<string, Option> = { 'dry-run': { about: 'show the fee, and move no money' } };
const wait: Record<string, Option> = { wait: { value: 'SECONDS', about: 'wait for the end' } };

/** The longest wait that one request may ask for. The rest is waited for by reading. */
const longestPreferredSeconds = 20;
const longestWaitSeconds = 86_400;

const wallets: Record<string, Command> = {
  open: {
    about: 'open a wallet',
    given: ['CURRENCY'],
    options: { owner: { value: 'ID', about: "the owner, for an operator's token" } },
    isKeyed: true,
    async run({ client, given: [currency = ''], option, command }) {
      const ownerId = option('owner');
      const wallet = await client.openWallet({ currency, ...(ownerId !== undefined && { ownerId }) }, command);
      return { data: wallet, text: walletText(wallet) };
    },
  },
  wallets: {
    about: 'list wallets',
    given: [],
    options: { owner: { value: 'ID', about: "the owner, for an operator's token" }, ...limit },
    async run(work) {
      const ownerId = work.option('owner');
      const list = work.client.wallets({ ...(ownerId !== undefined && { ownerId }), ...work.read });
      const found = await firstOf(list, limitOf(work));
      return { data: found, text: walletsText(found) };
    },
  },
  show: {
    about: 'show a wallet',
    given: ['WALLET'],
    async run({ client, given: [walletId = ''], read }) {
      const wallet = await client.wallet(walletId).get(read);
      return { data: wallet, text: walletText(wallet) };
    },
  },
  balance: {
    about: 'show the balance of a wallet',
    given: ['WALLET'],
    options: {
      consistent: { about: 'after all commands that were answered' },
      at: { value: 'TIME', about: 'as it was then' },
    },
    async run({ client, given: [walletId = ''], option, isSet, read }) {
      const at = option('at');
      const balance = await client.wallet(walletId).balance({
        consistent: isSet('consistent'),
        ...(at !== undefined && { at: timeIn(at, 'at') }),
        ...read,
      });
      return { data: balance, text: balanceText(balance) };
    },
  },
  history: {
    about: 'list the transactions of a wallet, the newest first',
    given: ['WALLET'],
    options: {
      ...limit,
      type: { value: 'TYPE', about: 'only of this type' },
      status: { value: 'STATUS', about: 'only with this status' },
      from: { value: 'TIME', about: 'only from then' },
      to: { value: 'TIME', about: 'only before then' },
    },
    async run(work) {
      const [walletId = ''] = work.given;
      const { type, status, from, to } = work.values as Readonly<Record<string, string | undefined>>;
      const query = {
        ...(type !== undefined && { type }),
        ...(status !== undefined && { status }),
        ...(from !== undefined && { from: timeIn(from, 'from') }),
        ...(to !== undefined && { to: timeIn(to, 'to') }),
      };
      const list = work.client.wallet(walletId).transactions({ ...(query as object), ...work.read });
      const found = await firstOf(list, limitOf(work));
      return { data: found, text: historyText(walletId, found) };
    },
  },
  freeze: statusCommand('freeze', 'let no money in or out of a wallet'),
  unfreeze: statusCommand('unfreeze', 'let money move again'),
  close: statusCommand('close', 'close an empty wallet'),
};

const payments: Record<string, Command> = {
  charge: {
    about: 'book money in that was paid elsewhere',
    given: ['WALLET', 'AMOUNT'],
    options: { ...notes, ...dryRun },
    isKeyed: true,
    async run(work) {
      const [walletId = '', amount = ''] = work.given;
      const body = { amount: amountIn(amount), ...notesOf(work) };
      const { charge } = work.client.wallet(walletId);
      return work.isSet('dry-run')
        ? priced(await charge({ ...body, dryRun: true }, work.command))
        : done(await charge(body, work.command));
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
      if (work.isSet('dry-run')) return priced(await withdraw({ ...body, dryRun: true }, work.command));
      return ended(work, await withdraw(body, preferring(work)));
    },
  },
  transfer: {
    about: 'send money to another wallet',
    given: ['WALLET', 'AMOUNT'],
    options: {
      to: { value: 'WALLET', about: 'the receiving wallet' },
      at: { value: 'TIME', about: 'pay then' },
      ...notes,
      ...wait,
      ...dryRun,
    },
    isKeyed: true,
    async run(work) {
      const [walletId = '', amount = ''] = work.given;
      const body = {
        ...{ amount: amountIn(amount), toWalletId: required(work, 'to') },
        ...timeOf(work),
        ...notesOf(work),
      };
      const { transfer } = work.client.wallet(walletId);
      if (work.isSet('dry-run')) return priced(await transfer({ ...body, dryRun: true }, work.command));
      return ended(work, await transfer(body, preferring(work)));
    },
  },
  hold: {
    about: 'promise money to a wallet until a time',
    given: ['WALLET', 'AMOUNT'],
    options: {
      to: { value: 'WALLET', about: 'the wallet that may take it' },
      expires: { value: 'TIME', about: 'the end of the promise' },
      ...notes,
    },
    isKeyed: true,
    async run(work) {
      const [walletId = '', amount = ''] = work.given;
      const toWalletId = work.option('to');
      const body = {
        ...{ amount: amountIn(amount), expiresAt: timeIn(required(work, 'expires'), 'expires') },
        ...(toWalletId !== undefined && { toWalletId }),
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
      return work.isSet('dry-run')
        ? priced(await capture({ ...body, dryRun: true }, work.command))
        : done(await capture(body, work.command));
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

const transactions: Record<string, Command> = {
  tx: {
    about: 'show a transaction',
    given: ['TRANSACTION'],
    run: async ({ client, given: [transactionId = ''], read }) =>
      done(await client.transaction(transactionId).get(read)),
  },
  wait: {
    about: 'wait for the end of a transaction',
    given: ['TRANSACTION'],
    options: {
      status: { value: 'STATUS', about: 'or for this status' },
      timeout: { value: 'SECONDS', about: 'the longest wait (60)' },
    },
    async run(work) {
      const [transactionId = ''] = work.given;
      const seconds = numberIn(work.option('timeout') ?? '60', 'timeout', longestWaitSeconds);
      const options: WaitOptions = { status: work.option('status'), timeoutMs: 1000 * seconds, ...work.read };
      return endOf(await work.client.transaction(transactionId).waitFor(options), options.status !== undefined);
    },
  },
  refund: {
    about: 'give back what is left of a payment, or a part of it',
    given: ['TRANSACTION', '[AMOUNT]'],
    options: reason,
    isKeyed: true,
    async run(work) {
      const [transactionId = '', amount] = work.given;
      const body = { ...(amount !== undefined && { amount: amountIn(amount) }), reason: required(work, 'reason') };
      return done(await work.client.transaction(transactionId).refund(body, work.command));
    },
  },
  cancel: {
    about: 'end a withdrawal that has not left for the bank, or a scheduled payment',
    given: ['TRANSACTION'],
    options: reason,
    isKeyed: true,
    run: async ({ client, given: [transactionId = ''], option, command }) =>
      done(await client.transaction(transactionId).cancel(reasonOf(option('reason')), command)),
  },
  approvals: {
    about: 'list the commands that wait for a second operator',
    given: [],
    options: { ...limit, status: { value: 'STATUS', about: 'asked, approved, rejected or expired' } },
    async run(work) {
      const status = work.option('status');
      const query = { ...(status !== undefined && { status }), ...work.read } as object;
      const found = await firstOf(work.client.approvals(query), limitOf(work));
      const rows = found.map(({ approvalId, command, status: state, amount, currency, askedAt }) => {
        const shown = amount === undefined || currency === undefined ? '' : money(amount, currency);
        return [askedAt, command, state, shown, approvalId];
      });
      const heads = ['ASKED', 'COMMAND', 'STATUS', 'AMOUNT', 'APPROVAL'];
      return { data: found, text: found.length === 0 ? 'no approvals' : columns([heads, ...rows], [3]) };
    },
  },
  approve: {
    about: "approve another operator's command, which carries it out",
    given: ['APPROVAL'],
    options: reason,
    isKeyed: true,
    async run({ client, given: [approvalId = ''], option, command }) {
      const approval = await client.approval(approvalId).approve(reasonOf(option('reason')), command);
      return { data: approval, text: `${approval.approvalId} is ${approval.status}` };
    },
  },
  reject: {
    about: "reject another operator's command",
    given: ['APPROVAL'],
    options: reason,
    isKeyed: true,
    async run(work) {
      const [approvalId = ''] = work.given;
      const body = { reason: required(work, 'reason') };
      const approval = await work.client.approval(approvalId).reject(body, work.command);
      return { data: approval, text: `${approval.approvalId} is ${approval.status}` };
    },
  },
  health: {
    about: 'show whether the service works',
    given: [],
    async run({ client, read }) {
      const health = await client.health(read);
      const text = JSON.stringify(health, undefined, 2);
      return health.status === 'ok'
        ? { data: health, text: Object.keys(health).length === 1 ? 'ok' : text }
        : { data: health, text: health.status, exitCode: exits.tryLater };
    },
  },
};

/** All commands that call the service, by their names. */
export const commands: Readonly<Record<string, Command>> = { ...wallets, ...payments, ...transactions };

function statusCommand(name: 'freeze' | 'unfreeze' | 'close', about: string): Command {
  return {
    about,
    given: ['WALLET'],
    options: reason,
    isKeyed: true,
    async run({ client, given: [walletId = ''], option, command }) {
      const wallet = await client.wallet(walletId)[name](reasonOf(option('reason')), command);
      return { data: wallet, text: walletText(wallet) };
    },
  };
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

/** Returns the transaction, with `--wait` at its end. */
async function ended(work: Work, accepted: Transaction): Promise<Result> {
  const seconds = waitSecondsOf(work);
  if (seconds === undefined) return done(accepted);
  const { transactionId } = accepted;
  return endOf(
    await work.client.transaction(transactionId).waitFor({ timeoutMs: 1000 * seconds, ...work.read }),
    false,
  );
}

/** Returns a transaction that was waited for. A failure is an exit code of its own, unless it was the wanted status. */
function endOf(transaction: Transaction, isWanted: boolean): Result {
  const hasFailed = transaction.status === 'failed' && !isWanted;
  return { ...done(transaction), ...(hasFailed && { exitCode: exits.otherEnd }) };
}

function done(transaction: Transaction): Result {
  return { data: transaction, text: transactionText(transaction) };
}

function priced(price: { readonly amount: number; readonly fee: number; readonly currency: string }): Result {
  const { amount, fee, currency } = price;
  const rows = [
    ['amount', money(amount, currency)],
    ['fee', money(fee, currency)],
  ];
  return { data: price, text: `${columns(rows)}\nno money has moved` };
}

function required({ option }: Work, name: string): string {
  const value = option(name);
  if (value === undefined) throw new UsageError(`--${name} is missing`);
  return value;
}

function notesOf({ option }: Work): { readonly externalReference?: string; readonly description?: string } {
  const [externalReference, description] = [option('reference'), option('description')];
  return {
    ...(externalReference !== undefined && { externalReference }),
    ...(description !== undefined && { description }),
  };
}

function timeOf({ option }: Work): { readonly executeAt?: string } {
  const at = option('at');
  return at === undefined ? {} : { executeAt: timeIn(at, 'at') };
}

function reasonOf(text: string | undefined): { readonly reason?: string } {
  return text === undefined ? {} : { reason: text };
}

function limitOf({ option }: Work): number {
  return numberIn(option('limit') ?? '20', 'limit', 10_000);
}

async function firstOf<T>(list: AsyncIterable<T>, most: number): Promise<T[]> {
  const found: T[] = [];
  if (most === 0) return found;
  for await (const item of list) {
    found.push(item);
    if (found.length === most) break;
  }
  return found;
}
