/** How a line of a bank names our payment: by the id of its transaction, or for a charge by its external reference. */

/** Banks leave out or replace the underscore, write in capitals, and break a text inside a word. */
const transactionId = /(?<![a-z0-9])tx[^a-z0-9]?([a-z2-7]{26})|tx_([a-z2-7]{26})/i;
const receiptCode = /RCP-?\d{8}-?([a-z2-7]{26})/i;
/** No external reference is longer. */
const longestReference = 128;
const mostKeys = 4;

const idPrefix = 'tx_';
/** The first character of the keys of each kind. */
const kinds = { transaction: '=', reference: ':' } as const;

/** Returns the keys under which a line with these texts is found: that of the transaction alone, where it names one. */
export function keysOf(references: readonly string[]): string[] {
  for (const text of references) {
    const id = idIn(text) ?? idIn(text.replace(/\s+/g, ''));
    if (id !== undefined) return [`${kinds.transaction}${packed(id)}`];
  }
  return [...new Set(references.map(referenceKeyOf))].filter((key) => key !== undefined).slice(0, mostKeys);
}

function idIn(text: string): string | undefined {
  const [, bare, exact] = transactionId.exec(text) ?? receiptCode.exec(text) ?? [];
  return (bare ?? exact)?.toLowerCase();
}

/** Returns the key of the lines that name a transaction. */
export function transactionKeyOf(transactionId: string): string {
  return `${kinds.transaction}${packed(transactionId.slice(idPrefix.length))}`;
}

/** Returns the transaction that a key names; undefined for the key of a reference. */
export function transactionIdOfKey(key: string): string | undefined {
  return key.startsWith(kinds.transaction) ? `${idPrefix}${unpacked(key.slice(1))}` : undefined;
}

/** Returns the key of the lines with an external reference; undefined when it is empty or too long. */
export function referenceKeyOf(reference: string): string | undefined {
  const plain = reference.replace(/\s+/g, '').toUpperCase();
  return plain === '' || plain.length > longestReference ? undefined : `${kinds.reference}${plain}`;
}

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';
/** Bits of a character of an id, and of one of a packed id, which is one byte. */
const [idBits, packedBits] = [5, 7];
const idLength = 26;

/** Returns the characters of an id in fewer ones: a million keys take as much memory as their lines. */
function packed(id: string): string {
  let [text, bits, count] = ['', 0, 0];
  for (let at = 0; at < id.length; at++) {
    bits = (bits << idBits) | alphabet.indexOf(id.charAt(at));
    count += idBits;
    if (count < packedBits) continue;
    count -= packedBits;
    text += String.fromCharCode((bits >> count) & 127);
    bits &= (1 << count) - 1;
  }
  return count === 0 ? text : text + String.fromCharCode((bits << (packedBits - count)) & 127);
}

function unpacked(text: string): string {
  let [id, bits, count] = ['', 0, 0];
  for (let at = 0; at < text.length; at++) {
    bits = (bits << packedBits) | text.charCodeAt(at);
    count += packedBits;
    while (count >= idBits && id.length < idLength) {
      count -= idBits;
      id += alphabet.charAt((bits >> count) & 31);
    }
    bits &= (1 << count) - 1;
  }
  return id;
}
