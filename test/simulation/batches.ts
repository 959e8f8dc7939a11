/** Batches as an auditor knows them, and the rules about their lines. */
import type { Ask, Witness } from './asks.ts';
import { batchIdOfName, nameOfLine, transactionIdOfName, walletIdOfName } from './history.ts';
import type { CommandName, Line, Step } from './history.ts';
import type { Item, TransactionState, WalletState } from './items.ts';
import type { Ledger } from './ledger.ts';
import { feesAround } from './fees.ts';
import type { FeeSettings } from './fees.ts';
import { exceededBy } from './limits.ts';
import { hasReference, sharing } from './references.ts';

export interface BatchState extends Item {
  readonly batchId: string;
  readonly status: 'accepted' | 'executing' | 'completed';
  readonly count: number;
  readonly accepted: number;
  readonly refused: number;
  readonly dueAt?: string;
  readonly createdAt: string;
}

/** A line of a history, with the step that sends it and the name of its transaction. */
interface NamedLine {
  readonly step: Step;
  readonly line: Line;
  readonly name: CommandName;
}

/** Returns the lines of all batches among these steps. */
export function linesOf(steps: readonly Step[]): NamedLine[] {
  return steps.flatMap((step) => {
    const { action } = step;
    if (action.do !== 'create-batch') return [];
    return action.lines.map((line) => ({ step, line, name: nameOfLine(step, line) }));
  });
}

/** Returns whether a file with this line is refused whatever the wallets hold. */
export function isBadLine({ wallet, to }: Line): boolean {
  return to !== undefined && (walletIdOfName(to) === walletIdOfName(wallet) || to.currency !== wallet.currency);
}

export function batchLooks(ledger: Ledger, name: CommandName, { from, to }: Ask): (BatchState | undefined)[] {
  return ledger.looks(`BATCH#${batchIdOfName(name)}`, 'BATCH', from, to) as (BatchState | undefined)[];
}

/** Returns the batches that are not completed. */
export function openBatches(ledger: Ledger): BatchState[] {
  return (ledger.latest() as BatchState[]).filter(({ sk, status }) => sk === 'BATCH' && status !== 'completed');
}

/** Returns the fault of a batch in an answer, if any. */
export function wrongInBatch(body: Item, looks: readonly (BatchState | undefined)[]): string | undefined {
  const isShown = looks.some(
    (look) =>
      look !== undefined &&
      (['batchId', 'status', 'count', 'accepted', 'refused'] as const).every((field) => body[field] === look[field]) &&
      body['waiting'] === look.count - look.accepted - look.refused,
  );
  return isShown ? undefined : 'no batch looked like that';
}

/** Returns the fault of a page of lines in an answer, if any. */
export function wrongInLines(body: Item, batch: CommandName, { from, to }: Ask, ledger: Ledger): string | undefined {
  for (const { key, transactionId, status, failure } of body['items'] as Item[]) {
    const id = transactionIdOfName(nameOfLine(batch, { key: String(key) }));
    if (transactionId !== id) return `${String(key)} has another id`;
    const code = (failure as { code?: string } | undefined)?.code;
    const isShown = ledger.looks(`TX#${id}`, 'TX', from, to).some((look) => {
      if (look === undefined) return status === 'waiting';
      const refusal = refusalIn(look);
      return refusal === undefined ? look['status'] === status : status === 'refused' && refusal === code;
    });
    if (!isShown) return `${String(key)} was never ${String(status)}`;
  }
  return undefined;
}

/** Returns the code of a refused line in its record; undefined where the record is a transaction. */
function refusalIn({ refusal }: Item): string | undefined {
  return (refusal as { code?: string } | undefined)?.code;
}

/** Checks at rest that each line of an accepted batch was made once, or refused with a reason, and counted. */
export function checkBatches({ asks, ledger, history, violate }: Witness): void {
  const sent = Map.groupBy(
    asks.filter(({ step }) => step.action.do === 'create-batch'),
    ({ step }) => batchIdOfName(step),
  );
  const stored = (ledger.latest() as BatchState[]).filter(({ sk }) => sk === 'BATCH');
  for (const [batchId, same] of sent) {
    const isAccepted = same.some(({ response }) => response?.status === 202);
    // No source shows a batch that a restore has forgotten: its sender repeats the request.
    if (ledger.restored()?.lost.has(batchId)) continue;
    if (isAccepted && !stored.some((batch) => batch.batchId === batchId)) {
      violate('accepted work is never lost', batchId);
    }
  }
  for (const batch of stored) {
    const same = sent.get(batch.batchId) ?? [];
    if (batch.status !== 'completed') violate('accepted work ends', `${batch.batchId} is ${batch.status}`);
    // Of two files under one key, one was refused.
    const ends = same.map(({ step }) =>
      linesOf([step]).map((line) => endOf(line, batch, { same, ledger, fees: history.service.fees })),
    );
    const isSound = ends.some((all) => {
      const count = (wanted: string) => all.filter((end) => end === wanted).length;
      return all.length === batch.count && count('made') === batch.accepted && count('refused') === batch.refused;
    });
    if (!isSound) {
      violate('a batch makes or refuses each of its lines', `${JSON.stringify(batch)}: ${JSON.stringify(ends)}`);
    }
  }
}

/**
 * Returns how a line has ended, or its fault.
 *
 * @param same the requests with the key of its batch
 */
function endOf(
  { line: { key, wallet, to, amount, reference }, name }: NamedLine,
  { batchId, createdAt }: BatchState,
  {
    same,
    ledger,
    fees: settings,
  }: { readonly same: readonly Ask[]; readonly ledger: Ledger; readonly fees: FeeSettings | undefined },
): string {
  const id = transactionIdOfName(name);
  const record = ledger.latest().find(({ pk, sk }) => pk === `TX#${id}` && sk === 'TX');
  if (record === undefined) return `${key} is neither made nor refused`;
  const walletId = walletIdOfName(wallet);
  const type = to === undefined ? 'withdrawal' : 'transfer';
  const fees = feesAround(settings, Date.parse(createdAt), { type, amount, currency: wallet.currency });
  const code = refusalIn(record);
  if (code !== undefined) {
    const from = Math.min(...same.map((ask) => ask.from));
    const looks = ledger.looks(`WALLET#${walletId}`, 'WALLET', from, Infinity) as (WalletState | undefined)[];
    const isTaken =
      reference !== undefined &&
      code === 'reference_taken' &&
      // A restore may have forgotten what took it.
      (ledger.restored() !== undefined ||
        sharing(reference, undefined, ledger.transactions()).some(({ transactionId }) => transactionId !== id));
    const isJust = isTaken || looks.some((look) => fees.some((fee) => refuses(look, code, amount + fee)));
    return isJust ? 'refused' : `${key} is refused as ${code}, without a reason`;
  }
  const made = record as TransactionState;
  const receiver = to && walletIdOfName(to);
  const isAsked =
    made.type === type &&
    fees.includes(made.fee ?? 0) &&
    made.amount === amount &&
    made.walletId === walletId &&
    made.counterpartyWalletId === receiver &&
    hasReference(made, reference) &&
    made['batchId'] === batchId;
  return isAsked ? 'made' : `${key} made another transaction`;
}

/** Returns whether this state of the paying wallet refuses an amount with this code. */
function refuses(wallet: WalletState | undefined, code: string, amount: number): boolean {
  if (wallet === undefined) return code === 'wallet_not_found';
  switch (code) {
    case 'wallet_frozen':
    case 'wallet_closed':
      return wallet.status === code.slice('wallet_'.length);
    case 'insufficient_funds':
      return wallet.available < amount;
    case 'limit_exceeded': {
      const day = String(wallet['updatedAt']).slice(0, 10);
      return exceededBy(wallet, 'out', { amount: BigInt(amount), largest: amount }, day).length > 0;
    }
    default:
      return false;
  }
}
