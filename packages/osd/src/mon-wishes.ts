/**
 * What this OSD wants of the monitors until a map grants it: up_thru, temporary acting sets; and failures it has seen
 * (OSD::queue_want_up_thru, OSDService::queue_want_pg_temp). Wishes gather during an event and are repeated to every new
 * monitor.
 */
import type { Epoch, OsdId, PgId } from '@spirula/encoding';
import { type OsdMap, osdUp, type PgKey, pgKey, pgOfKey } from '@spirula/maps';
import type { Message } from '@spirula/messages';
import type { MonClient } from '@spirula/mon-client';
import { type Instant, SECOND } from '@spirula/world';

export class MonWishes {
  readonly #whoami: OsdId;
  readonly #mon: MonClient;
  readonly #pgTemp = new Map<PgKey, readonly OsdId[]>();
  readonly #unsentPgTemp = new Set<PgKey>();
  #upThru: Epoch = 0;
  #upThruUnsent = false;

  constructor(whoami: OsdId, mon: MonClient) {
    this.#whoami = whoami;
    this.#mon = mon;
  }

  wantUpThru(epoch: Epoch): void {
    if (epoch <= this.#upThru) return;
    this.#upThru = epoch;
    this.#upThruUnsent = true;
  }

  /** Undefined takes the wish back. */
  wantPgTemp(pgid: PgId, acting: readonly OsdId[] | undefined): void {
    const key = pgKey(pgid);
    if (acting === undefined) {
      this.#pgTemp.delete(key);
      this.#unsentPgTemp.delete(key);
      return;
    }
    if (this.#pgTemp.get(key)?.join() === acting.join()) return;
    this.#pgTemp.set(key, acting);
    this.#unsentPgTemp.add(key);
  }

  /** Sends what has gathered. Call after every event. */
  flush(map: OsdMap | undefined): void {
    if (!map) return;
    if (this.#upThruUnsent) {
      this.#upThruUnsent = false;
      this.#send({ type: 'osd_alive', osd: this.#whoami, epoch: map.epoch, want: this.#upThru });
    }
    if (this.#unsentPgTemp.size > 0) {
      const pgs = [...this.#unsentPgTemp].map((key) => ({ pgid: pgOfKey(key), acting: this.#pgTemp.get(key)! }));
      this.#unsentPgTemp.clear();
      this.#send({ type: 'osd_pgtemp', osd: this.#whoami, epoch: map.epoch, pgs });
    }
  }

  /** Drops what the map grants. */
  onMap(map: OsdMap): void {
    if (osdUp(map, this.#whoami) && map.osdInfo[this.#whoami]!.upThru >= this.#upThru) this.#upThru = 0;
    for (const [key, acting] of [...this.#pgTemp]) {
      if ((map.pgTemp.get(key) ?? []).join() === acting.join()) this.wantPgTemp(pgOfKey(key), undefined);
    }
  }

  /** Says everything again that no map has granted: a new monitor has heard nothing yet, an old one may have lost it. */
  repeat(): void {
    this.#upThruUnsent = this.#upThru > 0;
    for (const key of this.#pgTemp.keys()) this.#unsentPgTemp.add(key);
  }

  /** Reports that a peer fails; `alive` withdraws it. */
  sendFailure(map: OsdMap, target: OsdId, failedForUs: Instant, immediate: boolean, alive: boolean): void {
    this.#send({
      type: 'osd_failure',
      reporter: this.#whoami,
      target,
      targetAddrs: map.clientAddrs[target]!,
      epoch: map.epoch,
      failedFor: Math.floor(failedForUs / SECOND),
      immediate,
      alive,
    });
  }

  /** Not kept for a later monitor: whoever is asked next is told what holds then. */
  #send(message: Message): void {
    this.#mon.send(message, 'drop');
  }
}
