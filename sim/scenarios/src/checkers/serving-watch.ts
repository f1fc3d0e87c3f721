import { formatPgId, type PgId } from '@spirula/encoding';
import { type PgKey, pgKey } from '@spirula/maps';

/** An OSD as far as it serves PGs. */
export interface Server {
  /** PGs for which a client's request would be carried out now, by its own clock. */
  servedPgs(): readonly PgId[];
  serves(pgid: PgId): boolean;
}

/**
 * Watches that no two OSDs would carry out clients' requests on one PG at one moment. Leases are counted by each OSD on its
 * own clock; both are asked at the same instant of true time, so clocks that drift apart are no excuse.
 */
export class ServingWatch {
  readonly #servers: (osd: number) => Server | undefined;
  /** Who was serving each PG when last asked. */
  readonly #serving = new Map<PgKey, Set<number>>();
  /** What each OSD served when last asked; none when it is known to have ceased since to serve some of it. */
  readonly #served = new Map<number, readonly PgId[]>();

  /** @param servers an OSD that runs, hung or not; undefined: it does not run */
  constructor(servers: (osd: number) => Server | undefined) {
    this.#servers = servers;
  }

  /** Looks at an OSD that has just handled an event. Returns what is wrong. */
  check(osd: number): string | undefined {
    const served = this.#servers(osd)?.servedPgs() ?? NONE;
    if (isSame(served, this.#served.get(osd))) return undefined;
    for (const pgid of served) {
      const key = pgKey(pgid);
      const serving = this.#serving.get(key);
      if (serving === undefined) this.#serving.set(key, new Set([osd]));
      else if (serving.size > 1 || !serving.has(osd)) {
        const other = this.#findOther(serving, pgid, osd);
        if (other !== undefined) return `pg ${formatPgId(pgid)} is served by osd.${other} and by osd.${osd} at once`;
        serving.add(osd);
      }
    }
    this.#served.set(osd, served);
    return undefined;
  }

  #findOther(serving: Set<number>, pgid: PgId, osd: number): number | undefined {
    for (const other of serving) {
      if (other === osd) continue;
      if (this.#servers(other)?.serves(pgid)) return other;
      serving.delete(other);
      this.#served.delete(other);
    }
    return undefined;
  }
}

const NONE: readonly PgId[] = [];

function isSame(a: readonly PgId[], b: readonly PgId[] | undefined): boolean {
  return b !== undefined && a.length === b.length && a.every((pgid, i) => pgid === b[i]);
}
