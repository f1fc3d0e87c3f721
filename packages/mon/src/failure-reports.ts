import type { OsdId } from '@spirula/encoding';
import type { Config, Instant } from '@spirula/world';

/** Who says since when that an OSD does not answer (failure_info_t, mon/OSDMonitor.cc). */
export class FailureReports {
  readonly #config: Config;
  readonly #targets = new Map<OsdId, Map<OsdId, Instant>>();

  constructor(config: Config) {
    this.#config = config;
  }

  report(target: OsdId, reporter: OsdId, since: Instant): void {
    const reports = this.#targets.get(target) ?? new Map<OsdId, Instant>();
    reports.set(reporter, Math.min(since, reports.get(reporter) ?? since));
    this.#targets.set(target, reports);
  }

  cancel(target: OsdId, reporter: OsdId): void {
    const reports = this.#targets.get(target);
    reports?.delete(reporter);
    if (reports?.size === 0) this.#targets.delete(target);
  }

  forget(target: OsdId): void {
    this.#targets.delete(target);
    for (const each of [...this.#targets.keys()]) this.cancel(each, target);
  }

  clear(): void {
    this.#targets.clear();
  }

  targets(): OsdId[] {
    return [...this.#targets.keys()];
  }

  /**
   * Why the target counts as failed; undefined while too few say so, or not for long enough: `graceOf` tells how long from
   * how long it is and who says so.
   */
  verdict(
    target: OsdId,
    now: Instant,
    graceOf: (failedFor: Instant, reporters: readonly OsdId[]) => Instant,
    subtreeOf: (reporter: OsdId) => string,
  ): string | undefined {
    const reports = this.#targets.get(target);
    if (reports === undefined || reports.size === 0) return undefined;
    const failedFor = now - Math.min(...reports.values());
    const grace = graceOf(failedFor, [...reports.keys()]);
    const subtrees = new Set([...reports.keys()].map(subtreeOf));
    if (failedFor < grace || subtrees.size < this.#config.mon_osd_min_down_reporters) return undefined;
    const seconds = (us: Instant) => (us / 1_000_000).toFixed(6);
    return (
      `${subtrees.size} reporters from different ${this.#config.mon_osd_reporter_subtree_level} after ` +
      `${seconds(failedFor)} >= grace ${seconds(grace)}`
    );
  }
}
