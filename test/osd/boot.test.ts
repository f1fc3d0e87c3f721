/** How an OSD joins the map, and when it gives up. */
import { formatUuid, utf8 } from '@spirula/encoding';
import type { OsdMap } from '@spirula/maps';
import { OsdMapFlag, OsdState } from '@spirula/maps';
import { beforeEach, expect, test } from 'vitest';
import { Boot } from '../../packages/osd/src/boot.ts';
import { FakeWorld } from '../client/fake-world.ts';
import { MapHistory } from '../client/osd-maps.ts';

const OSD = 1;
const UUID = new Uint8Array(16).fill(9);

interface Asked {
  readonly command: Readonly<Record<string, unknown>>;
  readonly done: (result: { code: number; status: string; data: Uint8Array }) => void;
}

let fake: FakeWorld;
let history: MapHistory;
let boot: Boot;
let map: OsdMap | undefined;
let asked: Asked[];
let versions: ((result: { code: number; newest: number; oldest: number }) => void)[];
let sent: { readonly type: string }[];
let said: string[];
let subscribed: number[];
let events: string[];
let isHealthy: boolean;
let isAdmitted: boolean;
/** Makes the superblock durable that says so. */
let finishAdmission: (() => void) | undefined;

beforeEach(() => {
  isHealthy = true;
  isAdmitted = true;
  finishAdmission = undefined;
  fake = new FakeWorld({ osd_max_markdown_count: 2 });
  history = new MapHistory();
  history.markDown(OSD);
  map = history.map;
  asked = [];
  versions = [];
  sent = [];
  said = [];
  subscribed = [];
  events = [];
  const mon = {
    command: (command: Asked['command'], _: unknown, done: Asked['done']) => void asked.push({ command, done }),
    getVersion: (_: string, done: (typeof versions)[number]) => void versions.push(done),
    send: (message: { readonly type: string }) => void sent.push(message),
  };
  boot = new Boot({
    whoami: OSD,
    uuid: UUID,
    world: fake.world,
    mon: mon as never,
    say: (level, text) => void said.push(`${level}: ${text}`),
    get map() {
      return map;
    },
    crushLocation: new Map([
      ['host', 'a'],
      ['root', 'default'],
    ]),
    deviceClass: 'ssd',
    storeBytes: 2 ** 39,
    metadata: new Map([['hostname', 'a']]),
    cleanInterval: [3, 4],
    get isAdmitted() {
      return isAdmitted;
    },
    admit: (then) => {
      finishAdmission = () => {
        isAdmitted = true;
        then();
      };
    },
    subscribeMaps: (from) => void subscribed.push(from),
    onActive: (upEpoch) => void events.push(`active since ${upEpoch}`),
    onDown: () => void events.push('down'),
    get isHealthy() {
      return isHealthy;
    },
    kickHeartbeat: () => void events.push('kick'),
  });
  fake.handler = (event) => void (event.kind === 'timer' && boot.onTimer(event.name));
});

const answer = (prefix: string, code = 0, data = utf8('')) => {
  const index = asked.findIndex(({ command }) => command['prefix'] === prefix);
  asked.splice(index, 1)[0]!.done({ code, status: '', data });
};
const tellVersion = (newest: number, oldest = 1) => versions.shift()!({ code: 0, newest, oldest });
const boots = () => sent.splice(0).filter(({ type }) => type === 'osd_boot');

/** The map has it up at its own address. */
function markUp(): void {
  const addrs = fake.world.net.endpoint('public');
  map = history.advance((increment) => {
    increment.newUpClient.set(OSD, addrs);
    increment.newUpCluster.set(OSD, addrs);
  });
  boot.onMap(map);
}

function markDown(): void {
  map = history.markDown(OSD);
  boot.onMap(map);
}

function becomeActive(): void {
  boot.start();
  tellVersion(map!.epoch);
  answer('osd crush create-or-move');
  markUp();
}

test('it says its class and place, and boots when it stands in CRUSH and holds the newest map', () => {
  boot.start();
  expect(asked.map(({ command }) => command)).toEqual([
    { prefix: 'osd crush set-device-class', class: 'ssd', ids: ['1'] },
    { prefix: 'osd crush create-or-move', id: OSD, weight: 0.5, args: ['host=a', 'root=default'] },
  ]);
  tellVersion(map!.epoch);
  expect(boots()).toEqual([]);
  answer('osd crush create-or-move');

  expect(boots()).toMatchObject([{ osd: OSD, uuid: UUID, bootEpoch: map!.epoch, cleanBegin: 3, cleanEnd: 4 }]);
  markUp();
  expect(events).toEqual([`active since ${map!.epoch}`]);
  expect(boot.isActive).toBe(true);
});

test('it asks for the maps it lacks before it boots', () => {
  boot.start();
  answer('osd crush create-or-move');
  tellVersion(map!.epoch + 3, map!.epoch + 2);
  expect(subscribed).toEqual([map!.epoch + 2]);
  expect(boots()).toEqual([]);
});

test('it waits while noup is set, and boots with the map that lifts it', () => {
  map = history.advance((increment) => {
    increment.newFlags = OsdMapFlag.noup;
  });
  boot.start();
  answer('osd crush create-or-move');
  tellVersion(map.epoch);
  expect(boots()).toEqual([]);

  map = history.advance((increment) => {
    increment.newFlags = 0;
  });
  boot.onMap(map);
  tellVersion(map.epoch);

  expect(boots()).toHaveLength(1);
});

test('one that is not registered registers itself first', () => {
  map = history.advance((increment) => increment.newState.set(OSD, OsdState.exists));
  boot.start();
  answer('osd crush create-or-move');
  tellVersion(map.epoch);

  expect(boots()).toEqual([]);
  expect(asked.some(({ command }) => command['prefix'] === 'osd new' && command['id'] === OSD)).toBe(true);
});

test('a boot that is not answered is sent again, also to the next monitor', () => {
  boot.start();
  tellVersion(map!.epoch);
  answer('osd crush create-or-move');
  expect(boots()).toHaveLength(1);
  boot.onMonSession();
  expect(boots()).toHaveLength(1);

  fake.advance(3);
  tellVersion(map!.epoch);

  expect(boots()).toHaveLength(1);
});

test('marked down wrongly it boots again; too often, it stops', () => {
  becomeActive();
  for (let round = 0; round < 2; round++) {
    boots();
    markDown();
    fake.advance(1.1);
    tellVersion(map!.epoch);
    expect(boots(), `round ${round}`).toHaveLength(1);
    markUp();
  }
  expect(fake.stopped).toBe(false);
  markDown();

  expect(fake.stopped).toBe(true);
  expect(events.filter((event) => event === 'down')).toHaveLength(3);
  const epoch = map!.epoch;
  expect(said.slice(-2)).toEqual([
    `warn: Monitor daemon marked osd.${OSD} down, but it is still running`,
    `debug: map e${epoch} wrongly marked me down at e${epoch}`,
  ]);
});

test('markdowns long ago do not count', () => {
  becomeActive();
  for (let round = 0; round < 4; round++) {
    markDown();
    versions.length = 0;
    markUp();
    fake.advance(601);
  }

  expect(fake.stopped).toBe(false);
});

test('an orderly stop says farewell and waits to be marked down, not forever', () => {
  becomeActive();
  sent.length = 0;
  boot.onTerminate();
  expect(sent).toMatchObject([{ type: 'osd_mark_me_down', osd: OSD, ack: true }]);
  boot.onMonSession();
  expect(sent).toHaveLength(2);
  expect(fake.stopped).toBe(false);
  fake.advance(6);

  expect(fake.stopped).toBe(true);
});

test('an orderly stop ends when the map has it down', () => {
  becomeActive();
  boot.onTerminate();
  markDown();

  expect(fake.stopped).toBe(true);
});

test('marked down, it boots again only when peers answer', () => {
  becomeActive();
  isHealthy = false;
  boots();
  markDown();
  fake.advance(10);
  expect(boot.state.name).toBe('waitingForHealthy');
  expect(boot.isPinging).toBe(true);
  expect(events.filter((event) => event === 'kick').length).toBeGreaterThan(5);
  expect([versions.length, boots()]).toEqual([0, []]);

  isHealthy = true;
  fake.advance(1.1);
  tellVersion(map!.epoch);

  expect(boots()).toHaveLength(1);
});

/** With an empty store, under a number that the map has had up before. */
function startEmpty(): void {
  isAdmitted = false;
  boot.start();
  tellVersion(map!.epoch);
  answer('osd crush create-or-move');
}

const metadataOf = (uuid: Uint8Array) => utf8(JSON.stringify({ id: OSD, osd_uuid: formatUuid(uuid) }));

test('with an empty store it does not stand in for itself: it says what to do, and stops', () => {
  expect(map!.osdInfo[OSD]!.upFrom).toBeGreaterThan(0);
  startEmpty();
  expect(boots()).toEqual([]);
  answer('osd metadata', 0, metadataOf(UUID));
  fake.advance(10);

  expect(boots()).toEqual([]);
  expect(fake.stopped).toBe(true);
  expect(fake.errors.join()).toMatch(/osd\.1 has an empty store, .*ceph osd purge 1.*ceph osd destroy 1.*ceph osd new/);
  expect(finishAdmission).toBeUndefined();
});

test.each([
  ['nobody', utf8('{"id":1}')],
  ['one of another uuid', metadataOf(new Uint8Array(16).fill(3))],
])('with an empty store it boots where %s was up, once its superblock is durable', (_, metadata) => {
  startEmpty();
  answer('osd metadata', 0, metadata);
  expect(boots()).toEqual([]);
  fake.advance(3);
  expect(boots()).toEqual([]);
  finishAdmission!();
  while (versions.length > 0) tellVersion(map!.epoch);

  expect(boots()).toHaveLength(1);
});

test('with an empty store it boots under a number that was never up, without asking', () => {
  map = history.advance((increment) => increment.newState.set(OSD, OsdState.exists));
  map = history.advance((increment) => {
    increment.newWeight.set(OSD, 0x10000);
    increment.newUuid.set(OSD, UUID);
  });
  expect(map.osdInfo[OSD]!.upFrom).toBe(0);
  startEmpty();
  finishAdmission!();

  expect(asked.map(({ command }) => command['prefix'])).not.toContain('osd metadata');
  expect(boots()).toHaveLength(1);
});

test.each([
  ['does not come', -110, utf8('')],
  ['is illegible', 0, utf8('{')],
])('while the answer who was up %s it asks again', (_, code, data) => {
  startEmpty();
  answer('osd metadata', code, data);
  fake.advance(3);
  while (versions.length > 0) tellVersion(map!.epoch);
  expect([boots(), fake.stopped]).toEqual([[], false]);
  answer('osd metadata', 0, metadataOf(UUID));

  expect(fake.stopped).toBe(true);
});
