const drainMs = 10_000;

/** The started parts of a runner, and how each is stopped. */
export class Shutdown {
  readonly #stops: (() => unknown)[] = [];

  /** Adds a part. `stop` is awaited before the parts that were added earlier are stopped. */
  add(stop: () => unknown): void {
    this.#stops.push(stop);
  }

  /** Adds a part that has 10 s to finish its work. */
  addDraining(stop: () => Promise<void>): void {
    this.add(() => within(drainMs, stop()));
  }

  /** Stops all parts, the last one first. */
  async run(): Promise<void> {
    for (const stop of this.#stops.splice(0).reverse()) await stop();
  }
}

async function within(limitMs: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([
    work,
    new Promise<void>((resolve) => {
      timer = setTimeout(resolve, limitMs);
    }),
  ]);
  clearTimeout(timer);
}
