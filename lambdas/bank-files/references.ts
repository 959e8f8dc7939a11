/** How a line of a bank names our payment: by the id of its transaction, or for a charge by its external reference. */

/** Banks leave out or replace the underscore, write in capitals, and break a text inside a word. */
const transactionId = /(?<![a-z0-9])tx[^a-z0-9]?([a-z2-7]{26})|tx_([a-z2-7]{26})/i;
const receiptCode = /RCP-?\d{8}-?([a-z2-7]{26})/i;
/** No external reference is longer. */
const longestReference = 128;
const mostKeys = 4;

/** The first character of the keys of each kind. */
const kinds = { transaction: '=', reference: ':' } as const;

/** Returns the keys under which a line with these texts is found: that of the transaction alone, where it names one. */
export function keysOf(references: readonly string[]): string[] {
  for (const text of references) {
    const id = idIn(text) ?? idIn(text.replace(/\s+/g, ''));
    if (id !== undefined) return [transactionKeyOf(`tx_${id}`)];
  }
  return [...new Set(references.map(referenceKeyOf))].filter((key) => key !== undefined).slice(0, mostKeys);
}

function idIn(text: string): string | undefined {
  const [, bare, exact] = transactionId.exec(text) ?? receiptCode.exec(text) ?? [];
  return (bare ?? exact)?.toLowerCase();
}

/** Returns the key of the lines that name a transaction. */
export function transactionKeyOf(id: string): string {
  return `${kinds.transaction}${id}`;
}

/** Returns the transaction that a key names; undefined for the key of a reference. */
export function transactionIdOfKey(key: string): string | undefined {
  return key.startsWith(kinds.transaction) ? key.slice(1) : undefined;
}

/** Returns the key of the lines with an external reference; undefined when it is empty or too long. */
export function referenceKeyOf(reference: string): string | undefined {
  const plain = reference.replace(/\s+/g, '').toUpperCase();
  return plain === '' || plain.length > longestReference ? undefined : `${kinds.reference}${plain}`;
}
