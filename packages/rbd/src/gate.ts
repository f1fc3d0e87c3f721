/** Work that goes on beside other work, and work that goes on alone. Who wants to be alone waits for those who are in, and keeps others out. */
export class Gate {
  #inside = 0;
  #isClosed = false;
  readonly #waiting: (() => void)[] = [];
  #onEmpty: (() => void) | undefined;

  async beside<T>(work: () => Promise<T>): Promise<T> {
    while (this.#isClosed) await this.#turn();
    this.#inside += 1;
    try {
      return await work();
    } finally {
      this.#inside -= 1;
      if (this.#inside === 0) this.#onEmpty?.();
    }
  }

  async alone<T>(work: () => Promise<T>): Promise<T> {
    while (this.#isClosed) await this.#turn();
    this.#isClosed = true;
    if (this.#inside > 0) {
      await new Promise<void>((resolve) => {
        this.#onEmpty = resolve;
      });
    }
    this.#onEmpty = undefined;
    try {
      return await work();
    } finally {
      this.#isClosed = false;
      for (const next of this.#waiting.splice(0)) next();
    }
  }

  #turn(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
