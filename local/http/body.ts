import type { IncomingMessage } from 'node:http';

/** Returns the body of a request, or 'too long' for one of more than `maxBytes`, whose rest is then dropped. */
export function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer | 'too long'> {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) return Promise.resolve('too long');
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > maxBytes) resolve('too long');
      else chunks.push(chunk);
    });
    request.on('end', () => {
      resolve(Buffer.concat(chunks));
    });
    request.on('error', reject);
  });
}
