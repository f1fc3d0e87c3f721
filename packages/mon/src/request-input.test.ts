/** What clients, OSDs and managers ask may be anything: there is an answer or none, and the monitors go on. */
import { AddrType, type AddrVec } from '@spirula/encoding';
import type { CommandDescription, Message } from '@spirula/messages';
import { type Peer, SECOND } from '@spirula/world';
import {
  type Arbitrary,
  array,
  assert,
  bigInt,
  boolean,
  constant,
  constantFrom,
  dictionary,
  integer,
  oneof,
  property,
  record,
  string,
  uint8Array,
} from 'fast-check';
import { test } from 'vitest';
import { descriptionsOf } from './commands/command-table.ts';
import { expectAlike, FSID, quorum, type ThreeMonitors } from './three-monitors.test-support.ts';

const OSD_ADDRS: AddrVec = [{ type: AddrType.v2, nonce: 9, family: 2, ip: '127.0.0.1', port: 7000 }];
const OSD: Peer = { entity: { type: 'osd', id: '0' }, addrs: OSD_ADDRS, globalId: 0n };
const MGR: Peer = { entity: { type: 'mgr', id: 'x' }, addrs: OSD_ADDRS, globalId: 5n };
const CLIENT: Peer = { entity: { type: 'client', id: 'admin' }, addrs: [], globalId: 4n };
const UUID = new Uint8Array(16).fill(3);

/** With an OSD, a manager and a pool, so that most of what is asked could be granted. */
function smallCluster(): ThreeMonitors {
  const mons = quorum();
  mons.command('a', { prefix: 'osd new', uuid: '03030303-0303-0303-0303-030303030303', id: '0' });
  mons.run(SECOND);
  mons.command('a', { prefix: 'osd crush create-or-move', id: 0, weight: 1, args: ['root=default', 'host=h'] });
  mons.command('a', { prefix: 'osd pool create', pool: 'p', pg_num: 8 });
  mons.hear('a', OSD, {
    ...{ type: 'osd_boot', osd: 0, uuid: UUID, publicAddrs: OSD_ADDRS, clusterAddrs: OSD_ADDRS },
    ...{ hbBackAddrs: OSD_ADDRS, hbFrontAddrs: OSD_ADDRS, bootEpoch: 1, cleanBegin: 0, cleanEnd: 0 },
    metadata: new Map(),
  });
  mons.hear('a', MGR, {
    ...{ type: 'mgr_beacon', name: 'x', gid: 5n, fsid: FSID, addrs: OSD_ADDRS, available: true },
    ...{ commandDescriptions: [], services: new Map(), metadata: new Map() },
  });
  mons.run(2 * SECOND);
  return mons;
}

const odd = oneof(
  constantFrom('', '0', '1', '8', '-1', '0.5', '1e30', '99999999999', 'p', 'q', 'osd.0', 'osd.7', 'all', '1.0', '9.9'),
  constantFrom(
    '03030303-0303-0303-0303-030303030304',
    'h',
    'default',
    'host=h',
    'root=default',
    'rack=',
    '=',
    'ssd',
    'size',
    'noout',
    '.rgw',
    'client.x',
  ),
  constantFrom(0, 1, -1, 3.5, 1e300, true, false, null),
  string({ maxLength: 6 }),
  constant(['0', 'foo', '1']),
  constant([]),
  constant({ a: 1 }),
);

function argumentsOf({ sig }: CommandDescription): Arbitrary<Record<string, unknown>> {
  const prefix = sig.filter((each) => typeof each === 'string').join(' ');
  const named = sig.filter((each) => typeof each !== 'string');
  const values = named.map(({ name, strings }) => [
    name,
    strings === undefined ? odd : oneof(odd, constantFrom(...strings.split('|'))),
  ]);
  return record(
    {
      prefix: constant(prefix),
      format: constantFrom('json', 'plain', 'json-pretty', 'xml'),
      ...Object.fromEntries(values),
    },
    { requiredKeys: ['prefix'] },
  );
}

const command = oneof(...descriptionsOf([]).map(argumentsOf));

test('whatever arguments a command is given, the monitors go on', () => {
  const mons = smallCluster();
  assert(
    property(array(command, { minLength: 1, maxLength: 5 }), (commands) => {
      for (const each of commands) mons.command('b', each);
      mons.run(SECOND / 4);
    }),
    { numRuns: 300 },
  );
  mons.run(20 * SECOND);
  expectAlike(mons);
});

const number = oneof(integer({ min: 0, max: 9 }), constantFrom(31, 0xffff_ffff));
const ids = array(oneof(integer({ min: -1, max: 2 }), constant(0x7fff_ffff)), { maxLength: 4 });
const pgid = record({ pool: number, seed: number });
const texts = dictionary(string({ maxLength: 4 }), string({ maxLength: 4 }), { maxKeys: 3 }).map(
  (entries) => new Map(Object.entries(entries)),
);
const addrs = constantFrom<AddrVec>([], OSD_ADDRS, [
  { type: AddrType.v2, nonce: 1, family: 2, ip: '1.2.3.4', port: 1 },
]);
const osd = integer({ min: 0, max: 2 });

const saidByOsds = oneof(
  record({
    ...{ type: constant('osd_boot'), osd, uuid: constantFrom(UUID, new Uint8Array(16)), publicAddrs: addrs },
    ...{ clusterAddrs: addrs, hbBackAddrs: addrs, hbFrontAddrs: addrs, bootEpoch: number },
    ...{ cleanBegin: number, cleanEnd: number, metadata: texts },
  }),
  record({
    ...{ type: constant('osd_failure'), reporter: osd, target: osd, targetAddrs: addrs, epoch: number },
    ...{ failedFor: number, immediate: boolean(), alive: boolean() },
  }),
  record({ type: constant('osd_alive'), osd, epoch: number, want: number }),
  record({
    type: constant('osd_pgtemp'),
    osd,
    epoch: number,
    pgs: array(record({ pgid, acting: ids }), { maxLength: 3 }),
  }),
  record({
    type: constant('osd_beacon'),
    osd,
    epoch: number,
    pgs: array(pgid, { maxLength: 3 }),
    minLastEpochClean: number,
  }),
  record({ type: constant('osd_mark_me_down'), osd, epoch: number, ack: boolean() }),
  record({
    type: constant('osd_full'),
    osd,
    epoch: number,
    state: constantFrom('none', 'nearfull', 'backfillfull', 'full'),
  }),
);

const saidByOthers = oneof(
  record({
    ...{
      type: constant('mgr_beacon'),
      name: constantFrom('x', 'y', ''),
      gid: bigInt(0n, 6n),
      fsid: constantFrom(FSID, UUID),
    },
    ...{ addrs, available: boolean(), commandDescriptions: constant([]), services: texts, metadata: texts },
  }),
  record({
    type: constant('mon_get_version'),
    tid: constant(1n),
    handle: constant(1n),
    what: constantFrom('osdmap', 'x', ''),
  }),
  record({ type: constant('statfs'), tid: constant(1n), fsid: constant(FSID), pool: constantFrom(undefined, 1, 77) }),
  record({
    type: constant('get_pool_stats'),
    tid: constant(1n),
    fsid: constant(FSID),
    pools: constantFrom(['p'], ['q', ''], []),
  }),
  record({
    type: constant('mon_subscribe'),
    what: constantFrom('osdmap', 'monmap', 'mgrmap', 'config', 'log-info', 'nothing').chain((name) =>
      record({ start: number, once: boolean() }).map((wish) => new Map([[name, wish]])),
    ),
    hostname: constant(''),
  }),
  record({
    type: constant('mon_command'),
    tid: constant(1n),
    fsid: constant(FSID),
    cmd: constantFrom([], ['{'], ['{"prefix":7}'], ['null']),
    data: uint8Array(),
  }),
);

test('whatever OSDs, managers and clients say, the monitors go on', () => {
  const peers = constantFrom(OSD, MGR, CLIENT, { ...OSD, entity: { type: 'osd', id: '00' } } as Peer);
  const said = record({ peer: peers, message: oneof(saidByOsds, saidByOthers) as Arbitrary<Message> });
  assert(
    property(array(said, { minLength: 1, maxLength: 8 }), (sayings) => {
      const mons = smallCluster();
      for (const { peer, message } of sayings) mons.hear('b', peer, message);
      mons.run(8 * SECOND);

      expectAlike(mons);
    }),
    { numRuns: 60 },
  );
});
