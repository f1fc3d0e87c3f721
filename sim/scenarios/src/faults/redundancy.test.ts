import { SECOND } from '@spirula/world';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { OsdPlace, SimCluster } from '../cluster.ts';
import { Lab } from '../lab.ts';
import { scenarioSchema } from '../spec.ts';
import type { Fault } from './fault.ts';
import type { ActiveFault } from './injector.ts';
import { RedundancyGuard } from './redundancy.ts';

let lab: Lab;
let cluster: SimCluster;
let active: ActiveFault[];
let guard: RedundancyGuard;

function makeLab(minSize: number): Lab {
  const spec = scenarioSchema.parse({
    name: 'guarded',
    cluster: {
      osds: 3,
      mgrs: 0,
      clients: 1,
      options: { mon_osd_min_down_reporters: 1, osd_heartbeat_grace: 6, osd_heartbeat_interval: 1 },
    },
    pools: [{ size: 2, minSize, pgNum: 1 }],
    workloads: [{ kind: 'objects', objects: 2 }],
  });
  const made = new Lab(spec, 1);
  expect(made.boot()).toBeUndefined();
  made.simulation.runFor(10 * SECOND);
  return made;
}

beforeEach(() => {
  lab = makeLab(1);
  cluster = lab.cluster;
  active = [];
  guard = new RedundancyGuard(cluster, () => active);
});

const refusal = (fault: Fault['fault'], ...places: readonly Pick<OsdPlace, 'process'>[]) =>
  guard.refusal(
    { fault, daemons: places.map(({ process }) => process.name) } as never,
    places.map(({ process }) => process),
  );

/** The OSDs that serve the only PG, and the one that does not. */
function members(): [primary: OsdPlace, replica: OsdPlace, spare: OsdPlace] {
  const acting = cluster.actingOf({ pool: cluster.pool, seed: 0 });
  const spare = cluster.osds.find((place) => !acting.includes(place))!;
  return [acting[0]!, acting[1]!, spare];
}

describe('what destroys data', () => {
  test.each([
    'replace',
    'lose-disk',
    'bit-rot',
    'torn-write',
    'misdirected-write',
    'lost-write',
    'read-error',
  ] as const)('may strike one copy while another is good, not both (%s)', (fault) => {
    const [primary, replica, spare] = members();

    expect(refusal(fault, primary)).toBeUndefined();
    expect(refusal(fault, replica)).toBeUndefined();
    expect(refusal(fault, primary, spare)).toBeUndefined();
    expect(refusal(fault, primary, replica)).toBe('of pg 1.0 no other copy is surely good');
  });

  test('may not strike the last copy that runs', () => {
    const [primary, replica] = members();
    replica.process.crash();

    expect(refusal('replace', primary)).toMatch(/no other copy/);
    expect(refusal('replace', replica)).toBeUndefined();
  });

  test('may not strike a copy while the other carries damage along that its disk no longer shows', () => {
    const [primary, replica] = members();
    const fsck = vi.spyOn(replica.store!, 'fsck');
    expect(replica.process.disk.damaged()).toEqual([]);
    expect(refusal('replace', primary)).toBeUndefined();

    const [oid] = replica.store!.list('1.0', undefined, 1);
    const carried = { cid: '1.0', oid: oid!, offset: 0, deviceOffset: 4096, marked: true };
    fsck.mockReturnValue({ damaged: [carried], faults: [] });
    expect(refusal('replace', primary)).toMatch(/no other copy/);
  });

  test('may not strike a copy while another is behind, and may when it has recovered', () => {
    const [primary, replica, spare] = members();
    replica.process.crash();
    lab.simulation.runFor(10 * SECOND);
    cluster.osds[replica.id]!.process.start();
    const refusals = new Set<string | undefined>();
    for (let i = 0; i < 400; i++) {
      lab.simulation.runFor(SECOND / 20);
      refusals.add(refusal('replace', primary));
    }

    expect([...refusals]).toEqual(['of pg 1.0 no other copy is surely good', undefined]);
    expect(spare.process.state).toBe('running');
  });

  test('may not strike a copy while the disk of the other is bad, or may be made so', () => {
    const [primary, replica] = members();
    active = [{ fault: { fault: 'lost-write', daemons: [], count: 1 }, processes: [replica.process], end: () => {} }];
    expect(refusal('bit-rot', primary)).toMatch(/no other copy/);
    active = [];
    expect(refusal('bit-rot', primary)).toBeUndefined();

    replica.process.disk.faults.rotSome(1);
    expect(refusal('bit-rot', primary)).toMatch(/no other copy/);
  });

  test('may strike an OSD that has no part in any PG', () => {
    const [, replica, spare] = members();
    replica.process.crash();

    expect(refusal('replace', spare)).toBeUndefined();
  });

  test('may not strike a copy while a fault has hold of the other', () => {
    const [primary, replica] = members();
    active = [{ fault: { fault: 'isolate', daemons: [] }, processes: [replica.process], end: () => {} }];
    expect(refusal('lost-write', primary)).toMatch(/no other copy/);
    expect(refusal('lost-write', replica)).toBeUndefined();
    active = [{ fault: { fault: 'partition', groups: [['mon.a'], 'rest'] }, processes: [], end: () => {} }];
    expect(refusal('lost-write', replica)).toMatch(/no other copy/);
  });

  test('is all that is held back: processes may fall as they like', () => {
    const [primary, replica, spare] = members();

    for (const fault of ['crash', 'power-loss', 'hang', 'write-error', 'disk-full'] as const) {
      expect(refusal(fault, primary, replica, spare)).toBeUndefined();
    }
  });
});

describe('while a disk has just been spoiled', () => {
  const spoil: readonly [string, (place: OsdPlace) => void][] = [
    ['a block has rotted', ({ process }) => process.disk.faults.rotSome(1)],
    ['the next write is to be lost', ({ process }) => process.disk.faults.spoilNextWrite('lost')],
    ['reads fail', ({ process }) => process.disk.faults.fail('read')],
  ];

  test.each(spoil)('nothing disturbs the copy that may be the only one (%s)', (_, strike) => {
    const [primary, replica, spare] = members();
    strike(primary);

    for (const fault of ['crash', 'hang', 'disk-full', 'isolate', 'latency-tail'] as const) {
      const why = `${primary.process.name} has just been spoiled, and no other copy of pg 1.0 is left`;
      expect(refusal(fault, replica)).toBe(why);
      expect([refusal(fault, primary), refusal(fault, spare)]).toEqual([undefined, undefined]);
    }
    expect(refusal('partition')).toMatch(/has just been spoiled/);
    expect(refusal('command')).toMatch(/has just been spoiled/);
    expect(refusal('drift', replica)).toBeUndefined();
  });

  test('and no longer, once what was under way is durable and the damage is gone', () => {
    const [primary, replica] = members();
    primary.process.disk.faults.fail('read', { times: 1 });
    primary.process.disk.faults.takeError('read');
    lab.simulation.runFor(9 * SECOND);
    expect(refusal('crash', replica)).toBeDefined();

    lab.simulation.runFor(2 * SECOND);
    expect(refusal('crash', replica)).toBeUndefined();
  });

  test('an OSD with damage must not go on alone, however long ago that was; with a good one it may', () => {
    const [primary, replica, spare] = members();
    primary.process.disk.faults.rotSome(1);
    lab.simulation.runFor(60 * SECOND);
    const why = `pg 1.0 would go on with the damaged disks of ${primary.process.name} alone`;

    expect([refusal('crash', replica), refusal('partition')]).toEqual([why, why]);
    expect([refusal('crash', primary), refusal('crash', spare)]).toEqual([undefined, undefined]);
    for (const mon of cluster.mons) mon.process.crash();
    expect(refusal('crash', primary)).toMatch(/no monitor says/);
  });
});

test('a write under way is not left on a damaged disk alone, even where the PG does not go on without the others', () => {
  lab = makeLab(2);
  cluster = lab.cluster;
  guard = new RedundancyGuard(cluster, () => active);
  const [primary, replica] = members();
  primary.process.disk.faults.rotSome(1);
  lab.simulation.runFor(60 * SECOND);

  expect(refusal('crash', replica)).toMatch(/would go on with the damaged disks/);
  expect(refusal('crash', primary)).toBeUndefined();
});

describe('the store of a monitor', () => {
  test('may be lost while the others are in one quorum at the newest version', () => {
    const [a] = cluster.mons;

    expect(refusal('lose-store', a!)).toBeUndefined();
  });

  test('may not be lost with another, nor while another is away', () => {
    const [a, b, c] = cluster.mons;
    expect(refusal('lose-store', a!, b!)).toBe('one monitor at a time may lose its store');
    c!.process.crash();
    expect(refusal('lose-store', a!)).toMatch(/not all in one quorum/);
    c!.process.start();
    expect(refusal('lose-store', a!)).toMatch(/not all in one quorum/);
    lab.simulation.runFor(60 * SECOND);

    expect(refusal('lose-store', a!)).toBeUndefined();
  });

  test('may not be lost when there is no other', () => {
    const [a] = cluster.mons;
    cluster.mons.splice(1);

    expect(refusal('lose-store', a!)).toMatch(/one monitor at a time/);
  });
});

test('clocks may be off as far as leases allow', () => {
  const [primary] = members();
  const drift = (ppm: number) => guard.refusal({ fault: 'drift', daemons: ['osd.0'], ppm }, [primary.process]);

  expect(drift(-1000)).toBeUndefined();
  expect(drift(1001)).toMatch(/break leases/);
});
