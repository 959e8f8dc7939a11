import { text } from 'node:stream/consumers';
import { addLine, noSums } from '../domain/statement.ts';
import type { StatementLine, StatementSums } from '../domain/statement.ts';
import type { StatementProgress } from '../domain/statement-file.ts';
import type { Wallet } from '../domain/wallet.ts';
import { leastPartBytes } from '../aws/objects.ts';
import type { FileStore, Served } from '../aws/objects.ts';
import { saveStep } from '../store/statement-files.ts';
import type { TakenFile } from '../store/statement-files.ts';
import type { Table } from '../store/table.ts';
import { fileHeaderOf, fileKeyOf, statementFormats } from '../views/statement-formats.ts';
import type { StatementFormat, StatementHead } from '../views/statement-view.ts';
import { balanceOf, lineView, statementHead, sumsView } from '../views/statement-view.ts';

/** The services that store a file. */
export interface OutputServices {
  /** The table of statement files. */
  readonly statements: Table;
  readonly files: FileStore;
  /** Bytes from which lines become a part. Absent: 8 MiB. S3 takes 10,000 parts, so a file has at most 80 GB. */
  readonly partBytes?: number;
}

const defaultPartBytes = Math.ceil(1.6 * leastPartBytes);

/**
 * A statement's file, as one turn of its worker writes it: the lines in memory, and the parts in the bucket. What the file
 * says follows from its terms and the ledger. So a part that is made twice is the same.
 */
export class StatementOutput {
  readonly #services: OutputServices;
  readonly #taken: TakenFile;
  readonly #format: StatementFormat;
  readonly #head: StatementHead;
  readonly #key: string;
  /** The parts in the bucket; undefined while there is none. */
  #progress: StatementProgress | undefined;
  /** Of the lines in the bucket and in memory. */
  #sums: StatementSums;
  #lines = '';
  #bytes = 0;

  constructor(services: OutputServices, taken: TakenFile, wallet: Wallet) {
    const { file } = taken;
    this.#services = services;
    this.#taken = taken;
    this.#format = statementFormats[file.format];
    const { from, to, final, opening } = file;
    this.#head = statementHead(wallet, { from, to, final }, opening);
    this.#key = fileKeyOf(file);
    this.#progress = file.progress;
    this.#sums = file.progress?.sums ?? noSums;
  }

  /** Adds the next lines. */
  add(lines: readonly StatementLine[]): void {
    const { walletId, by } = this.#taken.file;
    let added = '';
    for (const line of lines) {
      added += this.#format.line(lineView(line, walletId, by.kind), this.#head, this.#sums.lines);
      this.#sums = addLine(this.#sums, line);
    }
    this.#lines += added;
    this.#bytes += Buffer.byteLength(added);
  }

  /** Whether the lines in memory are enough for a part. */
  get isFull(): boolean {
    return this.#bytes >= (this.#services.partBytes ?? defaultPartBytes);
  }

  /**
   * Stores the lines in memory as a part, and how far it goes.
   *
   * @param version the entry with the last of the lines
   */
  async storePart(version: number): Promise<void> {
    const progress = { version, sums: this.#sums, bytes: (this.#progress?.bytes ?? 0) + this.#bytes };
    if (this.#progress === undefined) {
      // In front of the first lines come sums, which are known at the end.
      await this.#services.files.put(this.#firstKey, this.#lines, { 'content-type': this.#format.mediaType });
      const uploadId = await this.#services.files.beginUpload(this.#key, this.#served);
      await this.#save({ ...progress, uploadId, etags: [] });
    } else {
      const { uploadId, etags } = this.#progress;
      const etag = await this.#putPart(uploadId, etags.length + 2, this.#lines);
      await this.#save({ ...progress, uploadId, etags: [...etags, etag] });
    }
    this.#lines = '';
    this.#bytes = 0;
  }

  /** Completes the file, and makes the statement ready. */
  async finish(): Promise<void> {
    const { statements, files } = this.#services;
    const { closing, createdAt } = this.#taken.file;
    const end = { closing: balanceOf(closing), sums: sumsView(this.#sums) };
    const before = this.#format.before(this.#head, end, createdAt);
    const rest = this.#lines + this.#format.after(this.#head, end);
    if (this.#progress === undefined) await files.put(this.#key, before + rest, this.#served);
    else await this.#complete(this.#progress, before, rest);
    const fileBytes = (this.#progress?.bytes ?? 0) + Buffer.byteLength(before) + Buffer.byteLength(rest);
    await saveStep(statements, this.#taken, { done: { fileBytes, sums: this.#sums } });
  }

  async #complete({ uploadId, etags }: StatementProgress, before: string, rest: string): Promise<void> {
    const { files } = this.#services;
    const first = await files.get(this.#firstKey);
    if (first === undefined) return this.#beginAgain();
    const last = await this.#putPart(uploadId, etags.length + 2, rest);
    const beginning = await this.#putPart(uploadId, 1, before + (await text(first.content)));
    const isComplete = await files.completeUpload(this.#key, uploadId, [beginning, ...etags, last]);
    if (!isComplete) await this.#beginAgain();
  }

  async #putPart(uploadId: string, number: number, content: string): Promise<string> {
    const etag = await this.#services.files.putPart(this.#key, { uploadId, number }, content);
    return etag ?? this.#beginAgain();
  }

  async #save(progress: StatementProgress): Promise<void> {
    await saveStep(this.#services.statements, this.#taken, { progress });
    this.#progress = progress;
  }

  /** Forgets an upload that is over, as after a completion whose answer was lost. The next try begins a new one. */
  async #beginAgain(): Promise<never> {
    await saveStep(this.#services.statements, this.#taken, { progress: undefined });
    throw new Error(`the upload of ${this.#taken.file.statementId} is over, and its file begins again`);
  }

  /** The key of the lines of the first part. */
  get #firstKey(): string {
    return `first/${this.#taken.file.statementId}`;
  }

  get #served(): Served {
    return { 'content-type': this.#format.mediaType, 'content-disposition': fileHeaderOf(this.#head, this.#format) };
  }
}
