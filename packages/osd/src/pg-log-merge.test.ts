import type { EVersion } from '@spirula/encoding';
import { type HObject, MAX_HOBJECT } from '@spirula/maps';
import { NOSNAP, type PgInfo, type PgLogEntry, type PgLogPart } from '@spirula/messages';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Missing } from './missing.ts';
import { emptyInfo, NO_VERSION, sameVersion } from './pg-info.ts';
import { PgLog } from './pg-log.ts';
import { judgeReplicaLog, mergeLog, missNewEntries } from './pg-log-merge.ts';

const NAMES = ['a', 'b', 'c', 'd'];
const DUPS = 100;

function object(name: string): HObject {
  return { pool: 1, nspace: '', key: '', name, snap: NOSNAP, hash: name.charCodeAt(0), max: false };
}

/** Which version of each object there is; absent: none. */
type Objects = Map<string, EVersion>;

let lastTid = 0n;

type WriteKind = 'modify' | 'delete' | 'error';

/** The next write of a log: what a primary would append. */
function entryFor(objects: Objects, head: EVersion, epoch: number, name: string, wanted: WriteKind): PgLogEntry {
  const isThere = objects.has(name);
  const kind = wanted === 'delete' && !isThere ? 'modify' : wanted;
  const priorVersion = kind === 'error' ? NO_VERSION : (objects.get(name) ?? NO_VERSION);
  const version = { epoch, version: head.version + 1 };
  lastTid += 1n;
  if (kind === 'delete') objects.delete(name);
  else if (kind === 'modify') objects.set(name, version);
  return {
    kind,
    oid: object(name),
    version,
    priorVersion,
    userVersion: version.version,
    reqid: { entityType: 8, entityNum: 1n, tid: lastTid, inc: 0 },
    mtime: { sec: 0, nsec: 0 },
    result: 0,
  };
}

/** A replica: its log, what it misses, and what its store has. */
class Replica {
  readonly log = new PgLog();
  readonly missing = new Missing();
  readonly store: Objects = new Map();
  info: PgInfo = { ...emptyInfo({ pool: 1, seed: 0 }), lastBackfill: MAX_HOBJECT };

  apply(entry: PgLogEntry): void {
    this.log.append(entry);
    this.info = { ...this.info, lastUpdate: entry.version };
    const { name } = entry.oid;
    if (entry.kind === 'error') return;
    if (entry.kind === 'delete') this.store.delete(name);
    else this.store.set(name, entry.version);
  }

  merge(log: PgLogPart): void {
    const info = { ...this.info, lastUpdate: log.head, logTail: log.tail };
    this.info = mergeLog(this.log, this.missing, this.info, { info, log }, DUPS, (oid) => this.store.delete(oid.name));
  }

  recover(name: string, truth: Objects): void {
    const version = truth.get(name);
    if (!version || !this.missing.got(object(name), version)) return;
    this.store.set(name, version);
  }

  /** What is wrong with it, as far as the truth is known. */
  faults(truth: Objects): string[] {
    const faults: string[] = [];
    for (const name of NAMES) {
      const item = this.missing.get(object(name));
      const [stored, wanted] = [this.store.get(name), truth.get(name)];
      if (!wanted) {
        if (item || stored) faults.push(`${name} should be gone`);
      } else if (item) {
        if (!sameVersion(item.need, wanted)) faults.push(`${name} needs another version`);
        if (item.have.version > 0 && !(stored && sameVersion(stored, item.have))) faults.push(`${name} is not had`);
      } else if (!stored || !sameVersion(stored, wanted)) faults.push(`${name} is neither right nor missing`);
    }
    return faults;
  }
}

const write = fc.record({
  name: fc.constantFrom(...NAMES),
  kind: fc.constantFrom<WriteKind[]>('modify', 'modify', 'delete', 'error'),
} as const);
const round = fc.record({
  /** Writes that only this replica saw. */
  divergent: fc.array(write, { maxLength: 4 }),
  /** Writes that it did not see. */
  missed: fc.array(write, { maxLength: 4 }),
  /** Writes after it was brought in line. */
  shared: fc.array(write, { maxLength: 4 }),
  recovered: fc.subarray(NAMES),
  trim: fc.nat(6),
});

test('after a merge every object is in the version of the authoritative log, or known to be missing', () => {
  fc.assert(
    fc.property(fc.array(round, { minLength: 1, maxLength: 4 }), (rounds) => {
      const truth: Objects = new Map();
      const authority = new PgLog();
      const replica = new Replica();
      let epoch = 1;
      for (const { divergent, missed, shared, recovered, trim } of rounds) {
        const branch = new Map(truth);
        for (const { name, kind } of divergent) {
          if (replica.missing.has(object(name))) continue;
          replica.apply(entryFor(branch, replica.log.head, epoch, name, kind));
        }
        epoch += 1;
        for (const { name, kind } of missed) authority.append(entryFor(truth, authority.head, epoch, name, kind));

        const judgedMissing = Missing.of(replica.missing.items());
        const judged = judgeReplicaLog(authority, { info: replica.info, log: replica.log.copy() }, judgedMissing);
        missNewEntries(judged, judgedMissing, authority.copyAfter(judged.lastUpdate).entries, () => {});
        replica.merge(authority.copy());

        expect(replica.faults(truth)).toEqual([]);
        expect(replica.log.head).toEqual(authority.head);
        expect(replica.log.entries.map((entry) => entry.version)).toEqual(
          authority.entries.map((entry) => entry.version),
        );
        const needs = (missing: Missing) =>
          missing
            .items()
            .map(({ oid, need }) => `${oid.name} ${need.epoch} ${need.version}`)
            .sort();
        expect(needs(judgedMissing), 'what the primary thinks of it').toEqual(needs(replica.missing));

        for (const name of recovered) replica.recover(name, truth);
        for (const { name, kind } of shared) {
          if (replica.missing.has(object(name))) continue;
          const entry = entryFor(truth, authority.head, epoch, name, kind);
          authority.append(entry);
          replica.apply(entry);
        }
        const tail = authority.entries[authority.size - 1 - trim]?.version;
        if (tail && replica.missing.size === 0) {
          authority.trim(tail, DUPS);
          replica.log.trim(tail, DUPS);
          replica.info = { ...replica.info, logTail: tail };
        }
        expect(replica.faults(truth)).toEqual([]);
      }
    }),
    { numRuns: 500 },
  );
});
