import type { Readable } from 'node:stream';

/**
 * Returns the output of a stream up to and including this text. Reads on afterwards, so that the writer never blocks.
 */
export function untilPrinted(stream: Readable, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let printed = '';
    stream.setEncoding('utf8').on('data', (part: string) => {
      printed += part;
      if (printed.includes(text)) resolve(printed);
    });
    stream.once('end', () => {
      reject(new Error(`ended without ${text}: ${printed}`));
    });
  });
}
