import type { OsdMapIncremental } from '@spirula/maps';
import { makeConfig } from '@spirula/world';
import { describe, expect, test } from 'vitest';
import { MapHistory } from '../../../../test/client/osd-maps.ts';
import { reportOf } from '../../../../test/mgr/pg-stats.ts';
import { ClientRights } from '../client-rights.ts';
import { IoHistory } from '../io-rates.ts';
import { PgMap } from '../pg-map.ts';
import type { CommandOutcome, Delegated } from './command.ts';
import { runCommand } from './command-table.ts';

const MIB_IN_KIB = 1024;

/** Three OSDs of 1 GiB each, under 16 PGs of 3 copies, that hold so many MiB. */
function cluster(usedMib: readonly number[], change: (increment: OsdMapIncremental) => void = () => {}) {
  const history = new MapHistory();
  const map = history.advance(change);
  const pgMap = new PgMap();
  pgMap.applyMap(map, { wall: { sec: 0, nsec: 0 }, at: 0 });
  usedMib.forEach((mib, osd) => {
    const report = reportOf(map, osd);
    pgMap.applyReport({ ...report, osdStat: { ...report.osdStat, kbUsed: mib * MIB_IN_KIB } }, map, 0);
  });
  const context = { map, pgMap, io: new IoHistory(), now: { sec: 0, nsec: 0 }, config: makeConfig({}) };
  const run = (command: Readonly<Record<string, unknown>>) =>
    runCommand(JSON.stringify(command), context, new ClientRights(undefined));
  return {
    ask: (command: Readonly<Record<string, unknown>>) => run(command) as CommandOutcome,
    change: (command: Readonly<Record<string, unknown>>) => run(command) as Delegated,
  };
}

describe('osd reweight-by-utilization', () => {
  const prefix = 'osd reweight-by-utilization';
  const test_ = 'osd test-reweight-by-utilization';

  test('takes weight from who is overloaded, no more than is allowed, and asks the monitors to', () => {
    const { change } = cluster([600, 300, 300]);
    const { delegate, output } = change({ prefix });

    expect(delegate).toEqual({ prefix: 'osd reweightn', weights: '{"0":"62260"}' });
    const lines = output!.split('\n');
    expect(lines.slice(lines.indexOf(''))).toEqual([
      '',
      'oload 120',
      'max_change 0.05',
      'max_change_osds 4',
      'average_utilization 0.3906',
      'overload_utilization 0.4688',
      'osd.0 weight 1.0000 -> 0.9500',
      '',
    ]);
    expect(lines[0]).toMatch(/^moved \d+ \/ 48 \(/);
  });

  test('shown only, the number of changes is the code, as in 16.2', () => {
    const { ask } = cluster([600, 300, 300]);
    const outcome = ask({ prefix: test_, format: 'json', max_change: 1 });

    expect(outcome).toMatchObject({ code: 1, status: 'no change' });
    expect(JSON.parse(outcome.output)).toMatchObject({
      overload_min: 120,
      max_change_osds: 4,
      average_utilization: 0.390625,
      overload_utilization: 0.46875,
      reweights: [{ osd: 0, weight: 1, new_weight: 43690 / 65536 }],
      utilization: { total_pgs: 48, avg_pgs: 16 },
    });
  });

  test('gives weight back to who has little, unless it may not', () => {
    const lighter = (increment: OsdMapIncremental) => void increment.newWeight.set(2, 0x8000);
    const { change, ask } = cluster([400, 400, 300], lighter);

    expect(change({ prefix }).delegate).toEqual({ prefix: 'osd reweightn', weights: '{"2":"36044"}' });
    expect(ask({ prefix, no_increasing: '--no-increasing' })).toMatchObject({ code: 0, status: 'no change' });
  });

  test('changes the farthest from the mean first, so many as it may; those that are out not at all', () => {
    const isOut = (increment: OsdMapIncremental) => void increment.newWeight.set(0, 0);
    const { change } = cluster([900, 600, 200], isOut);

    expect(change({ prefix, oload: 101, max_osds: 1 }).delegate['weights']).toBe('{"1":"62260"}');
  });

  test.each([
    [{ oload: 100 }, -22, /^You must give a percentage higher than 100\. .*\nFAILED reweight-by-pg$/s],
    [{ max_change: 0 }, -22, /^max_change 0 must be positive$/],
    [{ max_osds: -1 }, -22, /^max_osds -1 must be positive$/],
  ])('refuses %j', (args, code, status) => {
    const { ask } = cluster([600, 300, 300]);
    const outcome = ask({ prefix, ...args });

    expect(outcome.code).toBe(code);
    expect(outcome.status).toMatch(status);
  });

  test('refuses where next to nothing is stored', () => {
    const { ask } = cluster([10, 10, 10]);

    expect(ask({ prefix })).toEqual({
      code: -33,
      status: 'Refusing to reweight: we only have 30720 kb used across all osds!\nFAILED reweight-by-pg',
      output: '',
    });
  });
});

describe('osd reweight-by-pg', () => {
  const prefix = 'osd test-reweight-by-pg';

  test('finds nothing to do where each OSD has its share', () => {
    const { ask } = cluster([10, 10, 10]);

    expect(ask({ prefix }).output).toMatch(
      /^moved 0 \/ 48 \(0%\)\navg 16\nstddev 0 -> 0 \(expected baseline 3\.26599\)\nmin osd\.0 with 16 -> 16 pgs \(1 -> 1 \* mean\)\n/,
    );
  });

  test('looks at the pools that are named, which must be there and have enough placement groups', () => {
    const { ask } = cluster([10, 10, 10]);

    expect(ask({ prefix, pools: ['nope'] })).toMatchObject({ code: -2, status: "pool 'nope' does not exist" });
    expect(ask({ prefix, pools: ['rbd'] })).toMatchObject({
      code: -33,
      status: 'Refusing to reweight: we only have 24 PGs across 3 osds!\nFAILED reweight-by-pg',
    });
  });
});
