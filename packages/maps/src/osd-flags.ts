/** Flags that hold OSDs where they are: of the cluster, of one OSD, of a CRUSH bucket, of a device class. */
import { ancestorsOf, bucketOf } from '@spirula/crush';
import type { OsdId } from '@spirula/encoding';
import { type OsdMap, OsdMapFlag, OsdState } from './osdmap.ts';

type HoldingFlag = 'noup' | 'nodown' | 'noin' | 'noout';

const NAMES = ['noup', 'nodown', 'noin', 'noout'] as const;

/** Whether a flag holds for an OSD, by whichever of them (OSDMap::is_noup and its like). */
export function isFlagged(map: OsdMap, osd: OsdId, flag: HoldingFlag): boolean {
  const bit = OsdState[flag];
  if ((map.flags & OsdMapFlag[flag]) !== 0 || ((map.osdState[osd] ?? 0) & bit) !== 0) return true;
  const deviceClass = map.crush.deviceClass.get(osd);
  if (deviceClass !== undefined && ((map.deviceClassFlags.get(deviceClass) ?? 0) & bit) !== 0) return true;
  if (map.crushNodeFlags.size === 0) return false;
  const nodes = [osd, ...ancestorsOf(map.crush, osd).map(({ id }) => id)];
  return nodes.some((id) => ((map.crushNodeFlags.get(id) ?? 0) & bit) !== 0);
}

/** What has flags of its own, in words: OSDs, buckets, device classes. */
export function describeFlagged(map: OsdMap): string[] {
  const described: string[] = [];
  const describe = (what: string, flags: number) => {
    const names = NAMES.filter((name) => (flags & OsdState[name]) !== 0);
    if (names.length > 0) described.push(`${what} has flags ${[...names].sort().join(',')}`);
  };
  map.osdState.forEach((state, osd) => {
    describe(`osd.${osd}`, state);
  });
  for (const [id, flags] of map.crushNodeFlags) {
    const type = map.crush.typeNames.get(bucketOf(map.crush, id)?.type ?? 0) ?? '';
    describe(`${type} ${map.crush.names.get(id) ?? id}`, flags);
  }
  for (const [id, flags] of map.deviceClassFlags) {
    describe(`device class '${map.crush.classNames.get(id) ?? id}'`, flags);
  }
  return described;
}
