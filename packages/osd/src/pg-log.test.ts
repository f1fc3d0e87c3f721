import { type Bytes, compareVersions, type EVersion, type RawString } from '@spirula/encoding';
import { NOSNAP, type PgLogEntry } from '@spirula/messages';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { OmapChanges } from './missing.ts';
import { PgLog } from './pg-log.ts';

const DUPS = 6;

function at(epoch: number, version: number): EVersion {
  return { epoch, version };
}

function entry(version: EVersion, name = `o${version.version}`): PgLogEntry {
  return {
    kind: 'modify',
    oid: { pool: 1, nspace: '', key: '', name, snap: NOSNAP, hash: 1, max: false },
    version,
    priorVersion: at(0, 0),
    userVersion: version.version,
    reqid: { entityType: 8, entityNum: 4n, tid: BigInt(version.version), inc: 0 },
    mtime: { sec: 1, nsec: 0 },
    result: 0,
  };
}

function logOf(...versions: readonly EVersion[]): PgLog {
  const log = new PgLog();
  for (const version of versions) log.append(entry(version));
  return log;
}

/** Keys of a PG's metadata object, as the log's changes leave them. */
class Stored {
  readonly omap = new Map<RawString, Bytes>();

  follow(log: PgLog): void {
    const changes: OmapChanges = { put: new Map(), fresh: new Map(), rm: new Set() };
    log.takeChanges('log.', 'dup.', changes);
    for (const key of changes.fresh.keys()) expect(this.omap.has(key)).toBe(false);
    for (const key of changes.rm) this.omap.delete(key);
    for (const [key, value] of [...changes.put, ...changes.fresh]) this.omap.set(key, value);
  }

  load(tail: EVersion, head: EVersion): PgLog {
    const values = (prefix: string) =>
      [...this.omap]
        .filter(([key]) => key.startsWith(prefix))
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([, value]) => value);
    const log = new PgLog();
    log.load(tail, head, values('log.'), values('dup.'));
    return log;
  }
}

test('what follows a version begins at the newest entry that is not newer', () => {
  const log = logOf(at(1, 1), at(1, 2), at(3, 3));

  expect(log.copyAfter(at(1, 2))).toMatchObject({ tail: at(1, 2), entries: [entry(at(3, 3))] });
  // Of another log: this one has 3'3 in its place.
  expect(log.copyAfter(at(2, 3))).toMatchObject({ tail: at(1, 2), entries: [entry(at(3, 3))] });
  // Beyond the end, as after an interval without writes.
  expect(log.copyAfter(at(9, 0))).toMatchObject({ tail: at(3, 3), head: at(3, 3), entries: [] });
});

test('all there is follows a version that was trimmed', () => {
  const log = logOf(at(1, 1), at(1, 2), at(1, 3));
  log.trim(at(1, 2), DUPS);

  expect(log.copyAfter(at(1, 1))).toMatchObject({ tail: at(1, 2), entries: [entry(at(1, 3))] });
});

test('requests are recognized after their entries were trimmed, for as long as agreed', () => {
  const log = logOf(...Array.from({ length: 20 }, (_, i) => at(1, i + 1)));
  const isKnown = (tid: number) =>
    log.findRequest({ entityType: 8, entityNum: 4n, tid: BigInt(tid), inc: 0 }) !== undefined;

  log.trim(at(1, 18), DUPS);

  expect([14, 15, 18, 19].map(isKnown)).toEqual([false, true, true, true]);
  log.rewind(at(1, 19));
  expect([15, 19, 20].map(isKnown)).toEqual([true, true, false]);
});

test('what each op was answered outlives the entry, a restart, and a move to another log', () => {
  const answered = { ...entry(at(1, 2)), opReturns: [{ rval: 3, output: new Uint8Array([7]) }] };
  const log = logOf(at(1, 1));
  log.append(answered);
  const stored = new Stored();
  stored.follow(log);
  expect(stored.load(log.tail, log.head).findRequest(answered.reqid)).toEqual(answered);

  log.append(entry(at(1, 3)));
  log.trim(at(1, 2), DUPS);
  stored.follow(log);
  const elsewhere = new PgLog();
  elsewhere.claim(log.copy());
  for (const each of [log, stored.load(log.tail, log.head), elsewhere]) {
    expect(each.findRequest(answered.reqid)?.opReturns).toEqual(answered.opReturns);
    expect(each.findRequest(entry(at(1, 1)).reqid)).not.toHaveProperty('opReturns');
  }
});

const step = fc.oneof(
  fc.constant({ kind: 'append' as const }),
  fc.record({ kind: fc.constant('trim' as const), keep: fc.nat(4) }),
  fc.record({ kind: fc.constant('rewind' as const), count: fc.nat(3) }),
);

test('the store follows the log', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), fc.nat(3), (steps, pace) => {
      const log = new PgLog();
      const stored = new Stored();
      for (const [i, each] of steps.entries()) {
        const { entries } = log;
        if (each.kind === 'append') log.append(entry(at(log.head.epoch + (i % 2), log.head.version + 1)));
        else if (each.kind === 'trim') log.trim(entries[entries.length - 1 - each.keep]?.version ?? log.tail, DUPS);
        else log.rewind(entries[entries.length - 1 - each.count]?.version ?? log.tail);
        log.check();
        if (i % (pace + 1) === 0) stored.follow(log);
      }
      stored.follow(log);

      const again = stored.load(log.tail, log.head);
      expect(again.copy()).toEqual(log.copy());
      for (const { version } of log.entries) expect(compareVersions(version, log.tail)).toBeGreaterThan(0);
    }),
  );
});
