import { request as httpRequest } from 'node:http';
import type { Agent } from 'node:http';
import { request as httpsRequest } from 'node:https';

/** An HTTP request as a benchmark sends it; the body is JSON or empty. */
export interface Sent {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * Sends a request over kept connections and returns the answer. It costs a fraction of the CPU of `fetch`.
 *
 * @throws Error when no answer comes within `timeoutMs`
 */
export function exchange(
  agent: Agent,
  url: URL,
  { method, headers, body }: Sent,
  timeoutMs = 30_000,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const length = { 'Content-Length': String(Buffer.byteLength(body)) };
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const options = { agent, method, headers: { ...headers, ...length }, signal: AbortSignal.timeout(timeoutMs) };
    const sent = send(url, options, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, text });
      });
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
