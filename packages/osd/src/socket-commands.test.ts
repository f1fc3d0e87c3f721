import { AdminSocket, PerfCounters } from '@spirula/admin-socket';
import { DaemonConfig, makeConfig } from '@spirula/config';
import { AddrType, EntityType, Errno, fromUtf8 } from '@spirula/encoding';
import { NOSNAP } from '@spirula/messages';
import { expect, test } from 'vitest';
import { Reservations } from './reservations.ts';
import { type OsdPlaces, placeCommands } from './socket-commands.ts';

const addr = { type: AddrType.any, nonce: 77, family: 2, ip: '10.1.2.3', port: 5 } as const;
const oid = { pool: 1, nspace: 'n', key: '', name: 'w1', snap: NOSNAP, hash: 0, max: false };
const item = { cookie: 94_876_225_401_056n, entityType: EntityType.client, entityNum: 4412n, timeoutSeconds: 30, addr };

function socketOf(places: Partial<OsdPlaces>) {
  const osd = {
    map: { blocklist: [[addr, { sec: 1_796_000_000, nsec: 161_970_000 }]] },
    newestMap: 7,
    watchers: () => [{ oid, item }],
    requests: () => [],
    localReservations: new Reservations(() => 1),
    remoteReservations: new Reservations(() => 1),
    pools: () => [3, 1, 3],
    ...places,
  } as unknown as OsdPlaces;
  const socket = new AdminSocket({
    config: new DaemonConfig(makeConfig(), { cluster: 'ceph', type: 'osd', id: '0' }),
    perf: new PerfCounters({}),
    commands: placeCommands(osd),
  });
  return (prefix: string, format = 'json') => {
    const { code, status, data } = socket.run(JSON.stringify({ prefix, format }));
    return code < 0 ? [code, status] : fromUtf8(data);
  };
}

// The texts are what an OSD 16.2.15 answered, with other names and times.
test('watchers and refused clients are shown as Ceph shows them', () => {
  const ask = socketOf({});

  expect(ask('dump_watchers')).toBe(
    '[{"namespace":"n","object":"w1","entity_name":{"type":"client","num":4412},"cookie":94876225401056,"timeout":30,' +
      '"entity_addr_t":{"type":"any","addr":"10.1.2.3:5","nonce":77}}]',
  );
  expect(ask('dump_blocklist')).toBe(
    '[{"entity_addr_t":{"type":"any","addr":"10.1.2.3:5","nonce":77},"expire_time":"2026-11-30T00:53:20.161970+0000"}][]',
  );
  expect(ask('dump_blocklist', 'xml')).toBe(
    '<blocklist><entry><entity_addr_t><type>any</type><addr>10.1.2.3:5</addr><nonce>77</nonce></entity_addr_t>' +
      '<expire_time>2026-11-30T00:53:20.161970+0000</expire_time></entry></blocklist><range_blocklist></range_blocklist>',
  );
});

test('pools are named once each, requests by their kind', () => {
  const ask = socketOf({ requests: () => [{ tid: 4n }] });

  expect(ask('get_mapped_pools')).toBe('[1,3]');
  expect(ask('get_mapped_pools', 'xml')).toBe('<mapped_pools><pool_id>1</pool_id><pool_id>3</pool_id></mapped_pools>');
  expect(ask('objecter_requests')).toBe(
    '{"ops":[{"tid":4}],"linger_ops":[],"pool_ops":[],"pool_stat_ops":[],"statfs_ops":[],"command_ops":[]}',
  );
});

test('who recovers and who waits to is shown', () => {
  const localReservations = new Reservations(() => 1);
  for (const [pg, priority] of [
    ['1.0', 180],
    ['1.1', 100],
    ['1.2', 180],
  ] as const) {
    localReservations.request(pg, priority, () => {});
  }
  const dumped = JSON.parse(String(socketOf({ localReservations })('dump_recovery_reservations')));

  expect(dumped.local_reservations).toEqual({
    max_allowed: 1,
    min_priority: 0,
    queues: [
      { priority: 100, items: [{ item: '1.1', prio: 100, can_preempt: false }] },
      { priority: 180, items: [{ item: '1.2', prio: 180, can_preempt: false }] },
    ],
    in_progress: [{ item: '1.0', prio: 180, can_preempt: false }],
  });
  expect(dumped.remote_reservations.in_progress).toEqual([]);
});

test('the history of states is refused with the reason', () => {
  expect(socketOf({})('dump_pgstate_history')).toEqual([Errno.EOPNOTSUPP, expect.stringMatching(/are not kept/)]);
});
