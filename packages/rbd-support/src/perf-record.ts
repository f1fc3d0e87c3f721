/** What was done to one image, as far as a query has seen it (PerfHandler.merge_raw_osd_perf_counters, sum_osd_perf_counters). */
import { NO_OSD_PERF, type OsdPerfCounters, sumOfOsdPerf } from '@spirula/messages';

/** What one look brought. */
interface Sample {
  /** Seconds since 1970. */
  readonly at: number;
  readonly counters: OsdPerfCounters;
}

/** STATS_RATE_INTERVAL: rates are told of looks that are no further apart, in seconds. */
const RATE_SECONDS = 60;

export class PerfRecord {
  #newest: Sample | undefined;
  #previous: Sample | undefined;
  #total: OsdPerfCounters = NO_OSD_PERF;

  /** @param at later than that of the look before @param counters nothing, where OSDs had nothing to say */
  look(at: number, counters: OsdPerfCounters = NO_OSD_PERF): void {
    this.#previous = this.#newest;
    this.#newest = { at, counters };
    this.#total = sumOfOsdPerf(this.#total, counters);
  }

  /** All since the query began. */
  get total(): OsdPerfCounters {
    return this.#total;
  }

  /** In a second; of latencies the nanoseconds that an operation took. Undefined: it has not been looked at twice. */
  get rates(): OsdPerfCounters | undefined {
    const [newest, previous] = [this.#newest, this.#previous];
    if (!newest || !previous) return undefined;
    const seconds = newest.at - previous.at;
    if (seconds <= 0 || seconds > RATE_SECONDS) return undefined;
    const { writeOps, readOps, writeBytes, readBytes, writeLatency, readLatency } = newest.counters;
    const [writes, reads] = [writeOps / seconds, readOps / seconds];
    return {
      writeOps: writes,
      readOps: reads,
      writeBytes: writeBytes / seconds,
      readBytes: readBytes / seconds,
      writeLatency: writeLatency / seconds / Math.max(1, writes),
      readLatency: readLatency / seconds / Math.max(1, reads),
    };
  }
}
