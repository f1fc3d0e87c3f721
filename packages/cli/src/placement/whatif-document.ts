/** What moves, for programs. Bytes are null where `--pg-dump` does not say how much PGs hold. */
import { spreadOf } from '@spirula/placement';
import type { Step, WhatIf } from './whatif-answer.ts';
import { copiesPerOsd, trafficByHost } from './whatif-hosts.ts';

export function whatIfDocument({ map, steps, whole }: WhatIf) {
  return { epoch: map.epoch, steps: steps.map(stepDocument), whole: stepDocument(whole) };
}

function stepDocument(step: Step) {
  const { change, before, after, movement } = step;
  const osds = new Set([...movement.before.keys(), ...movement.after.keys()]);
  return {
    change,
    pools: movement.pools.map((pool) => ({
      pool: pool.pool,
      name: after.poolNames.get(pool.pool) ?? '',
      pgs: pool.pgs,
      moved_pgs: pool.movedPgs,
      moved_copies: pool.movedCopies,
      moved_places: pool.movedPlaces,
      moved_bytes: pool.movedBytes ?? null,
      least_copies: pool.leastCopies,
      least_bytes: pool.leastBytes ?? null,
      degraded_pgs: pool.degradedPgs,
      lost_copies: pool.lostCopies,
      undersized_pgs: pool.undersizedPgs,
    })),
    copies_per_osd: {
      before: spreadOf(copiesPerOsd(before, movement.before)),
      after: spreadOf(copiesPerOsd(after, movement.after)),
    },
    hosts: trafficByHost(step, movement).map(({ name, inCopies, inBytes, outBytes }) => ({
      name,
      in_copies: inCopies,
      in_bytes: inBytes,
      out_bytes: outBytes,
    })),
    osds: [...osds]
      .sort((a, b) => a - b)
      .map((osd) => ({
        osd,
        copies_before: movement.before.get(osd)?.copies ?? 0,
        copies_after: movement.after.get(osd)?.copies ?? 0,
        bytes_before: movement.before.get(osd)?.bytes ?? 0,
        bytes_after: movement.after.get(osd)?.bytes ?? 0,
        in_bytes: movement.after.get(osd)?.inBytes ?? 0,
        out_bytes: movement.before.get(osd)?.outBytes ?? 0,
      })),
  };
}
