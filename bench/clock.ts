/** Opens a clock whose time passes only when everything waits for it; ms. */
export function openClock() {
  const due: { readonly at: number; readonly resolve: () => void }[] = [];
  const clock = { now: 0 };
  return {
    now: () => clock.now,
    sleep: (ms: number) => new Promise<void>((resolve) => due.push({ at: clock.now + ms, resolve })),
    /** Lets time pass until the work has ended. */
    async run<T>(work: Promise<T>): Promise<T> {
      const ending = { reached: false };
      const end = () => (ending.reached = true);
      work.then(end, end);
      for (;;) {
        await new Promise((resolve) => setImmediate(resolve));
        if (ending.reached) return work;
        due.sort((a, b) => a.at - b.at);
        const next = due.shift();
        if (next === undefined) throw new Error('the work waits for nothing');
        clock.now = next.at;
        next.resolve();
      }
    },
  };
}
