import type { OsdMap } from '@spirula/maps';
import type { SlowOpCounts } from './op-tracker.ts';

/** What an OSD writes to the cluster log while requests are slow (OSD::get_health_metrics of 16.2); undefined: none is. */
export function slowOpsLine({ count, byState, byPool }: SlowOpCounts, map: OsdMap): string | undefined {
  if (count === 0) return undefined;
  const states = [...byState].map(([state, each]) => `'${state}' : ${each} `).join('');
  const pools = [...byPool].sort(([one], [other]) => one - other);
  const [pool, most] = pools.reduce((worst, each) => (each[1] > worst[1] ? each : worst));
  const name = map.poolNames.get(pool);
  const affected = name === undefined ? '])' : `] most affected pool [ '${name}' : ${most} ])`;
  return `${count} slow requests (by type [ ${states}${affected}`;
}
