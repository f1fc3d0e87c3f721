import { OsdMapFlag } from './osdmap.ts';

const NAMES = [
  'unknown',
  'argonaut',
  'bobtail',
  'cuttlefish',
  'dumpling',
  'emperor',
  'firefly',
  'giant',
  'hammer',
  'infernalis',
  'jewel',
  'kraken',
  'luminous',
  'mimic',
  'nautilus',
  'octopus',
  'pacific',
  'quincy',
  'reef',
];

/** The release whose behaviour is reproduced. */
export const CEPH_VERSION = '16.2.15';
/** As daemons say it of themselves: programs parse the number. */
export const CEPH_VERSION_TEXT = `ceph version ${CEPH_VERSION} (spirula) pacific (stable)`;
/** What every daemon says of itself, under Ceph's names (collect_sys_info). */
export const RELEASE_METADATA: ReadonlyMap<string, string> = new Map([
  ['ceph_release', 'pacific'],
  ['ceph_version', CEPH_VERSION_TEXT],
  ['ceph_version_short', CEPH_VERSION],
]);

/** Numbers of Ceph's releases (ceph_release_t) that decide something here. */
export const Release = {
  argonaut: 1,
  dumpling: 4,
  firefly: 6,
  hammer: 8,
  jewel: 10,
  kraken: 11,
  luminous: 12,
  nautilus: 14,
  pacific: 16,
} as const;

/** `pacific`; a number that is no release is `unknown`. */
export function releaseName(release: number): string {
  return NAMES[release] ?? 'unknown';
}

/** Number of a release; undefined for a name that is none. */
export function releaseNumber(name: string): number | undefined {
  const release = NAMES.indexOf(name);
  return release > 0 ? release : undefined;
}

const LEGACY_REQUIRE_FLAGS = OsdMapFlag.requireJewel | OsdMapFlag.requireKraken | OsdMapFlag.requireLuminous;

/** The map's flags once every OSD is of this release: those of what it always does are set. */
export function withReleaseFlags(flags: number, requireOsdRelease: number): number {
  if (requireOsdRelease >= Release.luminous) flags = (flags & ~LEGACY_REQUIRE_FLAGS) | OsdMapFlag.recoveryDeletes;
  if (requireOsdRelease >= Release.nautilus) flags |= OsdMapFlag.pglogHardlimit;
  return flags;
}
