/** The knobs of the mapper, and the sets of them that came with releases (CrushWrapper::set_tunables_*). */
import { withItems } from './bucket-weights.ts';
import { BucketAlg, type CrushMap, type CrushTunables, RuleOp } from './crush-map.ts';
import { rebuildShadows } from './device-class.ts';
import { entriesOf } from './hierarchy.ts';

const LEGACY_ALGS = (1 << BucketAlg.uniform) | (1 << BucketAlg.list) | (1 << BucketAlg.straw);
const HAMMER_ALGS = LEGACY_ALGS | (1 << BucketAlg.straw2);

type Profile = Omit<CrushTunables, 'strawCalcVersion'>;

const argonaut: Profile = {
  chooseLocalTries: 2,
  chooseLocalFallbackTries: 5,
  chooseTotalTries: 19,
  chooseleafDescendOnce: 0,
  chooseleafVaryR: 0,
  chooseleafStable: 0,
  allowedBucketAlgs: LEGACY_ALGS,
};
const bobtail: Profile = {
  ...argonaut,
  chooseLocalTries: 0,
  chooseLocalFallbackTries: 0,
  chooseTotalTries: 50,
  chooseleafDescendOnce: 1,
};
const firefly: Profile = { ...bobtail, chooseleafVaryR: 1 };
const hammer: Profile = { ...firefly, allowedBucketAlgs: HAMMER_ALGS };
const jewel: Profile = { ...hammer, chooseleafStable: 1 };

/** By name, oldest first. */
const PROFILES: ReadonlyMap<string, Profile> = new Map([
  ['argonaut', argonaut],
  ['bobtail', bobtail],
  ['firefly', firefly],
  ['hammer', hammer],
  ['jewel', jewel],
]);
/** Those that say how straws are computed, too. */
const WHOLE_PROFILES: ReadonlyMap<string, CrushTunables> = new Map([
  ['legacy', { ...argonaut, strawCalcVersion: 0 }],
  ['argonaut', { ...argonaut, strawCalcVersion: 0 }],
  ['optimal', { ...jewel, strawCalcVersion: 1 }],
  ['default', { ...jewel, strawCalcVersion: 1 }],
]);

export const TUNABLES_PROFILES: readonly string[] = [
  'legacy',
  'argonaut',
  'bobtail',
  'firefly',
  'hammer',
  'jewel',
  'optimal',
  'default',
];

/** The map with the tunables of a profile; undefined when there is none of that name. */
export function withTunablesProfile(map: CrushMap, name: string): CrushMap | undefined {
  const profile = WHOLE_PROFILES.get(name) ?? PROFILES.get(name);
  return profile === undefined ? undefined : { ...map, tunables: { ...map.tunables, ...profile } };
}

/** The map with another straw_calc_version: straws are computed anew when their bucket changes. */
export function withStrawCalcVersion(map: CrushMap, version: number): CrushMap {
  return { ...map, tunables: { ...map.tunables, strawCalcVersion: version } };
}

/** The map with straw2 in place of straw buckets (`osd crush set-all-straw-buckets-to-straw2`). */
export function strawToStraw2(map: CrushMap): CrushMap {
  const buckets = map.buckets.map((bucket) =>
    bucket?.alg === BucketAlg.straw
      ? withItems({ ...bucket, alg: BucketAlg.straw2, sums: new Uint32Array(0) }, entriesOf(bucket), map.tunables)
      : bucket,
  );
  return rebuildShadows({ ...map, buckets });
}

function isProfile(tunables: CrushTunables, profile: Profile, withAlgs: boolean): boolean {
  return (Object.keys(profile) as (keyof Profile)[]).every(
    (key) => (key === 'allowedBucketAlgs' && !withAlgs) || tunables[key] === profile[key],
  );
}

/** What `osd crush show-tunables` shows (CrushWrapper::dump_tunables). */
export function dumpTunables(map: CrushMap) {
  const { tunables } = map;
  const newestFirst = [...PROFILES].reverse();
  const profile = newestFirst.find(([, each]) => isProfile(tunables, each, true))?.[0] ?? 'unknown';
  const hasStep = (...ops: number[]) => map.rules.some((rule) => rule?.steps.some(({ op }) => ops.includes(op)));
  const hasV4Buckets = map.buckets.some((bucket) => bucket?.alg === BucketAlg.straw2);
  const hasV2Rules = hasStep(
    RuleOp.chooseIndep,
    RuleOp.chooseleafIndep,
    RuleOp.setChooseTries,
    RuleOp.setChooseleafTries,
  );
  const hasV3Rules = hasStep(RuleOp.setChooseleafVaryR);
  const hasV5Rules = hasStep(RuleOp.setChooseleafStable);
  const oldest = {
    chooseLocalTries: 2,
    chooseLocalFallbackTries: 5,
    chooseTotalTries: 19,
  } as const;
  const needsTunables =
    tunables.chooseLocalTries !== oldest.chooseLocalTries ||
    tunables.chooseLocalFallbackTries !== oldest.chooseLocalFallbackTries ||
    tunables.chooseTotalTries !== oldest.chooseTotalTries;
  const needsTunables2 = tunables.chooseleafDescendOnce !== 0;
  const needsTunables3 = tunables.chooseleafVaryR !== 0;
  const needsTunables5 = tunables.chooseleafStable !== 0;
  const minimum =
    needsTunables5 || hasV5Rules
      ? 'jewel'
      : hasV4Buckets
        ? 'hammer'
        : needsTunables3
          ? 'firefly'
          : needsTunables2 || needsTunables
            ? 'bobtail'
            : 'argonaut';
  return {
    choose_local_tries: tunables.chooseLocalTries,
    choose_local_fallback_tries: tunables.chooseLocalFallbackTries,
    choose_total_tries: tunables.chooseTotalTries,
    chooseleaf_descend_once: tunables.chooseleafDescendOnce,
    chooseleaf_vary_r: tunables.chooseleafVaryR,
    chooseleaf_stable: tunables.chooseleafStable,
    straw_calc_version: tunables.strawCalcVersion,
    allowed_bucket_algs: tunables.allowedBucketAlgs,
    profile,
    optimal_tunables: Number(isProfile(tunables, jewel, true)),
    legacy_tunables: Number(isProfile(tunables, argonaut, true)),
    minimum_required_version: minimum,
    require_feature_tunables: Number(needsTunables),
    require_feature_tunables2: Number(needsTunables2),
    has_v2_rules: Number(hasV2Rules),
    require_feature_tunables3: Number(needsTunables3),
    has_v3_rules: Number(hasV3Rules),
    has_v4_buckets: Number(hasV4Buckets),
    require_feature_tunables5: Number(needsTunables5),
    has_v5_rules: Number(hasV5Rules),
  };
}
