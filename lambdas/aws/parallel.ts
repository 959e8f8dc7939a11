/**
 * Does work for each item, at most `most` at a time, in the order of the items. After a failure it begins no more, and
 * rejects with the first one once all that had begun have ended.
 */
export async function forEachOf<T>(items: Iterable<T>, most: number, work: (item: T) => Promise<void>): Promise<void> {
  const rest = items[Symbol.iterator]();
  let isOver = false;
  const worker = async () => {
    for (let next = rest.next(); next.done !== true && !isOver; next = rest.next()) {
      try {
        await work(next.value);
      } catch (error) {
        isOver = true;
        throw error;
      }
    }
  };
  const outcomes = await Promise.allSettled(Array.from({ length: most }, worker));
  const failure = outcomes.find(({ status }) => status === 'rejected');
  if (failure?.status === 'rejected') throw failure.reason;
}
