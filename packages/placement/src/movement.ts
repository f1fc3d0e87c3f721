/**
 * What moves between two maps of a cluster, once all that is to move has moved: from where PGs are served to where they belong.
 *
 *   before: acting set of a PG ---- copies whose OSD is not in it -----> after: up set
 */
import { CRUSH_ITEM_NONE } from '@spirula/crush';
import type { OsdId, PgId, PoolId } from '@spirula/encoding';
import { mapPool, type OsdMap, osdUp, type PgSets, type Pool, PoolType, pgSet, stableMod } from '@spirula/maps';
import { sharesOf } from './shares.ts';

/** Bytes of a PG's objects, each counted once however many copies there are; undefined: not known. */
export type PgBytes = (pg: PgId) => number | undefined;

export interface PoolMovement {
  readonly pool: PoolId;
  readonly pgs: number;
  /** PGs of which something moves. */
  readonly movedPgs: number;
  /** Copies that an OSD gets which had none of the PG; and those that change places, counted place by place. */
  readonly movedCopies: number;
  readonly movedPlaces: number;
  /** Copies of which there is one less than there should be, as their OSDs are gone or down; PGs of which that is so. */
  readonly lostCopies: number;
  readonly degradedPgs: number;
  /** PGs that have fewer OSDs afterwards than they should. */
  readonly undersizedPgs: number;
  /** What all copies that move hold; undefined: not known. */
  readonly movedBytes: number | undefined;
  /** The least that must move, in bytes where they are known, in copies. */
  readonly leastCopies: number;
  readonly leastBytes: number | undefined;
}

export interface OsdLoad {
  /** Copies of PGs; parts of PGs that are split count as parts. */
  copies: number;
  bytes: number;
  /** What it receives, and what is read from it for others. */
  inBytes: number;
  outBytes: number;
  inCopies: number;
}

export interface Movement {
  readonly pools: readonly PoolMovement[];
  readonly before: ReadonlyMap<OsdId, OsdLoad>;
  readonly after: ReadonlyMap<OsdId, OsdLoad>;
}

/** A copy of an erasure-coded PG holds one part of k. */
function copiesPerByte(map: OsdMap, pool: Pool): number {
  if (pool.type === PoolType.replicated) return 1;
  const k = Number(map.erasureCodeProfiles.get(pool.erasureCodeProfile)?.get('k'));
  return k > 0 ? 1 / k : 1;
}

export function movementBetween(before: OsdMap, after: OsdMap, bytesOf: PgBytes = () => undefined): Movement {
  const loads = { before: new Map<OsdId, OsdLoad>(), after: new Map<OsdId, OsdLoad>() };
  const pools: PoolMovement[] = [];
  for (const [id, pool] of [...after.pools].sort(([a], [b]) => a - b)) {
    const was = before.pools.get(id);
    if (was) pools.push(new PoolComparison({ before, after, id, was, pool, bytesOf, loads }).run());
  }
  return { pools, ...loads };
}

interface Compared {
  readonly before: OsdMap;
  readonly after: OsdMap;
  readonly id: PoolId;
  readonly was: Pool;
  readonly pool: Pool;
  readonly bytesOf: PgBytes;
  readonly loads: { readonly before: Map<OsdId, OsdLoad>; readonly after: Map<OsdId, OsdLoad> };
}

class PoolComparison {
  readonly #compared: Compared;
  readonly #perCopy: number;
  readonly #moved = new Set<number>();
  readonly #degraded = new Set<number>();
  readonly #undersized = new Set<number>();
  #movedCopies = 0;
  #movedPlaces = 0;
  #movedBytes = 0;
  #lostCopies = 0;
  #bytes = 0;
  #areBytesKnown = true;

  constructor(compared: Compared) {
    this.#compared = compared;
    this.#perCopy = copiesPerByte(compared.before, compared.was);
  }

  run(): PoolMovement {
    const { before, after, id, was, pool } = this.#compared;
    const from = mapPool(before, id).acting;
    const to = mapPool(after, id).up;
    // PGs are split or merged along powers of two: a piece is of one PG before, and of one after.
    const pieces = Math.max(was.pgNum, pool.pgNum);
    const partsBefore = partsOf(pieces, was.pgNum);
    const partsAfter = partsOf(pieces, pool.pgNum);
    for (let piece = 0; piece < pieces; piece++) {
      const [source, target] = [stableMod(piece, was.pgNum), stableMod(piece, pool.pgNum)];
      const share = 1 / partsBefore[source]!;
      this.#comparePiece(from, source, to, target, share, 1 / partsAfter[target]!);
    }
    const known = this.#areBytesKnown;
    const { leastCopies, leastPart } = this.#least();
    return {
      ...{ pool: id, pgs: pool.pgNum, movedPgs: this.#moved.size },
      ...{ movedCopies: this.#movedCopies, movedPlaces: this.#movedPlaces, lostCopies: this.#lostCopies },
      ...{ degradedPgs: this.#degraded.size, undersizedPgs: this.#undersized.size, leastCopies },
      movedBytes: known ? this.#movedBytes : undefined,
      leastBytes: known ? leastPart * this.#bytes * this.#perCopy : undefined,
    };
  }

  /** @param share of the PG before that the piece is @param part of the PG afterwards */
  #comparePiece(from: PgSets, source: number, to: PgSets, target: number, share: number, part: number): void {
    const { after, id, pool, bytesOf, loads } = this.#compared;
    const had = pgSet(from, source);
    const gets = pgSet(to, target);
    const known = bytesOf({ pool: id, seed: source });
    if (known === undefined) this.#areBytesKnown = false;
    const objectBytes = (known ?? 0) * share;
    this.#bytes += objectBytes;
    const bytes = objectBytes * this.#perCopy;
    for (const osd of had) {
      if (osd === CRUSH_ITEM_NONE) continue;
      const load = loadOf(loads.before, osd);
      load.copies += share;
      load.bytes += bytes;
    }
    const isPositional = pool.type !== PoolType.replicated;
    const reader = from.primaries[source]!;
    let moves = false;
    for (const [place, osd] of gets.entries()) {
      if (osd === CRUSH_ITEM_NONE) continue;
      const load = loadOf(loads.after, osd);
      load.copies += part;
      load.bytes += bytes;
      if (had[place] !== osd) this.#movedPlaces += part;
      if (isPositional ? had[place] === osd : had.includes(osd)) continue;
      moves = true;
      this.#movedCopies += part;
      this.#movedBytes += bytes;
      load.inBytes += bytes;
      load.inCopies += part;
      if (reader >= 0) loadOf(loads.before, reader).outBytes += bytes;
    }
    if (moves) this.#moved.add(target);
    const lost = had.filter((osd) => osd !== CRUSH_ITEM_NONE && !osdUp(after, osd)).length;
    this.#lostCopies += lost * share;
    if (lost > 0) this.#degraded.add(source);
    if (gets.filter((osd) => osd !== CRUSH_ITEM_NONE).length < pool.size) this.#undersized.add(target);
  }

  /** What OSDs must gain together, as their shares of the pool are afterwards: in copies, and in wholes of the pool. */
  #least(): { readonly leastCopies: number; readonly leastPart: number } {
    const { before, after, was, pool } = this.#compared;
    const [sharesBefore, sharesAfter] = [sharesOf(before, was), sharesOf(after, pool)];
    let leastPart = 0;
    for (const [osd, share] of sharesAfter) {
      const gain = share * pool.size - (sharesBefore.get(osd) ?? 0) * was.size;
      leastPart += Math.max(0, gain);
    }
    return { leastCopies: leastPart * pool.pgNum, leastPart };
  }
}

/** How many pieces each of so many PGs is in. */
function partsOf(pieces: number, pgNum: number): Uint32Array {
  const parts = new Uint32Array(pgNum);
  for (let piece = 0; piece < pieces; piece++) parts[stableMod(piece, pgNum)]! += 1;
  return parts;
}

function loadOf(loads: Map<OsdId, OsdLoad>, osd: OsdId): OsdLoad {
  let load = loads.get(osd);
  if (!load) {
    load = { copies: 0, bytes: 0, inBytes: 0, outBytes: 0, inCopies: 0 };
    loads.set(osd, load);
  }
  return load;
}
