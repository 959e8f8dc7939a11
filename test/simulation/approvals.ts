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
  const latest = ledger.latest();
  const approvals = latest.filter(({ sk }) => sk === 'APPROVAL') as ApprovalState[];
  const records = new Map(latest.filter(({ sk }) => sk === 'TX').map((item) => [String(item['pk']).slice(3), item]));
  for (const approval of approvals) checkRecord(approval, records.get(approval.transactionId), { ledger, violate });
  checkOwners(approvals, latest, violate);
  const ended = ledger
    .changes()
    .flatMap(({ is }) => (is['sk'] === 'APPROVAL' && is['status'] !== 'asked' ? [is as ApprovalState] : []));
  checkGuarded(latest, ended, { ledger, history, violate });
}

/** Checks an approval against the record of its command. A restore may have put either back, or have forgotten it. */
function checkRecord(
  { approvalId, status, transactionId, fingerprint, askedBy, endedBy, amount, fee }: ApprovalState,
  record: Item | undefined,
  { ledger, violate }: Pick<Witness, 'ledger' | 'violate'>,
): void {
  const says = `${approvalId} is ${status}`;
  const isRestored = ledger.restored() !== undefined;
  const wasEver = (pk: string, sk: string, name: string, value: string) =>
    isRestored && ledger.looks(pk, sk, 0, Infinity).some((look) => look?.[name] === value);
  if (status !== 'approved') {
    const isRequest = record?.['fingerprint'] === `asked:${fingerprint}` || (isRestored && record === undefined);
    if (!isRequest && !wasEver(`APPROVAL#${approvalId}`, 'APPROVAL', 'status', 'approved')) {
      violate('dangerous commands have two operators', `${says}, and its command is recorded`);
    }
    return;
  }
  const { principal, approvedBy } = (record ?? {}) as Item & Approved;
  const isByRecovery = isRestored && record?.['fingerprint'] === 'restored';
  const isRecorded = (record?.['fingerprint'] === fingerprint || isByRecovery) && principal === askedBy.principal;
  if (!isRecorded && !wasEver(`TX#${transactionId}`, 'TX', 'fingerprint', fingerprint)) {
    violate('an approval executes its command', `${says}, and its command is not recorded`);
  }
  if (!isRecorded) return;
  if (record['amount'] !== undefined && record['amount'] !== amount) {
    violate('an approval executes its command', `${says}, and its record has another amount`);
  }
  if (record['type'] === 'charge' && record['fee'] !== fee) {
    violate('an approval executes its command', `${says}, and its record has another fee`);
  }
  // The archive may lack the event that names the approver.
  if (approvedBy?.principal !== endedBy?.principal && !(isByRecovery && approvedBy === undefined)) {
    violate('a command names who approved it', `${says}, its record names ${String(approvedBy?.principal)}`);
  }
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

/** A command that changed the status or the limits of a wallet, or ended a withdrawal. */
interface Decision extends Approved {
  readonly at: string;
  readonly actor: { readonly principal: string };
}

/** Checks that no guarded change was made by one operator, and that each was made in the state that its asker saw. */
function checkGuarded(
  latest: readonly Item[],
  ended: readonly ApprovalState[],
  { ledger, history: { service }, violate }: Pick<Witness, 'ledger' | 'history' | 'violate'>,
): void {
  const check = (about: string, actor: unknown, { approvedBy }: Approved, isOf: (one: ApprovalState) => boolean) => {
    const approval = ended.find((one) => one.status === 'approved' && isOf(one));
    // A record that a recovery made names its approver where the archive has the event.
    const by = approvedBy ?? (ledger.restored() === undefined ? undefined : approval?.endedBy);
    if (by === undefined || by.principal === actor) violate('dangerous commands have two operators', about);
    return by !== undefined && by.principal === approval?.endedBy?.principal ? approval : undefined;
  };
  for (const item of latest) {
    const last = item as TransactionState;
    const { transactionId, type, amount, principal, walletId } = last;
    const isGuarded =
      (type === 'charge' && amount > guardedAmount) ||
      (type === 'refund' && last['refundedBy'] === 'operator' && amount > guardedRefund);
    if (isGuarded) check(transactionId, principal, last as Approved, (one) => one.transactionId === transactionId);
    const resolution = last['resolution'] as (Approved & { principal: string; at: string }) | undefined;
    if (resolution === undefined) continue;
    const isOf = ({ command, walletIds, updatedAt }: ApprovalState) =>
      command === 'resolve' && walletIds.includes(walletId) && updatedAt === resolution.at;
    check(transactionId, resolution.principal, resolution, isOf);
  }
  for (const { was, is } of ledger.changes()) {
    if (is['sk'] !== 'WALLET' || was === undefined) continue;
    const walletId = String(is['walletId']);
    const approvalOf = (change: Decision, command: ApprovalState['command']) =>
      check(
        walletId,
        change.actor.principal,
        change,
        (one) => one.command === command && one.walletIds.includes(walletId) && one.updatedAt === change.at,
      );
    if (is['status'] === 'active' && was['status'] === 'frozen') {
      const approval = approvalOf(is['lastStatusChange'] as Decision, 'unfreeze');
      const { at } = was['lastStatusChange'] as Decision;
      if (approval !== undefined && Date.parse(at) > Date.parse(approval.askedAt) + service.clocksDifferMs) {
        violate('an approval undoes no later freeze', `${approval.approvalId}, of a wallet that was frozen at ${at}`);
      }
    }
    const [version, before] = [is, was].map((one) => versionOf(one as WalletState));
    if (version === before || !areHigher(limitsOf(is), limitsOf(was))) continue;
    const approval = approvalOf(is['lastLimitsChange'] as Decision, 'set-limits');
    if (approval !== undefined && approval['limitsVersion'] !== before) {
      violate('an approval executes its command', `${approval.approvalId} replaced the limits of version ${before}`);
    }
  }
}
