/** Returns the text without control characters but line feeds: a bank's, caller's or file's text must not steer the terminal. */
export function printable(text: string): string {
  return text.replace(/(?!\n)\p{Cc}/gu, '?');
}
