/** Who is connected, by kind and by what they support (mon/MonMap's FeatureMap). */
import type { ConnectedPeers } from '@spirula/messages';

/** All features of Ceph 16.2.15 (CEPH_FEATURES_SUPPORTED_DEFAULT). */
export const ALL_FEATURES = 0x3f01_cfbd_fffd_ffffn;
/** In the order in which Ceph numbers the types of daemons. */
const TYPES: readonly ConnectedPeers['type'][] = ['mon', 'mds', 'osd', 'client', 'mgr'];
/** Features that a release brought, each beside those before it (ceph_release_from_features). */
const RELEASE_FEATURES: readonly (readonly [name: string, bits: readonly bigint[]])[] = [
  ['argonaut', [18n]],
  ['bobtail', [25n, 30n]],
  ['firefly', [41n]],
  ['hammer', [48n]],
  ['jewel', [58n]],
  ['kraken', [59n]],
  ['luminous', [21n]],
];

/** The document of `ceph features`. */
export function featureMap(peers: readonly ConnectedPeers[]): Record<string, unknown> {
  const counts = new Map<string, Map<bigint, number>>();
  for (const each of peers) {
    const ofType = counts.get(each.type) ?? new Map<bigint, number>();
    counts.set(each.type, ofType.set(each.features, (ofType.get(each.features) ?? 0) + each.count));
  }
  const rows = TYPES.filter((type) => counts.has(type)).map((type) => [
    type,
    [...counts.get(type)!]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([bits, num]) => ({ features: `0x${bits.toString(16)}`, release: releaseOf(bits), num })),
  ]);
  return Object.fromEntries(rows);
}

function releaseOf(bits: bigint): string {
  let release = 'unknown';
  for (const [name, needs] of RELEASE_FEATURES) {
    if (needs.some((bit) => ((bits >> bit) & 1n) === 0n)) break;
    release = name;
  }
  return release;
}
