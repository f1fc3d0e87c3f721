/** Maps as JSON and as text, compared with what Ceph's tools print of them. */
import {
  decodeMgrMap,
  decodeMonMap,
  decodeOsdMap,
  dumpMgrMap,
  dumpMonMap,
  dumpOsdMap,
  printMonMap,
  printOsdMap,
} from '@spirula/maps';
import { describe, expect, test } from 'vitest';
import { goldenBytes, goldenJson, goldenNames, goldenText } from '../golden-data.ts';

const maps = goldenNames('osdmap').filter((name) => !name.endsWith('.json'));

describe.each(maps)('the OSDMap %s', (name) => {
  const files = goldenNames(`osdmap/${name}`);
  const path = (start: string) => `osdmap/${name}/${files.find((file) => file.startsWith(start))}`;
  const map = decodeOsdMap(goldenBytes(path('osdmap.bin')));

  test('is dumped as by osdmaptool --dump json', () => {
    expect(JSON.parse(JSON.stringify(dumpOsdMap(map)))).toEqual(goldenJson(path('osdmap.json')));
  });

  if (!files.includes('print.txt')) return;
  test('is printed as by osdmaptool --print', () => {
    expect(printOsdMap(map)).toBe(goldenText(path('print.txt')));
  });
});

test('a MonMap is dumped and printed as by a monitor', () => {
  const map = decodeMonMap(goldenBytes('samples/monmap.1mon.bin'));
  const addrs = {
    addrvec: [
      { type: 'v2', addr: '127.0.0.1:23300', nonce: 0 },
      { type: 'v1', addr: '127.0.0.1:26789', nonce: 0 },
    ],
  };

  expect(dumpMonMap(map)).toEqual({
    epoch: 1,
    fsid: '5b0e1c2a-7a3f-4b8e-9a55-0123456789ab',
    modified: '2026-11-23T06:27:00.531847Z',
    created: '2026-11-23T06:27:00.531847Z',
    min_mon_release: 16,
    min_mon_release_name: 'pacific',
    election_strategy: 1,
    'disallowed_leaders: ': '',
    stretch_mode: false,
    tiebreaker_mon: '',
    'removed_ranks: ': '',
    features: {
      persistent: [
        ...['kraken', 'luminous', 'mimic', 'osdmap-prune'],
        ...['nautilus', 'octopus', 'pacific', 'elector-pinging'],
      ],
      optional: [],
    },
    mons: [
      {
        rank: 0,
        name: 'a',
        public_addrs: addrs,
        addr: '127.0.0.1:26789/0',
        public_addr: '127.0.0.1:26789/0',
        priority: 0,
        weight: 0,
        crush_location: '{}',
      },
    ],
  });
  expect(printMonMap(map)).toBe(
    [
      'epoch 1',
      'fsid 5b0e1c2a-7a3f-4b8e-9a55-0123456789ab',
      'last_changed 2026-11-23T06:27:00.531847+0000',
      'created 2026-11-23T06:27:00.531847+0000',
      'min_mon_release 16 (pacific)',
      'election_strategy: 1',
      '0: [v2:127.0.0.1:23300/0,v1:127.0.0.1:26789/0] mon.a',
      '',
    ].join('\n'),
  );
});

test('a MgrMap is dumped as by a monitor', () => {
  const dumped = dumpMgrMap(decodeMgrMap(goldenBytes('samples/mgrmap.bin')));

  expect(dumped).toMatchObject({
    epoch: 5,
    active_name: 'x',
    available: true,
    standbys: [],
    active_clients: [{ name: 'devicehealth' }, { name: 'rbd_support' }, { name: 'volumes' }],
  });
  expect(dumped.active_clients[2]).toEqual({
    name: 'volumes',
    addrvec: [{ type: 'v2', addr: '127.0.0.1:0', nonce: 679943193 }],
  });
  expect(dumped.available_modules.find(({ name }) => name === 'balancer')).toMatchObject({
    can_run: true,
    module_options: { active: { type: 'bool', level: 'advanced', flags: 1, default_value: 'True', enum_allowed: [] } },
  });
  expect(dumped.always_on_modules['pacific']).toContain('pg_autoscaler');
});

const chain = goldenNames('osdmap-incremental').filter((name) => name.startsWith('full-'));

test.each(chain)('the map of the chain %s is dumped as by osdmaptool', (name) => {
  const { epochs } = goldenJson<{ epochs: { epoch: number; full: string }[] }>('osdmap-incremental/chain.json.gz');
  const epoch = Number(/\d+/.exec(name)![0]);
  const full = epochs.find((each) => each.epoch === epoch)!.full;

  const dumped = dumpOsdMap(decodeOsdMap(new Uint8Array(Buffer.from(full, 'base64'))));

  expect(JSON.parse(JSON.stringify(dumped))).toEqual(goldenJson(`osdmap-incremental/${name}`));
});
