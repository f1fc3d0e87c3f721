/** Which stretch of time is seen, and where on the screen. */

/** Nobody needs to see less than this, in microseconds. */
const MIN_RANGE = 20;

export class Viewport {
  from = 0;
  to = 1;
  /** How far the lanes are scrolled up, in pixels. */
  scroll = 0;
  /** Pixels. */
  width = 1;
  height = 1;
  readonly gutter: number;
  readonly #begin: number;
  readonly #end: number;

  constructor(begin: number, end: number, gutter: number) {
    this.gutter = gutter;
    const margin = Math.max(1, (end - begin) * 0.01);
    this.#begin = begin - margin;
    this.#end = end + margin;
    this.fit();
  }

  get plotWidth(): number {
    return Math.max(1, this.width - this.gutter);
  }

  get usPerPixel(): number {
    return (this.to - this.from) / this.plotWidth;
  }

  fit(): void {
    this.from = this.#begin;
    this.to = this.#end;
  }

  x(at: number): number {
    return this.gutter + ((at - this.from) / (this.to - this.from)) * this.plotWidth;
  }

  timeAt(x: number): number {
    return this.from + ((x - this.gutter) / this.plotWidth) * (this.to - this.from);
  }

  /** `factor` below 1 shows less time; what is at `x` stays there. */
  zoom(factor: number, x: number): void {
    const at = this.timeAt(x);
    const range = Math.min(Math.max((this.to - this.from) * factor, MIN_RANGE), this.#end - this.#begin);
    const share = (at - this.from) / (this.to - this.from);
    this.#show(at - share * range, range);
  }

  pan(pixels: number): void {
    this.#show(this.from + pixels * this.usPerPixel, this.to - this.from);
  }

  /** Shows `at` in the middle, and no more than `range` around it where that is given. */
  center(at: number, range = this.to - this.from): void {
    const shown = Math.min(range, this.to - this.from);
    this.#show(at - shown / 2, shown);
  }

  #show(from: number, range: number): void {
    this.from = Math.min(Math.max(from, this.#begin), this.#end - range);
    this.to = this.from + range;
  }

  /** Where on a strip of the whole time something is: 0 to 1. */
  share(at: number): number {
    return (at - this.#begin) / (this.#end - this.#begin);
  }

  atShare(share: number): number {
    return this.#begin + share * (this.#end - this.#begin);
  }
}

/** Seconds, with as many digits as tell neighbors apart that are `stepUs` from one another. */
export function formatTime(us: number, stepUs = 1): string {
  const digits = stepUs >= 1e6 ? 0 : stepUs >= 1e5 ? 1 : stepUs >= 1e4 ? 2 : stepUs >= 1000 ? 3 : stepUs >= 10 ? 5 : 6;
  return `${(us / 1e6).toFixed(digits)} s`;
}

/** The distance between marks of an axis: 1, 2 or 5 times a power of ten, at least `leastUs`. */
export function chooseStep(leastUs: number): number {
  let step = 1;
  for (let i = 0; step < leastUs; i++) step *= i % 3 === 1 ? 2.5 : 2;
  return step;
}
