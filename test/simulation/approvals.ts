/** Approvals as an auditor knows them, and the rules about commands that need two operators. */
import { isDeepStrictEqual } from 'node:util';
import type { FourEyesPolicy } from '../../lambdas/http/four-eyes.ts';
import type { Ask, Witness } from './asks.ts';
import { transactionIdOfName } from './history.ts';
import type { CommandName } from './history.ts';
import type { Item, TransactionState, Violate, WalletState } from './items.ts';
import type { Ledger } from './ledger.ts';
import { areHigher, limitsOf, versionOf } from './limits.ts';

export interface ApprovalState extends Item {
  readonly approvalId: string;
  readonly command: 'charge' | 'refund' | 'resolve' | 'unfreeze' | 'set-limits';
  readonly status: 'asked' | 'approved' | 'rejected';
  readonly askedBy: { readonly principal: string };
  readonly endedBy?: { readonly principal: string };
  readonly walletIds: readonly string[];
  readonly path: Readonly<Record<string, string>>;
  readonly amount?: number;
  readonly fee?: number;
  readonly fingerprint: string;
  readonly transactionId: string;
  readonly askedAt: string;
  readonly expiresAt: string;
  readonly updatedAt: string;
}

/** Charges above this amount need two operators. It is what fills the wallets of a history. */
export const guardedAmount = 1_000;
/** Refunds by operators above this amount need two. */
const guardedRefund = 100;

/** What needs two operators in histories about approvals. */
export const fourEyes: FourEyesPolicy = {
  charge: { above: guardedAmount },
  refund: { above: guardedRefund },
  resolve: true,
  unfreeze: true,
  limits: true,
  expiresAfterMs: 300_000,
};

export function approvalLooks(ledger: Ledger, name: CommandName, { from, to }: Ask): (ApprovalState | undefined)[] {
  const id = transactionIdOfName(name).replace('tx_', 'ap_');
  return ledger.looks(`APPROVAL#${id}`, 'APPROVAL', from, to) as (ApprovalState | undefined)[];
}

/** Returns whether an answer says that a command waits for a second operator, or that it was not executed. */
export function isAsked({ step, response }: Ask): boolean {
  return step.action.do !== 'approve' && step.action.do !== 'reject' && response?.body?.['approvalId'] !== undefined;
}

/** Returns whether an item is the key of a request that waits for a second operator: its command takes its place. */
export function isRequest({ type, fingerprint }: Item): boolean {
  return type === 'operation' && String(fingerprint).startsWith('asked:');
}

const changing = new Set(['status', 'endedBy', 'reason', 'updatedAt', 'dueShard', 'dueAt']);

/** Checks a change of an approval. */
export function checkApproval(is: ApprovalState, was: ApprovalState | undefined, violate: Violate): void {
  const { approvalId, status, dueShard, dueAt, expiresAt } = is;
  const isListed = dueShard === 'APPROVAL' && dueAt === expiresAt;
  if (isListed !== (status === 'asked') || (!isListed && (dueShard ?? dueAt) !== undefined)) {
    violate('open approvals are listed, and no others', `${approvalId} is ${status}`);
  }
  if (was === undefined) {
    if (status !== 'asked') violate('an approval ends once', `${approvalId} begins as ${status}`);
    return;
  }
  if (was.status !== 'asked') violate('an approval ends once', `${approvalId} was ${was.status}`);
  for (const name of new Set([...Object.keys(is), ...Object.keys(was)])) {
    if (!changing.has(name) && !isDeepStrictEqual(is[name], was[name])) {
      violate('an approval keeps its request', `${name} of ${approvalId}`);
    }
  }
  if (status === 'asked') return;
  if (is.updatedAt >= expiresAt) violate('nothing is decided after the expiry', `${approvalId} at ${is.updatedAt}`);
  if (status === 'approved' && is.endedBy?.principal === is.askedBy.principal) {
    violate('dangerous commands have two operators', `${approvalId} was approved by its asker`);
  }
}

interface Approved {
  readonly approvedBy?: { readonly principal: string };
}

/** Checks at rest that guarded commands were approved, and that approvals executed exactly what was approved. */
export function checkApprovals({ ledger, history, violate }: Witness): void {
  if (history.service.fourEyes === undefined) return;
  const lives = ledger
    .keys()
    .map(({ pk, sk }) => ledger.looks(pk, sk, 0, Infinity).filter((look) => look !== undefined));
  const latest = ledger.latest();
  const approvals = latest.filter(({ sk }) => sk === 'APPROVAL') as ApprovalState[];
  const records = new Map(latest.filter(({ sk }) => sk === 'TX').map((item) => [String(item['pk']).slice(3), item]));
  for (const { approvalId, status, transactionId, fingerprint, askedBy, endedBy, amount, fee } of approvals) {
    const record = records.get(transactionId);
    const says = `${approvalId} is ${status}`;
    if (status !== 'approved' && record?.['fingerprint'] !== `asked:${fingerprint}`) {
      violate('dangerous commands have two operators', `${says}, and its command is recorded`);
    }
    if (status !== 'approved') continue;
    const { principal, approvedBy } = (record ?? {}) as Item & Approved;
    if (record?.['fingerprint'] !== fingerprint || principal !== askedBy.principal) {
      violate('an approval executes its command', `${says}, and its command is not recorded`);
    }
    if (record?.['amount'] !== undefined && record['amount'] !== amount) {
      violate('an approval executes its command', `${says}, and its record has another amount`);
    }
    if (record?.['type'] === 'charge' && record['fee'] !== fee) {
      violate('an approval executes its command', `${says}, and its record has another fee`);
    }
    if (approvedBy?.principal !== endedBy?.principal) {
      violate('a command names who approved it', `${says}, its record names ${String(approvedBy?.principal)}`);
    }
  }
  checkOwners(approvals, latest, violate);
  checkGuarded(lives, approvals, { clocksDifferMs: history.service.clocksDifferMs, violate });
}

/** Checks that no operator approved a command about a wallet of its own. */
function checkOwners(approvals: readonly ApprovalState[], latest: readonly Item[], violate: Violate): void {
  const owners = new Map(
    latest.flatMap((item) => (item['sk'] === 'WALLET' ? [[item['walletId'], item['ownerId']]] : [])),
  );
  for (const { approvalId, status, endedBy, walletIds } of approvals) {
    if (status !== 'approved' || !walletIds.some((walletId) => owners.get(walletId) === endedBy?.principal)) continue;
    violate('no caller decides about its own', `${approvalId} was approved by ${String(endedBy?.principal)}`);
  }
}

/** A command that changed the status or the limits of a wallet. */
interface WalletChange extends Approved {
  readonly at: string;
  readonly actor: { readonly principal: string };
}

/** Checks that no guarded change was made by one operator, and that each was made in the state that its asker saw. */
function checkGuarded(
  lives: readonly (readonly Item[])[],
  approvals: readonly ApprovalState[],
  { clocksDifferMs, violate }: { readonly clocksDifferMs: number; readonly violate: Violate },
): void {
  const check = (about: string, actor: unknown, { approvedBy }: Approved) => {
    if (approvedBy === undefined || approvedBy.principal === actor) {
      violate('dangerous commands have two operators', about);
    }
  };
  for (const life of lives) {
    const last = life.at(-1) as TransactionState | undefined;
    if (last?.type === 'charge' && last.amount > guardedAmount) {
      check(last.transactionId, last.principal, last as Approved);
    }
    if (last?.type === 'refund' && last['refundedBy'] === 'operator' && last.amount > guardedRefund) {
      check(last.transactionId, last.principal, last as Approved);
    }
    const resolution = last?.['resolution'] as (Approved & { readonly principal: string }) | undefined;
    if (resolution !== undefined) check(String(last?.transactionId), resolution.principal, resolution);
    for (const [n, is] of life.entries()) {
      const was = life[n - 1];
      if (is['sk'] !== 'WALLET' || was === undefined) continue;
      const approvalOf = (change: WalletChange, command: ApprovalState['command']) => {
        check(String(is['walletId']), change.actor.principal, change);
        return approvals.find(
          (one) =>
            one.command === command &&
            one.walletIds.includes(String(is['walletId'])) &&
            one.updatedAt === change.at &&
            one.endedBy?.principal === change.approvedBy?.principal,
        );
      };
      if (is['status'] === 'active' && was['status'] === 'frozen') {
        const approval = approvalOf(is['lastStatusChange'] as WalletChange, 'unfreeze');
        const { at } = was['lastStatusChange'] as WalletChange;
        if (approval !== undefined && Date.parse(at) > Date.parse(approval.askedAt) + clocksDifferMs) {
          violate('an approval undoes no later freeze', `${approval.approvalId}, of a wallet that was frozen at ${at}`);
        }
      }
      const [version, before] = [is, was].map((one) => versionOf(one as WalletState));
      if (version === before || !areHigher(limitsOf(is), limitsOf(was))) continue;
      const approval = approvalOf(is['lastLimitsChange'] as WalletChange, 'set-limits');
      if (approval !== undefined && approval['limitsVersion'] !== before) {
        violate('an approval executes its command', `${approval.approvalId} replaced the limits of version ${before}`);
      }
    }
  }
}
