/** Which messages can be seen in a stretch of time, without looking at all of them. */
import type { MessageColumns } from './model.ts';

/** Messages that take longer are looked through one by one: there are few. */
const LONG = 250_000;

export class MessagesInView {
  readonly #messages: MessageColumns;
  /** Numbers of messages by the time they were sent; and of those that take long. */
  readonly #order: Uint32Array;
  readonly #sent: Float64Array;
  readonly #long: readonly number[];

  constructor(messages: MessageColumns) {
    this.#messages = messages;
    const { sent, arrived, count } = messages;
    this.#order = Uint32Array.from({ length: count }, (_, i) => i).sort((a, b) => sent[a]! - sent[b]!);
    this.#sent = Float64Array.from(this.#order, (message) => sent[message]!);
    this.#long = [...this.#order].filter((message) => arrived[message]! - sent[message]! > LONG);
  }

  /** Calls `visit` with each message on its way between `from` and `to`. */
  forEach(from: number, to: number, visit: (message: number) => void): void {
    const { sent, arrived } = this.#messages;
    const first = this.#lowerBound(from - LONG);
    const firstSent = this.#sent[first] ?? Number.POSITIVE_INFINITY;
    for (const message of this.#long) {
      if (sent[message]! < firstSent && arrived[message]! >= from) visit(message);
    }
    for (let i = first; i < this.#order.length && this.#sent[i]! <= to; i++) {
      const message = this.#order[i]!;
      if (sent[message]! >= from || arrived[message]! >= from) visit(message);
    }
  }

  #lowerBound(at: number): number {
    let low = 0;
    let high = this.#sent.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#sent[middle]! < at) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
