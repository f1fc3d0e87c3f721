/**
 * `mon scrub` (Monitor::scrub): the leader has every monitor of its quorum check what the services keep, as of one committed
 * version, and compares.
 *
 *   start --get to all--> under way --all have answered--> said to people: ok, or which monitors differ
 *                            \--mon_scrub_timeout, another quorum--> given up
 *
 * A peon has committed the version when it is asked, for it was told so on the same session; one that has gone on since
 * does not answer.
 */
import type { MonScrub, StoreChecksums } from '@spirula/messages';
import { type Clock, type Config, seconds } from '@spirula/world';

const TIMER = 'scrub';

export interface ScrubHost {
  readonly clock: Clock;
  readonly config: Config;
  lastCommitted(): number;
  /** Of what this monitor holds now. */
  checksums(): ReadonlyMap<string, StoreChecksums>;
  send(rank: number, message: MonScrub): void;
  say(level: 'debug' | 'warn' | 'error', text: string): void;
}

interface UnderWay {
  readonly epoch: number;
  readonly version: number;
  readonly quorum: readonly number[];
  readonly results: Map<number, string>;
}

export class StoreScrub {
  readonly #host: ScrubHost;
  #underWay: UnderWay | undefined;

  constructor(host: ScrubHost) {
    this.#host = host;
  }

  /** @returns false when one is under way already */
  start(epoch: number, rank: number, quorum: readonly number[]): boolean {
    if (this.#underWay !== undefined) return false;
    const { clock, config, send } = this.#host;
    const version = this.#host.lastCommitted();
    const own = describe(this.#host.checksums());
    this.#underWay = { epoch, version, quorum, results: new Map([[rank, own]]) };
    for (const each of quorum) {
      if (each !== rank) send(each, { type: 'mon_scrub', op: 'get', epoch, version, checksums: new Map() });
    }
    clock.arm(TIMER, clock.now() + seconds(config.mon_scrub_timeout));
    this.#finishWhenAll();
    return true;
  }

  /** The quorum is another. */
  stop(): void {
    this.#host.clock.disarm(TIMER);
    this.#underWay = undefined;
  }

  /** Whatever a peer sends, this does not throw. */
  onMessage(from: number, leader: number | undefined, { op, epoch, version, checksums }: MonScrub): void {
    if (op === 'get') {
      if (from !== leader || version !== this.#host.lastCommitted()) return;
      const result: MonScrub = { type: 'mon_scrub', op: 'result', epoch, version, checksums: this.#host.checksums() };
      return this.#host.send(from, result);
    }
    const underWay = this.#underWay;
    if (underWay?.epoch !== epoch || underWay.version !== version || !underWay.quorum.includes(from)) return;
    underWay.results.set(from, describe(checksums));
    this.#finishWhenAll();
  }

  /** Whether the timer was this one. */
  onTimer(name: string): boolean {
    if (name !== TIMER) return false;
    const missing = this.#underWay?.quorum.filter((rank) => !this.#underWay?.results.has(rank));
    this.stop();
    this.#host.say('warn', `scrub given up: nothing was heard of ranks ${missing?.join(',')}`);
    return true;
  }

  #finishWhenAll(): void {
    const { quorum, results } = this.#underWay!;
    if (results.size < quorum.length) return;
    this.stop();
    const sorted = [...results].sort(([a], [b]) => a - b);
    if (new Set(results.values()).size === 1) {
      return this.#host.say('debug', `scrub ok on ${quorum.join(',')}: ${sorted[0]![1]}`);
    }
    this.#host.say('error', 'scrub mismatch');
    for (const [rank, result] of sorted) this.#host.say('error', ` mon.${rank} ${result}`);
  }
}

/** As Ceph writes ScrubResult. */
function describe(checksums: ReadonlyMap<string, StoreChecksums>): string {
  const sorted = [...checksums].sort(([a], [b]) => (a < b ? -1 : 1));
  const list = (field: keyof StoreChecksums) => sorted.map(([prefix, each]) => `${prefix}=${each[field]}`).join(',');
  return `ScrubResult(keys {${list('keys')}} crc {${list('crc')}})`;
}
