/** Puts right what was done. A second call does nothing. */
export type Undo = () => void;

/** What is done to one thing for a while, by several who do not know of one another: each takes away its own. */
export class Layers<T> {
  readonly #layers = new Set<{ readonly value: T }>();
  readonly #onChange: (values: readonly T[]) => void;

  /** @param onChange is told what holds now, the oldest first */
  constructor(onChange: (values: readonly T[]) => void = () => {}) {
    this.#onChange = onChange;
  }

  /** What holds now, the oldest first. */
  get values(): readonly T[] {
    return [...this.#layers].map(({ value }) => value);
  }

  add(value: T): Undo {
    const layer = { value };
    this.#layers.add(layer);
    this.#changed();
    return () => {
      if (this.#layers.delete(layer)) this.#changed();
    };
  }

  /** Takes away all. */
  clear(): void {
    if (this.#layers.size === 0) return;
    this.#layers.clear();
    this.#changed();
  }

  #changed(): void {
    this.#onChange(this.values);
  }
}

export function undoAll(undos: readonly Undo[]): Undo {
  return () => {
    for (const undo of undos) undo();
  };
}
