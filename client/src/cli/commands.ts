/** The commands of `wallet`. */
import type { WaitOptions } from '../transaction.ts';
import type { Command } from './command.ts';
import { exits } from './exits.ts';
import { firstOf, limit, limitOf, longestWaitSeconds, reason, reasonOf, required } from './fields.ts';
import { payments } from './payments.ts';
import { done, endOf } from './results.ts';
import { balanceText, columns, historyText, money, walletsText, walletText } from './text.ts';
import { amountIn, numberIn, timeIn, UsageError } from './usage.ts';

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
  statement: {
    about: 'make the statement of a wallet as a file, and show the link to it',
    given: ['WALLET'],
    options: {
      from: { value: 'TIME', about: 'its beginning' },
      to: { value: 'TIME', about: 'its end (now)' },
      format: { value: 'FORMAT', about: 'json, csv or camt.053 (csv)' },
      timeout: { value: 'SECONDS', about: 'the longest wait (60)' },
    },
    isKeyed: true,
    async run({ client, given: [walletId = ''], option, command, read }) {
      const [to, seconds] = [option('to'), numberIn(option('timeout') ?? '60', 'timeout', longestWaitSeconds)];
      const body = {
        from: timeIn(required({ option }, 'from'), 'from'),
        ...(to !== undefined && { to: timeIn(to, 'to') }),
        format: (option('format') ?? 'csv') as 'csv',
      };
      const { statementId } = await client.wallet(walletId).requestStatementFile(body, command);
      const statement = await client.statementFile(statementId).waitFor({ timeoutMs: 1000 * seconds, ...read });
      return { data: statement, text: statement.file?.url ?? '' };
    },
  },
  freeze: statusCommand('freeze', 'let no money in or out of a wallet'),
  unfreeze: statusCommand('unfreeze', 'let money move again'),
  alias: {
    about: 'give a wallet an alias, by which others pay its owner',
    given: ['WALLET', '[ALIAS]'],
    options: { remove: { about: 'remove the alias that it has' } },
    isKeyed: true,
    async run({ client, given: [walletId = '', alias], isSet, command }) {
      if ((alias === undefined) !== isSet('remove')) throw new UsageError('give either an alias or --remove');
      const wallet = await client.wallet(walletId).change({ alias: alias?.replace(/^@/, '') ?? null }, command);
      return { data: wallet, text: walletText(wallet) };
    },
  },
  close: statusCommand('close', 'close an empty wallet'),
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
