/** What `rados bench` prints while it runs, and in the end (common/obj_bencher.cc: status_printer, write_bench). */

/** Mean, standard deviation and extremes of a series. */
interface Spread {
  readonly mean: number;
  readonly deviation: number;
  readonly max: number;
  readonly min: number;
}

export interface BenchSummary {
  readonly seconds: number;
  readonly finished: number;
  /** MiB per second: over the whole run, and of its single seconds. */
  readonly bandwidth: Spread;
  readonly iops: Spread;
  /** Seconds. */
  readonly latency: Spread;
}

const MIB = 1 << 20;
/** The heading is printed anew after so many lines. */
const LINES_PER_HEADING = 20;

/** Running mean and deviation (Welford), and the extremes. */
class Series {
  #count = 0;
  #mean = 0;
  #squares = 0;
  #max = 0;
  #min = Number.POSITIVE_INFINITY;

  add(value: number): void {
    this.#count += 1;
    const before = value - this.#mean;
    this.#mean += before / this.#count;
    this.#squares += before * (value - this.#mean);
    this.#max = Math.max(this.#max, value);
    this.#min = Math.min(this.#min, value);
  }

  get spread(): Spread {
    const deviation = this.#count > 1 ? Math.sqrt(this.#squares / (this.#count - 1)) : 0;
    return { mean: this.#mean, deviation, max: this.#max, min: this.#count === 0 ? 0 : this.#min };
  }
}

export class BenchReport {
  readonly #opSize: number;
  readonly #print: (text: string) => void;
  readonly #latencies = new Series();
  readonly #bandwidths = new Series();
  readonly #iops = new Series();
  #timer: NodeJS.Timeout | undefined;
  #startedAt = 0;
  #lines = 0;
  #started = 0;
  #finished = 0;
  #lastLatency = 0;
  #finishedBefore = 0;
  #lineAt = 0;

  constructor(opSize: number, print: (text: string) => void) {
    this.#opSize = opSize;
    this.#print = print;
  }

  begin(): void {
    this.#startedAt = performance.now();
    this.#lineAt = this.#startedAt;
    this.#printLine();
    this.#timer = setInterval(() => this.#printLine(), 1000);
  }

  onStart(): void {
    this.#started += 1;
  }

  onFinish(latencySeconds: number): void {
    this.#finished += 1;
    this.#lastLatency = latencySeconds;
    this.#latencies.add(latencySeconds);
  }

  end(): BenchSummary {
    clearInterval(this.#timer);
    const seconds = (performance.now() - this.#startedAt) / 1000;
    // A run shorter than a second is its own only sample.
    if (this.#lines <= 1) {
      this.#bandwidths.add(this.#megabytes(this.#finished) / seconds);
      this.#iops.add(this.#finished);
    }
    const bandwidth = { ...this.#bandwidths.spread, mean: this.#megabytes(this.#finished) / seconds };
    const iops = { ...this.#iops.spread, mean: this.#finished / seconds };
    return { seconds, finished: this.#finished, bandwidth, iops, latency: this.#latencies.spread };
  }

  #megabytes(ops: number): number {
    return (ops * this.#opSize) / MIB;
  }

  #printLine(): void {
    const now = performance.now();
    const second = this.#lines;
    if (second % LINES_PER_HEADING === 0) {
      const { max, min, mean } = this.#latencies.spread;
      if (second > 0) {
        const stamp = new Date().toISOString().replace('Z', '000+0000');
        this.#print(
          `${stamp} min lat: ${significant(min)} max lat: ${significant(max)} avg lat: ${significant(mean)}\n`,
        );
      }
      this.#print('  sec Cur ops   started  finished  avg MB/s  cur MB/s last lat(s)  avg lat(s)\n');
    }
    const done = this.#finished - this.#finishedBefore;
    const elapsed = (now - this.#lineAt) / 1000;
    const current = second === 0 || elapsed === 0 ? 0 : this.#megabytes(done) / elapsed;
    const total = (now - this.#startedAt) / 1000;
    const average = second === 0 || total === 0 ? 0 : this.#megabytes(this.#finished) / total;
    if (second > 0) {
      this.#bandwidths.add(current);
      this.#iops.add(Math.round(done / elapsed));
    }
    const cells: [string, number][] = [
      [String(second), 5],
      [String(this.#started - this.#finished), 8],
      [String(this.#started), 10],
      [String(this.#finished), 10],
      [significant(average), 10],
      [significant(current), 10],
      [done > 0 ? significant(this.#lastLatency) : '-', 12],
      [significant(this.#latencies.spread.mean), 12],
    ];
    this.#print(`${cells.map(([text, width]) => text.padStart(width)).join('')}\n`);
    this.#finishedBefore = this.#finished;
    this.#lineAt = now;
    this.#lines += 1;
  }
}

/** Six significant digits, as C++ streams print doubles. */
export function significant(value: number): string {
  return String(Number(value.toPrecision(6)));
}

function formatLines(width: number, lines: readonly (readonly [title: string, value: number])[]): string {
  const show = (value: number) => (Number.isInteger(value) ? String(value) : significant(value));
  return lines.map(([title, value]) => `${title.padEnd(width)}${show(value)}\n`).join('');
}

export function formatWriteSummary(summary: BenchSummary, opSize: number, objectSize: number): string {
  const { seconds, finished, bandwidth, iops, latency } = summary;
  return formatLines(24, [
    ['Total time run:', seconds],
    ['Total writes made:', finished],
    ['Write size:', opSize],
    ['Object size:', objectSize],
    ['Bandwidth (MB/sec):', bandwidth.mean],
    ['Stddev Bandwidth:', bandwidth.deviation],
    ['Max bandwidth (MB/sec):', bandwidth.max],
    ['Min bandwidth (MB/sec):', bandwidth.min],
    ['Average IOPS:', Math.floor(iops.mean)],
    ['Stddev IOPS:', iops.deviation],
    ['Max IOPS:', iops.max],
    ['Min IOPS:', iops.min],
    ['Average Latency(s):', latency.mean],
    ['Stddev Latency(s):', latency.deviation],
    ['Max latency(s):', latency.max],
    ['Min latency(s):', latency.min],
  ]);
}

export function formatReadSummary(summary: BenchSummary, opSize: number, objectSize: number): string {
  const { seconds, finished, bandwidth, iops, latency } = summary;
  return formatLines(22, [
    ['Total time run:', seconds],
    ['Total reads made:', finished],
    ['Read size:', opSize],
    ['Object size:', objectSize],
    ['Bandwidth (MB/sec):', bandwidth.mean],
    ['Average IOPS:', Math.floor(iops.mean)],
    ['Stddev IOPS:', iops.deviation],
    ['Max IOPS:', iops.max],
    ['Min IOPS:', iops.min],
    ['Average Latency(s):', latency.mean],
    ['Max latency(s):', latency.max],
    ['Min latency(s):', latency.min],
  ]);
}
