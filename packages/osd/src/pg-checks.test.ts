import type { EVersion } from '@spirula/encoding';
import { type HObject, MAX_HOBJECT, MIN_HOBJECT } from '@spirula/maps';
import { NOSNAP, type PgLogEntry } from '@spirula/messages';
import { expect, test } from 'vitest';
import { Missing } from './missing.ts';
import { encodeObjectInfo, OBJECT_INFO_ATTR } from './object-info.ts';
import { PgChecks } from './pg-checks.ts';
import type { PgCore } from './pg-core.ts';
import { emptyInfo, NO_VERSION } from './pg-info.ts';
import { PgLog } from './pg-log.ts';

function object(name: string): HObject {
  return { pool: 1, nspace: '', key: '', name, snap: NOSNAP, hash: 1, max: false };
}

function at(epoch: number, version: number): EVersion {
  return { epoch, version };
}

function entry(name: string, version: EVersion, fields: Partial<PgLogEntry> = {}): PgLogEntry {
  return {
    kind: 'modify',
    oid: object(name),
    version,
    priorVersion: NO_VERSION,
    userVersion: version.version,
    reqid: { entityType: 8, entityNum: 1n, tid: BigInt(version.version), inc: 0 },
    mtime: { sec: 0, nsec: 0 },
    result: 0,
    ...fields,
  };
}

/** A PG with these entries, whose store holds an object in the version given. */
function pg(entries: readonly PgLogEntry[], stored: EVersion | undefined, missing = new Missing()): PgCore {
  const log = new PgLog();
  for (const each of entries) log.append(each);
  const bytes =
    stored &&
    encodeObjectInfo({
      version: stored,
      priorVersion: NO_VERSION,
      userVersion: 1,
      size: 0,
      mtime: { sec: 0, nsec: 0 },
      truncateSeq: 0,
      truncateSize: 0,
      isDirty: true,
      watchers: [],
      whiteout: false,
      snaps: [],
    });
  const lastUpdate = log.head;
  return {
    cid: '1.0',
    writes: 1,
    log,
    missing,
    info: { ...emptyInfo({ pool: 1, seed: 0 }), lastUpdate, lastComplete: missing.size > 0 ? NO_VERSION : lastUpdate },
    host: {
      store: { getAttr: (_: string, __: HObject, name: string) => (name === OBJECT_INFO_ATTR ? bytes : undefined) },
    },
  } as unknown as PgCore;
}

function checkPg(core: PgCore): void {
  new PgChecks(core).check();
}

test('a log without gaps, whose newest object is in the store, is in order', () => {
  const entries = [entry('a', at(1, 1)), entry('b', at(1, 2)), entry('a', at(3, 3), { priorVersion: at(1, 1) })];

  expect(() => checkPg(pg(entries, at(3, 3)))).not.toThrow();
});

test.each([
  ['a gap', [entry('a', at(1, 1)), entry('a', at(1, 3))], 'without gaps'],
  ['an entry that replaces what is newer', [entry('a', at(1, 1), { priorVersion: at(1, 4) })], 'follows the version'],
])('a log with %s is told', (_, entries, rule) => {
  expect(() => checkPg(pg(entries, entries.at(-1)!.version))).toThrow(rule);
});

test('a log whose newest object is not in the store as it says is told', () => {
  const entries = [entry('a', at(1, 1))];

  expect(() => checkPg(pg(entries, undefined))).toThrow('an object that the log writes is there');
  expect(() => checkPg(pg(entries, at(1, 7)))).toThrow('in the version that the log has');
  expect(() => checkPg(pg([entry('a', at(1, 1), { kind: 'delete' })], at(1, 1)))).toThrow('deletes is not there');
});

test.each([
  ['in a version older than is there', at(1, 1), at(1, 2), 'newer version than is there'],
  ['in a version that was never written', at(1, 9), NO_VERSION, 'that was not written'],
  ['in another version than the log has', at(1, 1), NO_VERSION, 'in the version that the log has'],
])('an object that is missing %s is told', (_, need, have, rule) => {
  const entries = [entry('b', at(1, 1)), entry('a', at(1, 2))];
  const missing = Missing.of([{ oid: object('a'), need, have }]);

  expect(() => checkPg(pg(entries, undefined, missing))).toThrow(rule);
});

test('what is missing is in the log, is not complete, and not beyond what backfill has done', () => {
  const entries = [entry('a', at(1, 1))];
  const core = pg(entries, undefined, Missing.of([{ oid: object('a'), need: at(1, 1), have: NO_VERSION }]));
  expect(() => checkPg(core)).not.toThrow();
  const withInfo = (fields: object) => ({ ...core, info: { ...core.info, ...fields } }) as PgCore;

  expect(() => checkPg(withInfo({ lastComplete: at(1, 1) }))).toThrow('nothing up to last_complete is missing');
  expect(() => checkPg(withInfo({ lastBackfill: MIN_HOBJECT }))).toThrow('backfill');
  expect(() => checkPg(withInfo({ lastBackfill: MAX_HOBJECT }))).not.toThrow();
  const unknown = Missing.of([{ oid: object('z'), need: at(1, 1), have: NO_VERSION }]);
  expect(() => checkPg(pg(entries, at(1, 1), unknown))).toThrow('in the log, or trimmed');
});

test('what was looked at is looked at again once more is written', () => {
  const entries = [entry('a', at(1, 1))];
  const core = pg(entries, at(1, 1));
  const checks = new PgChecks(core);
  checks.check();
  Object.assign(core, { writes: 2, host: pg(entries, undefined).host });
  expect(() => checks.check()).toThrow('an object that the log writes is there');

  core.log.append(entry('a', at(1, 3)));
  expect(() => checks.check()).toThrow('without gaps');
});
