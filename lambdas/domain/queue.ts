/** Delay of a message whose work threw: 1 s, 2 s, 4 s, … up to five minutes, by how often it was received (1, 2, …). */
export function redeliveryDelaySeconds(receiveCount: number): number {
  return Math.min(2 ** (receiveCount - 1), 300);
}
