import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until the condition holds. Fails after a time limit. */
export async function eventually(
  isSo: () => boolean | Promise<boolean>,
  { limitMs = 12_000, everyMs = 20 }: { readonly limitMs?: number; readonly everyMs?: number } = {},
): Promise<void> {
  const limit = performance.now() + limitMs;
  while (!(await isSo())) {
    assert.ok(performance.now() < limit, `did not come about within ${limitMs} ms`);
    await sleep(everyMs);
  }
}
