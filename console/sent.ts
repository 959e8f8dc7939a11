/**
 * The keys of commands without a success, kept for this tab. An operator who signs in again, reloads the page or opens
 * another part after a lost answer repeats the command with the same key, so it moves no money twice.
 */
const storageKey = 'wallet-console.sent';
/** More are not kept: an operator repeats a command soon. */
const mostKept = 50;

type Sent = readonly (readonly [command: string, key: string])[];

/** Returns the key of a command: that of its former request, or a new one, which is kept from now on. */
export function keyOf(command: string): string {
  const sent = read();
  const known = sent.find(([one]) => one === command);
  if (known) return known[1];
  const key = crypto.randomUUID();
  write([...sent, [command, key] as const].slice(-mostKept));
  return key;
}

/** Removes the key of a command that has ended: the next one is a new command. */
export function forgetKey(command: string): void {
  write(read().filter(([one]) => one !== command));
}

/** Removes all keys. */
export function forgetKeys(): void {
  sessionStorage.removeItem(storageKey);
}

function read(): Sent {
  return JSON.parse(sessionStorage.getItem(storageKey) ?? '[]') as Sent;
}

function write(sent: Sent): void {
  if (sent.length === 0) forgetKeys();
  else sessionStorage.setItem(storageKey, JSON.stringify(sent));
}
