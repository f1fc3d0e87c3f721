/** Writes that are under way beside one another: so many at a time. */
export class Writes {
  readonly #atOnce: number;
  readonly #begun = new Set<Promise<void>>();
  #error: unknown;
  #hasFailed = false;

  constructor(atOnce: number) {
    this.#atOnce = atOnce;
  }

  async begin(work: () => Promise<unknown>): Promise<void> {
    this.#check();
    const writing = work().then(
      () => {},
      (error: unknown) => {
        this.#hasFailed = true;
        this.#error ??= error;
      },
    );
    const tracked = writing.finally(() => this.#begun.delete(tracked));
    this.#begun.add(tracked);
    if (this.#begun.size >= this.#atOnce) await Promise.race(this.#begun);
  }

  /** They have ended, well or not. */
  async settle(): Promise<void> {
    await Promise.all(this.#begun);
  }

  /** @throws what the first that failed threw */
  async all(): Promise<void> {
    await this.settle();
    this.#check();
  }

  #check(): void {
    if (this.#hasFailed) throw this.#error;
  }
}
