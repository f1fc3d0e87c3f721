/** What moves, as text for people. */
import { formatBytes } from '@spirula/formatter';
import { type OsdMap, osdIn, osdUp } from '@spirula/maps';
import { type PoolMovement, type Spread, spreadOf } from '@spirula/placement';
import type { Step, WhatIf } from './whatif-answer.ts';
import { copiesPerOsd, trafficByHost } from './whatif-hosts.ts';

const MOST_HOSTS = 10;

export function whatIfText({ map, steps, whole }: WhatIf): string {
  const blocks = steps.map((step, i) => stepBlock(`step ${i + 1}: ${step.change}`, step));
  if (steps.length > 1) blocks.push(stepBlock('all of it, made at once', whole));
  return `${[headline(map), ...blocks].join('\n\n')}\n`;
}

function headline(map: OsdMap): string {
  const osds = Array.from({ length: map.maxOsd }, (_, osd) => osd);
  const up = osds.filter((osd) => osdUp(map, osd)).length;
  const isIn = osds.filter((osd) => osdIn(map, osd)).length;
  const pgs = [...map.pools.values()].reduce((sum, { pgNum }) => sum + pgNum, 0);
  return `epoch ${map.epoch}: ${map.pools.size} pools, ${pgs} PGs; ${up} OSDs up, ${isIn} in`;
}

function stepBlock(title: string, step: Step): string {
  const { before, after, movement } = step;
  const rows = [
    ['pool', 'PGs', 'moved', 'copies', 'least', 'ratio', 'bytes', 'degraded', 'undersized'],
    ...movement.pools.map((pool) => poolRow(after.poolNames.get(pool.pool) ?? String(pool.pool), pool)),
    ...(movement.pools.length > 1 ? [poolRow('all', sumOf(movement.pools))] : []),
  ];
  const hosts = trafficByHost(step, movement).filter(({ inCopies, outBytes }) => inCopies > 0 || outBytes > 0);
  return [
    title,
    ...aligned(rows),
    `  copies per OSD before: ${describe(spreadOf(copiesPerOsd(before, movement.before)))}`,
    `  copies per OSD after:  ${describe(spreadOf(copiesPerOsd(after, movement.after)))}`,
    ...hosts.slice(0, MOST_HOSTS).map(({ name, inCopies, inBytes, outBytes }) => {
      const bytes = inBytes > 0 || outBytes > 0 ? `, ${formatBytes(inBytes)} in, ${formatBytes(outBytes)} read` : '';
      return `  ${name}: gets ${round(inCopies)} copies${bytes}`;
    }),
    ...(hosts.length > MOST_HOSTS ? [`  … ${hosts.length - MOST_HOSTS} more hosts`] : []),
  ].join('\n');
}

function poolRow(name: string, pool: PoolMovement): string[] {
  const { movedCopies, leastCopies } = pool;
  return [
    name,
    String(pool.pgs),
    String(pool.movedPgs),
    round(movedCopies),
    round(leastCopies),
    leastCopies > 0 ? (movedCopies / leastCopies).toFixed(2) : '-',
    pool.movedBytes === undefined ? '-' : formatBytes(pool.movedBytes),
    String(pool.degradedPgs),
    String(pool.undersizedPgs),
  ];
}

function sumOf(pools: readonly PoolMovement[]): PoolMovement {
  return pools.reduce((sum, each) => ({
    pool: -1,
    pgs: sum.pgs + each.pgs,
    movedPgs: sum.movedPgs + each.movedPgs,
    movedCopies: sum.movedCopies + each.movedCopies,
    movedPlaces: sum.movedPlaces + each.movedPlaces,
    lostCopies: sum.lostCopies + each.lostCopies,
    degradedPgs: sum.degradedPgs + each.degradedPgs,
    undersizedPgs: sum.undersizedPgs + each.undersizedPgs,
    leastCopies: sum.leastCopies + each.leastCopies,
    movedBytes: both(sum.movedBytes, each.movedBytes),
    leastBytes: both(sum.leastBytes, each.leastBytes),
  }));
}

function both(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a + b;
}

function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => rows.reduce((most, row) => Math.max(most, row[column]!.length), 0));
  return rows.map(
    (row) => `  ${row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  ')}`,
  );
}

function describe({ count, min, max, mean, stddev }: Spread): string {
  return `${count} OSDs, ${round(min)} to ${round(max)}, mean ${mean.toFixed(1)}, stddev ${stddev.toFixed(2)}`;
}

function round(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(1);
}
