import { type Bytes, Decoder, Encoder, Errno, type PgId, utf8 } from '@spirula/encoding';
import { compareHObjects, decodeHObject, encodeHObject, type HObject, MIN_HOBJECT } from '@spirula/maps';
import { NOSNAP, OsdOpCode, pgnlsOp } from '@spirula/messages';
import { expect, test } from 'vitest';
import { pgMetaOid, tempOid } from '../object-id.ts';
import { listPg, pgBegin, pgEnd } from './pgls.ts';

const PG_NUM = 12;

function object(name: string, hash: number, nspace = ''): HObject {
  return { pool: 3, nspace, key: '', name, snap: NOSNAP, hash, max: false };
}

function encoded(cursor: HObject): Bytes {
  const encoder = new Encoder();
  encodeHObject(encoder, cursor);
  return encoder.finish();
}

/** Lists a PG page by page; the names, and the last cursor. */
function listAll(
  pgid: PgId,
  objects: readonly HObject[],
  nspace: string,
  count: number,
  missing: readonly HObject[] = [],
) {
  const sorted = [...objects].sort(compareHObjects);
  const store = {
    list: (_cid: string, start: HObject | undefined, max: number) =>
      sorted.filter((oid) => start === undefined || compareHObjects(oid, start) >= 0).slice(0, max),
    getAttr: () => undefined,
  };
  const listing = {
    store,
    cid: 'c',
    pgid,
    pgNum: PG_NUM,
    missing,
    isDeleted: (oid: HObject) => oid.name === 'deleted',
  };
  const names: string[] = [];
  let cursor = MIN_HOBJECT;
  for (let pages = 0; pages < 50; pages++) {
    const { code, output } = listPg(listing, pgnlsOp(count, 1, encoded(cursor)), nspace);
    const decoder = new Decoder(output);
    decoder.struct('page', 1, () => {
      cursor = decodeHObject(decoder, 'next');
      decoder.list('entries', 12, () => {
        decoder.rawString('nspace');
        names.push(decoder.rawString('oid'));
        decoder.rawString('locator');
      });
    });
    if (code === 1) return { names, cursor };
    expect(code).toBe(0);
  }
  throw new Error('the listing does not end');
}

test('the PGs of a pool follow one another and cover all positions', () => {
  let pgid: PgId = { pool: 3, seed: 0 };
  const seen = new Set<number>();
  for (;;) {
    expect(seen.has(pgid.seed)).toBe(false);
    seen.add(pgid.seed);
    const end = pgEnd(pgid, PG_NUM);
    if (end.max) break;
    expect(compareHObjects(pgBegin(pgid), end)).toBeLessThan(0);
    expect(end.snap).toBe(NOSNAP);
    pgid = { pool: 3, seed: end.hash };
  }
  expect(seen.size).toBe(PG_NUM);
  expect(pgEnd({ pool: 3, seed: 0 }, 1).max).toBe(true);
});

test('a PG is listed in pages, without its own objects, and the end names the next PG', () => {
  const pgid = { pool: 3, seed: 1 };
  const objects = [1, 0x11, 0x21, 0x31, 0x41].map((hash) => object(`o${hash}`, hash));
  const own = [pgMetaOid(pgid), tempOid(object('t', 1)), object('deleted', 0x51)];

  for (const count of [1, 2, 100]) {
    const { names, cursor } = listAll(pgid, [...objects, ...own], '', count);
    expect(names).toEqual([...objects].sort(compareHObjects).map((oid) => oid.name));
    expect(cursor).toEqual(pgEnd(pgid, PG_NUM));
  }
});

test('only the namespace asked for is listed, or all', () => {
  const pgid = { pool: 3, seed: 1 };
  const objects = [object('a', 1), object('b', 1, 'ns')];

  expect(listAll(pgid, objects, '', 10).names).toEqual(['a']);
  expect(listAll(pgid, objects, 'ns', 10).names).toEqual(['b']);
  expect(listAll(pgid, objects, '\x01', 10).names).toEqual(['a', 'b']);
});

test('what is still to be recovered is listed once', () => {
  const objects = [object('a', 1), object('stale', 0x11)];
  const missing = [object('stale', 0x11), object('absent', 0x21)];

  expect(listAll({ pool: 3, seed: 1 }, objects, '', 1, missing).names.sort()).toEqual(['a', 'absent', 'stale']);
});

test('a cursor of another PG, and one that does not parse, are refused', () => {
  const listing = {
    store: { list: () => [], getAttr: () => undefined },
    cid: 'c',
    pgid: { pool: 3, seed: 1 },
    pgNum: 8,
    missing: [],
    isDeleted: () => false,
  };

  expect(listPg(listing, pgnlsOp(5, 1, encoded(object('x', 2))), '').code).toBe(Errno.EINVAL);
  expect(listPg(listing, pgnlsOp(5, 1, utf8('no')), '').code).toBe(Errno.EINVAL);
});

test('a filter shows the objects whose xattr it accepts', () => {
  const objects = [object('a', 0), object('b', 0), object('none', 0)].sort(compareHObjects);
  const values = new Map([
    ['a', utf8('1')],
    ['b', utf8('2')],
  ]);
  const listing = {
    store: {
      list: () => objects,
      getAttr: (_cid: string, oid: HObject, name: string) => (name === '_x' ? values.get(oid.name) : undefined),
    },
    cid: 'c',
    pgid: { pool: 3, seed: 0 },
    pgNum: 1,
    missing: [],
    isDeleted: () => false,
  };
  const filtered = (filter: (input: Encoder) => void) => {
    const input = new Encoder();
    input.string('pg');
    input.string('filter');
    filter(input);
    encodeHObject(input, MIN_HOBJECT);
    const plain = pgnlsOp(10, 1, input.finish());
    return listPg(listing, { ...plain, code: OsdOpCode.pgnlsFilter }, '');
  };
  const { code, output } = filtered((input) => {
    input.string('plain');
    input.string('_x');
    input.blob(utf8('2'));
  });
  const page = new Decoder(output);
  const names = page.struct('page', 1, () => {
    decodeHObject(page, 'next');
    return page.list('entries', 12, () => [page.rawString('nspace'), page.rawString('oid'), page.rawString('locator')]);
  });

  expect(code).toBe(1);
  expect(names).toEqual([['', 'b', '']]);
  expect(filtered((input) => input.string('no.such')).code).toBe(Errno.EINVAL);
  expect(filtered((input) => input.u8(1)).code).toBe(Errno.EINVAL);
});
