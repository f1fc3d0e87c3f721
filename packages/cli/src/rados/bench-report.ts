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

/** How things stand after some seconds. */
export interface BenchRow {
  readonly second: number;
  readonly started: number;
  readonly finished: number;
  /** MiB per second: since the start, and since the row before. */
  readonly averageBandwidth: number;
  readonly currentBandwidth: number;
  /** Seconds; undefined when nothing ended since the row before. */
  readonly lastLatency: number | undefined;
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
  readonly #show: (row: BenchRow) => void;
  readonly #latencies = new Series();
  readonly #bandwidths = new Series();
  readonly #iops = new Series();
  #timer: NodeJS.Timeout | undefined;
  #startedAt = 0;
  #rows = 0;
  #started = 0;
  #finished = 0;
  #lastLatency = 0;
  #finishedBefore = 0;
  #rowAt = 0;

  /** `show` is called at the beginning, then every second. */
  constructor(opSize: number, show: (row: BenchRow) => void) {
    this.#opSize = opSize;
    this.#show = show;
  }

  begin(): void {
    this.#startedAt = performance.now();
    this.#rowAt = this.#startedAt;
    this.#showRow();
    this.#timer = setInterval(() => this.#showRow(), 1000);
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
    if (this.#rows <= 1) {
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

  #showRow(): void {
    const now = performance.now();
    const second = this.#rows;
    const done = this.#finished - this.#finishedBefore;
    const elapsed = (now - this.#rowAt) / 1000;
    const current = second === 0 || elapsed === 0 ? 0 : this.#megabytes(done) / elapsed;
    const total = (now - this.#startedAt) / 1000;
    if (second > 0) {
      this.#bandwidths.add(current);
      this.#iops.add(Math.round(done / elapsed));
    }
    this.#show({
      second,
      started: this.#started,
      finished: this.#finished,
      averageBandwidth: second === 0 || total === 0 ? 0 : this.#megabytes(this.#finished) / total,
      currentBandwidth: current,
      lastLatency: done > 0 ? this.#lastLatency : undefined,
      latency: this.#latencies.spread,
    });
    this.#finishedBefore = this.#finished;
    this.#rowAt = now;
    this.#rows += 1;
  }
}

/** A line a row, under headings. */
export function formatRow({ second, started, finished, ...row }: BenchRow): string {
  let text = '';
  if (second % LINES_PER_HEADING === 0) {
    const { max, min, mean } = row.latency;
    if (second > 0) {
      const stamp = new Date().toISOString().replace('Z', '000+0000');
      text += `${stamp} min lat: ${significant(min)} max lat: ${significant(max)} avg lat: ${significant(mean)}\n`;
    }
    text += '  sec Cur ops   started  finished  avg MB/s  cur MB/s last lat(s)  avg lat(s)\n';
  }
  const cells: [string, number][] = [
    [String(second), 5],
    [String(started - finished), 8],
    [String(started), 10],
    [String(finished), 10],
    [significant(row.averageBandwidth), 10],
    [significant(row.currentBandwidth), 10],
    [row.lastLatency === undefined ? '-' : significant(row.lastLatency), 12],
    [significant(row.latency.mean), 12],
  ];
  return `${text}${cells.map(([cell, width]) => cell.padStart(width)).join('')}\n`;
}

/** Every value is a text, doubles with six digits. */
export function dumpRow({ second, started, finished, ...row }: BenchRow) {
  return {
    sec: String(second),
    cur_ops: String(started - finished),
    started: String(started),
    finished: String(finished),
    avg_bw: row.averageBandwidth.toFixed(6),
    cur_bw: row.currentBandwidth.toFixed(6),
    last_lat: (row.lastLatency ?? 0).toFixed(6),
    avg_lat: row.latency.mean.toFixed(6),
  };
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

export function dumpWriteSummary(summary: BenchSummary, opSize: number) {
  const { seconds, finished, bandwidth, iops, latency } = summary;
  return {
    total_time_run: seconds.toFixed(6),
    total_writes_made: String(finished),
    write_size: String(opSize),
    bandwidth: bandwidth.mean.toFixed(6),
    stddev_bandwidth: bandwidth.deviation.toFixed(6),
    max_bandwidth: bandwidth.max.toFixed(6),
    min_bandwidth: bandwidth.min.toFixed(6),
    ...dumpIops(iops),
    average_latency: latency.mean.toFixed(6),
    stddev_latency: latency.deviation.toFixed(6),
    max_latency: latency.max.toFixed(6),
    min_latency: latency.min.toFixed(6),
  };
}

export function dumpReadSummary(summary: BenchSummary, opSize: number, objectSize: number) {
  const { seconds, finished, bandwidth, iops, latency } = summary;
  return {
    total_time_run: seconds.toFixed(6),
    total_reads_made: String(finished),
    read_size: String(opSize),
    object_size: String(objectSize),
    bandwidth: bandwidth.mean.toFixed(6),
    ...dumpIops(iops),
    average_latency: latency.mean.toFixed(6),
    max_latency: latency.max.toFixed(6),
    min_latency: latency.min.toFixed(6),
  };
}

function dumpIops({ mean, deviation, max, min }: Spread) {
  return {
    average_iops: String(Math.floor(mean)),
    stddev_iops: deviation.toFixed(6),
    max_iops: String(max),
    min_iops: String(min),
  };
}
