/**
 * How full an OSD is, by the ratios of the map and its own last one (OSDService::recalc_full_state):
 *
 *   none --nearfull_ratio--> nearfull --backfillfull_ratio--> backfillfull --full_ratio--> full --osd_failsafe_full_ratio--> failsafe
 *
 * The monitors are told of all but the last, and stop clients; by the last the OSD takes no writes, whatever they say.
 */
import { type OsdMap, OsdState } from '@spirula/maps';
import type { LogLevel, OsdFull } from '@spirula/messages';
import type { Config } from '@spirula/world';

export type Fullness = OsdFull['state'] | 'failsafe';

/**
 * When this part of its store (0 to 1) is used. A ratio that is lower than the one below it counts as if it were the same; so
 * does the failsafe ratio, which may be given in percent, too. Where a ratio of the map is 0 the failsafe ratio stands for all.
 */
export function fullnessOf(map: OsdMap, used: number, failsafeRatio: number): Fullness {
  const nearfull = map.nearfullRatio;
  const backfillfull = Math.max(map.backfillfullRatio, nearfull);
  const full = Math.max(map.fullRatio, backfillfull);
  const failsafe = Math.max(failsafeRatio > 1 ? failsafeRatio / 100 : failsafeRatio, full);
  if (used > failsafe) return 'failsafe';
  if (full <= 0 || backfillfull <= 0 || nearfull <= 0) return 'none';
  if (used > full) return 'full';
  if (used > backfillfull) return 'backfillfull';
  return used > nearfull ? 'nearfull' : 'none';
}

/** As what the map has an OSD marked. */
export function markedAs(map: OsdMap, osd: number): OsdFull['state'] {
  const state = map.osdState[osd]!;
  if ((state & OsdState.full) !== 0) return 'full';
  if ((state & OsdState.backfillfull) !== 0) return 'backfillfull';
  return (state & OsdState.nearfull) !== 0 ? 'nearfull' : 'none';
}

export interface OsdFullnessHost {
  readonly config: Config;
  readonly map: OsdMap | undefined;
  statfs(): { readonly total: number; readonly available: number };
  /** Writes a line to the cluster log. */
  say(level: LogLevel, text: string): void;
}

/** How full an OSD was when it last looked. */
export class OsdFullness {
  readonly #host: OsdFullnessHost;
  #state: Fullness = 'none';

  constructor(host: OsdFullnessHost) {
    this.#host = host;
  }

  get isFailsafe(): boolean {
    return this.#state === 'failsafe';
  }

  /** What the monitors are told. */
  get reported(): OsdFull['state'] {
    return this.#state === 'failsafe' ? 'full' : this.#state;
  }

  /** Looks again (OSDService::check_full_status). */
  update(): void {
    const before = this.#state;
    this.#state = this.#compute(0);
    if (before === this.#state) return;
    const percent = `${Math.round(this.#used(0) * 100)}% full`;
    if (this.isFailsafe) {
      this.#host.say('error', `full status failsafe engaged, dropping updates, now ${percent}`);
    } else if (before === 'failsafe') {
      this.#host.say('error', `full status failsafe disengaged, no longer dropping updates, now ${percent}`);
    }
  }

  /** Whether it would be over backfillfull_ratio with so many more bytes (tentative_backfill_full). */
  isBackfillFull(moreBytes: number): boolean {
    const state = this.#compute(moreBytes);
    return state !== 'none' && state !== 'nearfull';
  }

  #compute(moreBytes: number): Fullness {
    const { map, config } = this.#host;
    return map === undefined ? 'none' : fullnessOf(map, this.#used(moreBytes), config.osd_failsafe_full_ratio);
  }

  #used(moreBytes: number): number {
    const { total, available } = this.#host.statfs();
    return total === 0 ? 0 : (total - available + moreBytes) / total;
  }
}
