/** Text into a parser of CSV whose records leave by `on_record`. */
import type { Parser } from 'csv-parse';

/** The calls that give a parser its text, in pieces of any length. */
export interface CsvFeed {
  readonly write: (text: string) => Promise<void>;
  readonly end: () => Promise<void>;
}

/**
 * Returns the calls for a parser.
 *
 * @param failed makes the error that a call rejects with, from that of the parser
 * @param atEnd called after the last record; what it throws, `end` rejects with
 */
export function feedOf(parser: Parser, failed: (error: Error) => Error, atEnd: () => void = () => undefined): CsvFeed {
  // The callback of each call reports its error.
  parser.on('error', () => undefined);
  // Without a reader the stream would never end. It has no records, as none leaves `on_record`.
  parser.resume();
  return {
    write: (text) =>
      new Promise((resolve, reject) => {
        parser.write(text, (error) => {
          if (error) reject(failed(error));
          else resolve();
        });
      }),
    end: () =>
      new Promise((resolve, reject) => {
        parser.once('error', (error) => {
          reject(failed(error));
        });
        parser.end(() => {
          try {
            atEnd();
            resolve();
          } catch (error) {
            reject(error instanceof Error ? error : new Error(String(error)));
          }
        });
      }),
  };
}
