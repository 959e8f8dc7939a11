/** Reads the bodies of answers. A server, or something in front of it, may send any. */
import type { Problem } from './types.ts';

/** Most bytes of a body, after its decompression. A gateway of AWS passes on 10 MB at most. */
const mostBytes = 16 * 1024 * 1024;

/**
 * Returns the whole body of an answer as text.
 *
 * @throws Error when it breaks off, or is too long
 */
export async function textOf({ body }: { readonly body: ReadableStream<Uint8Array> | null }): Promise<string> {
  if (body === null) return '';
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let [text, bytes] = ['', 0];
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    bytes += value.byteLength;
    if (bytes > mostBytes) {
      await reader.cancel();
      throw new Error(`the answer has more than ${mostBytes} bytes`);
    }
    text += decoder.decode(value, { stream: true });
  }
}

/** Returns whether an answer says that its body is JSON. */
export function isJson(headers: Headers): boolean {
  return /[/+]json\b/.test(headers.get('Content-Type') ?? '');
}

/** Returns the defect of a body that should be JSON: it may have been cut. Undefined when it has none. */
export function defectOfJson(text: string): Error | undefined {
  try {
    const value = JSON.parse(text) as unknown;
    return typeof value === 'object' && value !== null ? undefined : new Error('the answer has no object');
  } catch (cause) {
    return new Error('the answer is no whole JSON', { cause });
  }
}

/** Returns the body of a refusal; nothing where it is none of the service. Members of other types are left out. */
export function problemIn(text: string | null): Partial<Problem> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text ?? '');
  } catch {
    return {};
  }
  if (typeof parsed !== 'object' || parsed === null) return {};
  const { code, errors, ...others } = parsed as Readonly<Record<string, unknown>>;
  if (typeof code !== 'string') return {};
  const texts = ['title', 'detail', 'requestId', 'resetsAt'];
  const sound = Object.entries(others).filter(([name, value]) => !texts.includes(name) || typeof value === 'string');
  const defects = defectsIn(errors);
  return {
    ...(Object.fromEntries(sound) as Partial<Problem>),
    code,
    ...(defects && { errors: defects }),
  };
}

function defectsIn(errors: unknown): Problem['errors'] {
  const defects: unknown[] = Array.isArray(errors) ? errors : [];
  return defects.length > 0 && defects.every(isDefect) ? defects : undefined;
}

function isDefect(value: unknown): value is { path: string; message: string } {
  if (typeof value !== 'object' || value === null) return false;
  const { path, message } = value as Readonly<Record<string, unknown>>;
  return typeof path === 'string' && typeof message === 'string';
}
