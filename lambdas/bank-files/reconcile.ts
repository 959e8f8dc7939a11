import { forEachOf } from '../aws/parallel.ts';
import { getBankMovements, scanBankMovements } from '../store/bank-movements.ts';
import type { BankMovement, UnreadableMovement } from '../store/bank-movements.ts';
import type { ItemKey } from '../store/books.ts';
import type { Table } from '../store/table.ts';
import { Coverage } from './coverage.ts';
import type { CsvMapping } from './csv.ts';
import { judgeCharge, judgeMissingCharge, judgeReturn, judgeWithdrawal } from './findings.ts';
import type { Finding, Rules, Verdict } from './findings.ts';
import { dayText } from './format.ts';
import { KeptLines } from './lines.ts';
import type { KeptLine } from './lines.ts';
import { readFiles } from './read-files.ts';
import type { BankFile } from './read-files.ts';
import { referenceKeyOf, transactionIdOfKey, transactionKeyOf } from './references.ts';
import { Findings } from './report.ts';
import { SharedReference } from './shared-reference.ts';
import type { ReadFile, ReconcileReport } from './report.ts';

/** How files are compared with the books. */
export interface ReconcileOptions {
  /** The bank of the files; absent: withdrawals of every bank are compared. */
  readonly bankId?: string | undefined;
  /** Days by which the bank may date a line apart from our booking. A payment of so many last days may be in the next file. */
  readonly days: number;
  /** Whether each charge with an external reference must be in the files. */
  readonly charges: boolean;
  /**
   * Whether the table is read for payments that the files lack, and for charges. Without it only the transactions that
   * lines name are read.
   */
  readonly scan: boolean;
  /** Segments of the table that are read side by side. */
  readonly segments: number;
  /** The columns of CSV files. */
  readonly csv?: CsvMapping | undefined;
  /** The days to compare, in days since 1970, in place of those that the files name. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  /** Called between pages. It throws to end the work. */
  readonly check?: () => void;
  readonly progress?: (progress: Progress) => void;
}

/** How far the work is. */
export interface Progress {
  readonly stage: 'files' | 'table' | 'lookups';
  readonly lines: number;
  /** Bytes of the current file, items of the table, or transactions that were looked up. */
  readonly done: number;
}

/** Transactions that are read a second time at the end. Beyond them the first reading counts. */
const mostSuspects = 50_000;
const readAtATime = 100;
/** Lines with one reference from which on they are kept for the next charge with it. */
const leastShared = 32;
const readsAtATime = 4;

/**
 * Compares files of a bank with the books, and changes nothing. The table is read eventually consistently. What seems to
 * differ is read again consistently before it is reported.
 *
 * @throws UnreadableFile when a file cannot be read; nothing is compared then
 */
export async function reconcile(
  table: Table,
  files: readonly BankFile[],
  options: ReconcileOptions,
): Promise<ReconcileReport> {
  const work = new Reconciliation(table, files, options);
  await work.readFiles();
  if (options.scan) await work.readTable();
  await work.lookAgain();
  await work.lookUpOthers();
  return work.report();
}

class Reconciliation {
  readonly #table: Table;
  readonly #files: readonly BankFile[];
  readonly #options: ReconcileOptions;
  readonly #lines = new KeptLines();
  readonly #findings: Findings;
  readonly #coverage: Coverage;
  readonly #rules: Rules;
  #read: readonly ReadFile[] = [];
  readonly #suspects = new Set<string>();
  /** The lines of references that many lines have, by the numbers of their keys. */
  readonly #shared = new Map<number, SharedReference>();
  #firstDay = Infinity;
  #pending = 0;
  #matched = 0;
  #awaited = 0;
  #notCompared = 0;
  #scanned = 0;
  #readUnits = 0;
  #lookedUp = 0;

  constructor(table: Table, files: readonly BankFile[], options: ReconcileOptions) {
    const { bankId, days, charges, from, to } = options;
    this.#table = table;
    this.#files = files;
    this.#options = options;
    this.#findings = new Findings(files.map(({ name }) => name));
    this.#coverage = new Coverage(days, {
      ...(from !== undefined && { from }),
      ...(to !== undefined && { to }),
    });
    const covers: Rules['covers'] = (currency, day) => this.#coverage.covers(currency, day);
    this.#rules = { bankId, days, charges, covers };
  }

  async readFiles(): Promise<void> {
    const { read, pending, firstDay } = await readFiles(
      this.#files,
      { lines: this.#lines, findings: this.#findings, coverage: this.#coverage },
      {
        csv: this.#options.csv,
        progress: (done) => {
          this.#progress('files', done);
        },
      },
    );
    this.#read = read;
    this.#pending = pending;
    this.#firstDay = firstDay;
  }

  #progress(stage: Progress['stage'], done: number): void {
    this.#options.check?.();
    this.#options.progress?.({ stage, lines: this.#lines.count, done });
  }

  /** Reads all withdrawals, returns and charges since the first day, and compares each. */
  async readTable(): Promise<void> {
    const { segments, days } = this.#options;
    const first = this.#coverage.first ?? this.#firstDay;
    if (!Number.isFinite(first)) return;
    const since = dayText(Math.max(0, first - days));
    await forEachOf(Array.from({ length: segments }).keys(), segments, async (segment) => {
      let after: ItemKey | undefined;
      do {
        const page = await scanBankMovements(this.#table, { segment, segments, after, since });
        this.#scanned += page.scanned;
        this.#readUnits += page.readUnits;
        for (const movement of page.movements) this.#compare(movement);
        after = page.next;
        this.#progress('table', this.#scanned);
      } while (after !== undefined);
    });
  }

  /** Compares a transaction as the first reading shows it. One that seems to differ waits for the second reading. */
  #compare(movement: BankMovement | UnreadableMovement): void {
    const key = this.#lines.find(transactionKeyOf(movement.transactionId));
    const isFirst = key < 0 || !this.#lines.isSeen(key);
    if (key >= 0) this.#lines.see(key);
    if (!isFirst) return;
    const isSure = this.#suspects.size >= mostSuspects;
    const seems = this.#judge(movement, isSure);
    if (seems === 'differs') this.#suspects.add(movement.transactionId);
  }

  /**
   * Compares a transaction with its lines.
   *
   * @param isSure whether differences are reported; otherwise nothing is noted about a transaction that differs
   */
  #judge(movement: BankMovement | UnreadableMovement, isSure: boolean): 'agrees' | 'differs' {
    const lines = this.#linesOf(movement.transactionId);
    if ('problem' in movement) {
      if (!isSure) return 'differs';
      const { transactionId, problem: detail } = movement;
      this.#note({ findings: [{ code: 'unreadable', line: lines[0], detail }] }, lines, transactionId);
      return 'differs';
    }
    switch (movement.type) {
      case 'charge':
        return this.#judgeCharge(movement, lines, isSure);
      case 'withdrawal':
        return this.#settle(judgeWithdrawal(movement, lines, this.#rules), lines, isSure);
      case 'return': {
        const { originalTransactionId = '' } = movement;
        return this.#settle(judgeReturn(movement, this.#linesOf(originalTransactionId), this.#rules), lines, isSure);
      }
      default: {
        const detail = `it names a ${movement.type}, which no bank pays`;
        const findings = lines.map((line) => ({ code: 'not_a_bank_payment', line, movement, detail }) as const);
        return this.#settle({ findings }, lines, isSure);
      }
    }
  }

  #judgeCharge(movement: BankMovement, named: readonly KeptLine[], isSure: boolean): 'agrees' | 'differs' {
    const lines = this.#linesForCharge(movement, named);
    const exact = lines.agreeing(movement, this.#rules);
    if (exact) return this.#settle({ findings: [] }, [exact], isSure);
    const nearest = lines.freeCredit();
    // Another charge may fit the line better, so the second reading decides.
    if (nearest) return this.#settle({ findings: judgeCharge(movement, nearest, this.#rules) }, [nearest], isSure);
    if (lines.credits > 0) {
      const detail = `the files have ${lines.credits} credits with its reference, and each belongs to another charge`;
      const finding = { code: 'charged_twice', line: lines.firstCredit, movement, detail } as const;
      return this.#settle({ findings: [finding] }, [], isSure);
    }
    const debit = lines.freeDebit();
    if (debit === undefined) return this.#settle(judgeMissingCharge(movement, this.#rules), [], isSure);
    const detail = 'it is a charge here, and money left the account with its reference';
    return this.#settle({ findings: [{ code: 'wrong_direction', line: debit, movement, detail }] }, [debit], isSure);
  }

  /** Returns the lines that name a charge, or have its reference. Those of a reference that many lines have are kept. */
  #linesForCharge({ externalReference }: BankMovement, named: readonly KeptLine[]): SharedReference {
    const key = externalReference === undefined ? undefined : referenceKeyOf(externalReference);
    const found = key === undefined ? -1 : this.#lines.find(key);
    const kept = named.length === 0 ? this.#shared.get(found) : undefined;
    if (kept) return kept;
    const indexes = [...named.map(({ index }) => index), ...this.#lines.indexesOf(found)];
    const lines = new SharedReference(this.#lines, indexes);
    if (named.length === 0 && indexes.length >= leastShared) this.#shared.set(found, lines);
    return lines;
  }

  #linesOf(transactionId: string): KeptLine[] {
    return this.#lines.linesOf(this.#lines.find(transactionKeyOf(transactionId)));
  }

  #settle(verdict: Verdict, lines: readonly KeptLine[], isSure: boolean): 'agrees' | 'differs' {
    const differs = verdict.findings.length > 0;
    if (!differs || isSure) this.#note(verdict, lines);
    return differs ? 'differs' : 'agrees';
  }

  /** Notes the comparison of lines: those that no finding names agree. */
  #note({ findings, isAwaited }: Verdict, lines: readonly KeptLine[], reference?: string): void {
    const differing = new Set(findings.map(({ line }) => line?.index));
    for (const { index, status } of lines) {
      if (this.#lines.isCompared(index)) continue;
      this.#lines.markCompared(index);
      if (status !== 'pending' && !differing.has(index)) this.#matched++;
    }
    if (isAwaited === true) this.#awaited++;
    for (const finding of findings) this.#findings.add(finding, reference);
  }

  /** Reads what seemed to differ again, consistently, and reports what still does. */
  async lookAgain(): Promise<void> {
    await this.#eachFound([...this.#suspects].sort(), (movement) => {
      this.#judge(movement, true);
    });
  }

  /** Reads the transactions that lines name and the table's reading did not show. */
  async lookUpOthers(): Promise<void> {
    const left = this.#unseenKeys();
    await forEachOf(left, readsAtATime, async (ids) => {
      const found = await this.#get(ids);
      for (const id of ids) {
        const movement = found.get(id);
        if (movement) this.#judge(movement, true);
        else this.#noteUnknown(id);
      }
    });
    for (let index = 0; index < this.#lines.count; index++) {
      if (!this.#lines.isCompared(index)) this.#noteUnnamed(this.#lines.get(index));
    }
  }

  /** Returns the ids of transactions that were not compared, in groups for one read. */
  *#unseenKeys(): Generator<string[]> {
    let group: string[] = [];
    for (let key = 0; key < this.#lines.keyCount; key++) {
      if (this.#lines.isSeen(key)) continue;
      const id = transactionIdOfKey(this.#lines.keyText(key));
      if (id === undefined) continue;
      if (group.push(id) < readAtATime) continue;
      yield group;
      group = [];
    }
    if (group.length > 0) yield group;
  }

  #noteUnknown(id: string): void {
    const lines = this.#linesOf(id);
    const detail = 'there is no transaction with this id';
    const findings = lines.map((line): Finding => ({ code: 'unknown_payment', line, detail }));
    this.#note({ findings }, lines, id);
  }

  /** Notes a line that names no transaction, and no charge of ours. */
  #noteUnnamed(line: KeptLine): void {
    this.#lines.markCompared(line.index);
    if (line.status !== 'booked' || line.amount === 0) return;
    if (line.direction === 'out') {
      this.#findings.add({
        code: 'no_reference',
        line,
        detail: 'money left the account, and the line names no payment',
      });
    } else if (!this.#options.scan) {
      this.#notCompared++;
    } else {
      this.#findings.add({ code: 'unknown_credit', line, detail: 'money came in, and no charge has its reference' });
    }
  }

  async #eachFound(ids: readonly string[], take: (movement: BankMovement | UnreadableMovement) => void): Promise<void> {
    for (let start = 0; start < ids.length; start += readAtATime) {
      const part = ids.slice(start, start + readAtATime);
      const found = await this.#get(part);
      for (const id of part) {
        const movement = found.get(id);
        if (movement) take(movement);
      }
    }
  }

  async #get(ids: readonly string[]): Promise<Map<string, BankMovement | UnreadableMovement>> {
    const { movements, readUnits } = await getBankMovements(this.#table, ids);
    this.#readUnits += readUnits;
    this.#lookedUp += ids.length;
    this.#progress('lookups', this.#lookedUp);
    return new Map(movements.map((movement) => [movement.transactionId, movement]));
  }

  report(): ReconcileReport {
    const differences = this.#findings.total;
    return {
      version: 1,
      outcome: differences === 0 ? 'matched' : 'differences',
      files: this.#read,
      covered: this.#coverage.list(),
      counts: {
        ...{ lines: this.#lines.count, matched: this.#matched, pending: this.#pending },
        ...{ awaited: this.#awaited, notCompared: this.#notCompared },
        ...{ differences, byCode: this.#findings.byCode() },
      },
      read: { scanned: this.#scanned, readUnits: Math.round(10 * this.#readUnits) / 10 },
      differences: this.#findings.sorted(),
    };
  }
}
