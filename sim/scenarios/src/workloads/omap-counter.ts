/**
 * A counter that is only ever set from n to n + 1, if it is still n: each value is reached once, by one increment.
 * What it shows lies between the increments acknowledged before and those asked for since.
 */
export interface CounterReadStart {
  readonly acknowledged: number;
  readonly highest: number;
}

export class OmapCounter {
  /** By the value it was set from: who was told that it did that. */
  readonly #takenBy = new Map<number, string>();
  #underWay = 0;
  #unknown = 0;
  #highest = 0;

  begin(): void {
    this.#underWay += 1;
  }

  /** An increment from `value` has ended. Returns what is wrong. */
  end(client: string, value: number, fate: 'acknowledged' | 'unknown' | 'refused'): string | undefined {
    this.#underWay -= 1;
    if (fate === 'unknown') this.#unknown += 1;
    if (fate !== 'acknowledged') return undefined;
    const other = this.#takenBy.get(value);
    if (other !== undefined) return `${client} and ${other} were both told that they set it from ${value}`;
    this.#takenBy.set(value, client);
    return undefined;
  }

  beginRead(): CounterReadStart {
    return { acknowledged: this.#takenBy.size, highest: this.#highest };
  }

  endRead({ acknowledged, highest }: CounterReadStart, value: number): string | undefined {
    const least = Math.max(acknowledged, highest);
    const most = this.#takenBy.size + this.#unknown + this.#underWay;
    if (value < least || value > most) return `it is ${value}, and must be from ${least} to ${most}`;
    this.#highest = Math.max(this.#highest, value);
    return undefined;
  }
}
