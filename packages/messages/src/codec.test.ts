import { type Bytes, concatBytes, EMPTY, fromUtf8, MalformedInput, toHex, utf8 } from '@spirula/encoding';
import { MAX_HOBJECT, MIN_HOBJECT } from '@spirula/maps';
import type { RawMessage } from '@spirula/msgr';
import fc, { type Arbitrary } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readCaptures } from '../../../test/src/captures.ts';
import { decodeMessage, encodeMessage, isPrivate, UnknownMessage } from './codec.ts';
import type { Message } from './message.ts';
import { NOSNAP, OsdFlag, OsdOpCode, type OsdOpReply } from './osd-op.ts';

const bytes = fc.uint8Array({ maxLength: 40 });
const fsid = fc.uint8Array({ minLength: 16, maxLength: 16 });
const text = fc.string({ maxLength: 12, unit: 'grapheme' });
const raw = fc.string({ maxLength: 12, unit: fc.nat(255).map((code) => String.fromCharCode(code)) });
const u64 = fc.bigInt(0n, (1n << 64n) - 1n);
const i64 = fc.bigInt(-(1n << 63n), (1n << 63n) - 1n);
const u32 = fc.nat(0xffff_ffff);
const i32 = fc.integer();
const uint = fc.nat(Number.MAX_SAFE_INTEGER);
const bool = fc.boolean();
const tid = u64;
const strings = fc.array(text, { maxLength: 3 });
const eversion = fc.record({ epoch: u32, version: uint });
const pgid = fc.record({ pool: uint, seed: u32 });
const utime = fc.record({ sec: u32, nsec: u32 });
const osds = fc.array(fc.nat(999), { maxLength: 4 });

function mapOf<K, V>(key: Arbitrary<K>, value: Arbitrary<V>): Arbitrary<ReadonlyMap<K, V>> {
  return fc.array(fc.tuple(key, value), { maxLength: 4 }).map((entries) => new Map(entries));
}

const addr = fc.record({
  type: fc.constantFrom(1, 2, 3),
  nonce: u32,
  family: fc.constant(2 as const),
  ip: fc.ipV4(),
  port: fc.nat(0xffff),
});
const addrs = fc.array(addr, { maxLength: 3 });
const entity = fc.record({ type: fc.constantFrom('mon', 'osd', 'mgr', 'client'), id: text });

const sum = fc.record({
  bytes: uint,
  objects: uint,
  objectClones: uint,
  whiteouts: uint,
  objectCopies: fc.constant(0),
  objectsMissingOnPrimary: uint,
  objectsDegraded: uint,
  objectsMisplaced: uint,
  objectsUnfound: uint,
  reads: uint,
  readBytes: u32.map((kb) => kb * 1024),
  writes: uint,
  writeBytes: u32.map((kb) => kb * 1024),
  objectsRecovered: uint,
  bytesRecovered: uint,
  omapBytes: uint,
  omapKeys: uint,
});
const poolStat = fc.record({
  sum,
  logSize: uint,
  ondiskLogSize: uint,
  up: i32,
  acting: i32,
  allocated: uint,
  numOsds: u32,
});
const osdStat = fc.record({
  kb: uint,
  kbUsed: uint,
  kbUsedData: uint,
  kbUsedOmap: uint,
  kbUsedMeta: uint,
  kbAvail: uint,
  hbPeers: osds,
  numPgs: u32,
  upFrom: u32,
  seq: uint,
  slowOps: fc.record({ count: u32, oldestSeconds: u32 }),
  pings: fc.array(
    fc.record({ osd: u32, back: fc.array(u32, { maxLength: 3 }), front: fc.array(u32, { maxLength: 3 }) }),
    {
      maxLength: 3,
    },
  ),
  commitLatencyMs: fc.double({ min: 0, max: 1e6, noNaN: true }),
  applyLatencyMs: uint,
});
const snaps = fc.array(fc.record({ start: u64, length: u64 }), { maxLength: 2 });
const pgStat = fc.record({
  pgid,
  state: text,
  version: eversion,
  reportedSeq: uint,
  reportedEpoch: u32,
  up: osds,
  upPrimary: fc.integer({ min: -1, max: 9 }),
  acting: osds,
  actingPrimary: fc.integer({ min: -1, max: 9 }),
  created: u32,
  lastEpochClean: u32,
  mappingEpoch: u32,
  lastFresh: utime,
  lastChange: utime,
  lastActive: utime,
  lastPeered: utime,
  lastClean: utime,
  lastUnstale: utime,
  lastUndegraded: utime,
  lastFullsized: utime,
  logStart: eversion,
  logSize: uint,
  sum,
  blockedBy: osds,
  snaptrimqLen: uint,
  purgedSnaps: snaps,
});
const digest = fc.record({
  numPgs: u32,
  numPgActive: u32,
  numPgUnknown: u32,
  pgsByState: mapOf(text, u32),
  pools: mapOf(uint, poolStat),
  pgsPerPool: mapOf(uint, u32),
  osdStats: mapOf(u32, osdStat),
  pgsPerOsd: mapOf(u32, u32),
  total: sum,
  kb: uint,
  kbUsed: uint,
  kbAvail: uint,
  readBytesPerSecond: uint,
  writeBytesPerSecond: uint,
  readOpsPerSecond: uint,
  writeOpsPerSecond: uint,
  recoveryBytesPerSecond: uint,
  recoveryObjectsPerSecond: uint,
  stalePgs: fc.array(pgid, { maxLength: 3 }),
  purgedSnaps: mapOf(uint, snaps),
});
const opHead = {
  code: fc.nat(0xffff),
  flags: u32,
  args: fc.uint8Array({ minLength: 28, maxLength: 28 }),
};

type Arbitraries = {
  readonly [T in Message['type']]?: Arbitrary<Omit<Extract<Message, { readonly type: T }>, 'type'>>;
};

const messages: Arbitraries = {
  command: fc.record({ tid, fsid, cmd: strings, data: bytes }),
  command_reply: fc.record({ tid, code: i32, status: text, data: bytes }),
  config: fc.record({ config: mapOf(text, text) }),
  get_pool_stats: fc.record({ tid, fsid, pools: strings }),
  get_pool_stats_reply: fc.record({ tid, fsid, stats: mapOf(text, poolStat), perPool: bool }),
  log: fc.record({
    fsid,
    version: uint,
    entries: fc.array(
      fc.record({
        ...{ name: entity, rank: i64, addrs },
        ...{ stamp: utime, seq: uint, priority: fc.nat(4), text, channel: text },
      }),
      { maxLength: 3 },
    ),
  }),
  mgr_command: fc.record({ tid, fsid, cmd: strings, data: bytes }),
  mgr_command_reply: fc.record({ tid, code: i32, status: text, data: bytes }),
  mgr_map: fc.record({ mgrmap: bytes }),
  mon_command: fc.record({ tid, fsid, cmd: strings, data: bytes }),
  mon_command_ack: fc.record({ tid, code: i32, status: text, cmd: strings, data: bytes }),
  mon_get_map: fc.constant({}),
  auth: fc.record({ tid, protocol: u32, payload: bytes }),
  auth_reply: fc.record({ tid, protocol: u32, result: i32, globalId: u64, payload: bytes }),
  mon_get_version: fc.record({ tid, handle: u64, what: text }),
  mon_get_version_reply: fc.record({ tid, handle: u64, newest: uint, oldest: uint }),
  mon_map: fc.record({ monmap: bytes }),
  mon_subscribe: fc.record({ what: mapOf(text, fc.record({ start: uint, once: bool })), hostname: text }),
  osd_backoff: fc.record({
    pgid,
    epoch: u32,
    op: fc.constantFrom('block', 'ackBlock', 'unblock'),
    id: u64,
    begin: fc.constantFrom(MIN_HOBJECT, MAX_HOBJECT),
    end: fc.constantFrom({ ...MIN_HOBJECT, pool: 3, name: 'a', nspace: 'n', hash: 77, snap: NOSNAP }, MAX_HOBJECT),
  }),
  osd_map: fc.record({
    fsid,
    incrementals: mapOf(u32, bytes),
    fulls: mapOf(u32, bytes),
    oldest: u32,
    newest: u32,
    gapRemovedSnaps: mapOf(uint, fc.array(fc.record({ start: u64, length: u64 }), { maxLength: 2 })),
  }),
  osd_op: fc.record({
    tid,
    pgid,
    hash: u32,
    epoch: u32,
    flags: u32,
    reqid: fc.record({ entityType: fc.nat(255), entityNum: i64, tid: u64, inc: i32 }),
    clientInc: u32,
    mtime: utime,
    locator: fc.record({ pool: uint, key: raw, nspace: raw, hash: i64 }),
    oid: raw,
    ops: fc.array(fc.record({ ...opHead, input: bytes }), { maxLength: 4 }),
    snapid: u64,
    snapSeq: u64,
    snaps: fc.array(u64, { maxLength: 3 }),
    retry: i32,
    features: u64,
  }),
  osd_op_reply: fc.record({
    tid,
    oid: raw,
    pgid,
    flags: u32.map((flags) => (flags | OsdFlag.ack | OsdFlag.ondisk) >>> 0),
    result: i32,
    epoch: u32,
    ops: fc.array(fc.record({ ...opHead, rval: i32, output: bytes }), { maxLength: 4 }),
    retry: i32,
    replayVersion: eversion,
    userVersion: uint,
  }),
  ping: fc.record({ status: text }, { requiredKeys: [] }),
  pool_op: fc.record({
    tid,
    fsid,
    pool: u32,
    op: u32,
    snapid: u64,
    name: text,
    crushRule: fc.integer({ min: -1, max: 255 }),
  }),
  pool_op_reply: fc.record({ tid, fsid, code: i32, epoch: u32, response: fc.option(bytes, { nil: undefined }) }),
  statfs: fc.record({ tid, fsid, pool: fc.option(uint, { nil: undefined }) }),
  statfs_reply: fc.record({ tid, fsid, version: uint, kb: uint, kbUsed: uint, kbAvail: uint, objects: uint }),
  osd_boot: fc.record({
    osd: u32,
    uuid: fsid,
    publicAddrs: addrs,
    clusterAddrs: addrs,
    hbBackAddrs: addrs,
    hbFrontAddrs: addrs,
    bootEpoch: u32,
    cleanBegin: u32,
    cleanEnd: u32,
    metadata: mapOf(text, text),
  }),
  osd_failure: fc.record({
    reporter: u32,
    target: u32,
    targetAddrs: addrs,
    epoch: u32,
    failedFor: u32,
    immediate: bool,
    alive: bool,
  }),
  osd_alive: fc.record({ osd: u32, epoch: u32, want: u32 }),
  osd_pgtemp: fc.record({ osd: u32, epoch: u32, pgs: fc.array(fc.record({ pgid, acting: osds }), { maxLength: 3 }) }),
  osd_full: fc.record({ osd: u32, epoch: u32, state: fc.constantFrom('none', 'nearfull', 'backfillfull', 'full') }),
  osd_beacon: fc.record({ osd: u32, epoch: u32, pgs: fc.array(pgid, { maxLength: 3 }), minLastEpochClean: u32 }),
  osd_mark_me_down: fc.record({ osd: u32, epoch: u32, ack: bool }),
  mgr_beacon: fc.record({
    name: text,
    gid: u64,
    fsid,
    addrs,
    available: bool,
    commandDescriptions: fc.array(
      fc.record({
        sig: fc.array(fc.oneof(text, fc.dictionary(text, text, { maxKeys: 2, noNullPrototype: true })), {
          maxLength: 3,
        }),
        help: text,
        module: text,
        perm: text,
        flags: u32,
      }),
      { maxLength: 2 },
    ),
    services: mapOf(text, text),
    metadata: mapOf(text, text),
  }),
  mgr_open: fc.record({ entity }),
  mgr_configure: fc.record({
    perfQueries: fc.array(
      fc.record({
        id: uint,
        pool: fc.option(uint, { nil: undefined }),
        namespace: fc.option(raw, { nil: undefined }),
        maxImages: u32,
      }),
      { maxLength: 2 },
    ),
  }),
  osd_perf_reports: fc.record({
    reports: fc.array(
      fc.record({
        query: uint,
        images: fc.array(
          fc.record({
            pool: uint,
            namespace: raw,
            id: raw,
            counters: fc.record({
              writeOps: uint,
              readOps: uint,
              writeBytes: uint,
              readBytes: uint,
              writeLatency: uint,
              readLatency: uint,
            }),
          }),
          { maxLength: 2 },
        ),
      }),
      { maxLength: 2 },
    ),
  }),
  pg_stats: fc.record({ osd: u32, epoch: u32, osdStat, pgs: fc.array(pgStat, { maxLength: 2 }), full: bool }),
  mon_mgr_report: fc.record({
    gid: u64,
    digest,
    checks: mapOf(
      text,
      fc.record({
        severity: fc.constantFrom('HEALTH_WARN', 'HEALTH_ERR'),
        summary: text,
        count: uint,
        detail: strings,
      }),
    ),
  }),
};

function arbitraryOf(type: string): Arbitrary<Message> {
  const fields = messages[type as Message['type']] as Arbitrary<object>;
  return fields.map((each) => ({ type, ...each }) as Message);
}

/** As it arrives: one data segment. */
function travel(message: Message): RawMessage {
  const { code, version, compat, tid: id, front, data } = encodeMessage(message);
  return { code, version, compat, tid: id, front, middle: EMPTY, data: concatBytes(data) };
}

describe.each(Object.keys(messages))('%s', (type) => {
  test('says the same after its journey', () => {
    fc.assert(
      fc.property(arbitraryOf(type), (message) => {
        expect(decodeMessage(travel(message))).toEqual(message);
      }),
      { numRuns: 40 },
    );
  });

  test('damaged or cut off is a message or malformed, nothing else', () => {
    fc.assert(
      fc.property(arbitraryOf(type), fc.nat(), fc.nat(), bool, (message, at, bit, cut) => {
        const whole = travel(message);
        const front = whole.front.slice(0, cut ? at % (whole.front.length + 1) : undefined);
        if (!cut && front.length > 0) front[at % front.length]! ^= 1 << (bit % 8);
        try {
          decodeMessage({ ...whole, front });
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedInput);
        }
      }),
      { numRuns: 60 },
    );
  });
});

test('a type number that is not known is no damage', () => {
  const message = { code: 999, version: 1, compat: 1, tid: 0n, front: EMPTY, middle: EMPTY, data: EMPTY };

  expect(() => decodeMessage(message)).toThrow(UnknownMessage);
  expect(() => decodeMessage({ ...message, code: 0xfff0 })).toThrow(UnknownMessage);
});

test('an older encoding than is written here is refused, as is one that only newer code reads', () => {
  const statfs = travel({ type: 'statfs', tid: 1n, fsid: new Uint8Array(16), pool: undefined });

  expect(() => decodeMessage({ ...statfs, version: 1 })).toThrow(MalformedInput);
  expect(() => decodeMessage({ ...statfs, version: 3, compat: 3 })).toThrow(MalformedInput);
  expect(decodeMessage({ ...statfs, version: 3, compat: 1, front: concatBytes([statfs.front, EMPTY]) })).toMatchObject({
    type: 'statfs',
  });
});

test('payloads travel beside the front, uncopied', () => {
  const input = new Uint8Array(4 << 20);
  const message: Message = { type: 'mon_command', tid: 1n, fsid: new Uint8Array(16), cmd: [], data: input };

  expect(encodeMessage(message).data[0]).toBe(input);
});

test('of an output in pieces the receiver sees the whole', () => {
  const head = { code: OsdOpCode.sparseRead, flags: 0, args: new Uint8Array(28), rval: 0 };
  const reply: OsdOpReply = {
    ...{ type: 'osd_op_reply', tid: 1n, oid: 'o', pgid: { pool: 1, seed: 0 }, flags: 0, result: 0, epoch: 1, retry: 0 },
    ...{ replayVersion: { epoch: 0, version: 0 }, userVersion: 1 },
    ops: [
      { ...head, output: utf8('ab'), pieces: [utf8('cd'), utf8('e')] },
      { ...head, output: utf8('f') },
    ],
  };

  const got = decodeMessage(travel(reply)) as OsdOpReply;

  expect(got.ops.map(({ output }) => fromUtf8(output))).toEqual(['abcde', 'f']);
});

test('messages between daemons are told from Ceph’s', () => {
  expect(isPrivate({ type: 'osd_boot' })).toBe(true);
  expect(isPrivate({ type: 'osd_op' })).toBe(false);
});

interface Recorded {
  readonly summary: string;
  readonly raw: RawMessage;
  readonly priority: number;
}

/** The message of a frame that was recorded whole. */
function messageOf(frame: Bytes, summary: string): Recorded {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  const lengths = [0, 1, 2, 3].map((i) => (i < frame[1]! ? view.getUint32(2 + 6 * i, true) : 0));
  const header = 32;
  const front = header + 41 + 4;
  const data = front + lengths[1]! + lengths[2]!;
  return {
    summary,
    priority: view.getUint16(header + 18, true),
    raw: {
      code: view.getUint16(header + 16, true),
      version: view.getUint16(header + 20, true),
      compat: view.getUint16(header + 37, true),
      tid: view.getBigUint64(header + 8, true),
      front: frame.subarray(front, front + lengths[1]!),
      middle: EMPTY,
      data: frame.subarray(data, data + lengths[3]!),
    },
  };
}

const captures = [
  '01-mon-session-auth-none',
  '02-osd-write',
  '03-osd-read',
  '04-osd-omap',
  '05-osd-xattr',
  '06-osd-pgnls',
  '07-watch-notify',
  '08-cls-lock',
  '09-poolop-and-misc',
  '10-statfs-poolstats',
  '11-rbd-create',
  '12-osd-tell',
  '13-mgr-command',
];
const recordings = captures
  .flatMap(readCaptures)
  .filter((entry) => entry.whole && /^[A-Z_]+\(\d+\)/.test(entry.summary))
  .map((entry) => messageOf(entry.bytes, entry.summary));
/** Paxos messages begin with the version of a map the sender has seen, which no one reads and here is 0. */
const PAXOS_CODES = [13, 48, 49, 50, 51, 52, 58, 59];

test('what Ceph’s clients and daemons said is read, and said again to the byte', () => {
  expect(recordings.length).toBeGreaterThan(80);
  for (const { raw: recorded, priority, summary } of recordings) {
    const message = decodeMessage(recorded);
    const again = encodeMessage(message);
    const expected = recorded.front.slice();
    if (PAXOS_CODES.includes(recorded.code)) expected.fill(0, 0, 8);
    expect(toHex(again.front), summary).toBe(toHex(expected));
    expect(toHex(concatBytes([EMPTY, ...again.data])), summary).toBe(toHex(recorded.data));
    expect([again.version, again.compat, again.tid], summary).toEqual([
      recorded.version,
      recorded.compat,
      recorded.tid,
    ]);
    expect(again.priority, summary).toBe(priority);
  }
});
