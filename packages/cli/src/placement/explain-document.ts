/** Why a PG is where it is, for programs: numbers as CRUSH has them. */
import { bucketAlgName, type CrushMap, type ExplainedTry } from '@spirula/crush';
import { formatPgId } from '@spirula/encoding';
import type { ExplainedPg, OsdMap } from '@spirula/maps';
import { nameOfItem, nameOfStep } from './crush-names.ts';
import type { ExplainedObject } from './explain-object.ts';

export function explainDocument(map: OsdMap, explained: ExplainedPg, object: ExplainedObject | undefined) {
  const { pg, pool, crush } = explained;
  return {
    ...(object && { object }),
    pg: formatPgId(pg),
    pool: {
      id: pg.pool,
      name: map.poolNames.get(pg.pool) ?? '',
      size: pool.size,
      pg_num: pool.pgNum,
      pgp_num: pool.pgpNum,
    },
    input: explained.input,
    rule: { id: explained.rule, name: map.crush.ruleNames.get(explained.rule) ?? '' },
    weight_set: explained.weightSet ?? null,
    steps: crush.steps.map(({ step, tries }) => ({
      step: nameOfStep(map.crush, step),
      tries: tries.map((each) => tryDocument(map.crush, each)),
    })),
    crush: crush.result,
    missing: explained.missing,
    raw: explained.raw,
    pg_upmap: explained.upmap ?? null,
    pg_upmap_items: (explained.upmapItems ?? []).map(([from, to]) => ({ from, to })),
    after_upmap: explained.afterUpmap,
    down: explained.down,
    primary_affinity: Object.fromEntries(explained.affinities),
    up: explained.up,
    up_primary: explained.upPrimary,
    pg_temp: explained.pgTemp ?? null,
    primary_temp: explained.primaryTemp ?? null,
    acting: explained.acting,
    acting_primary: explained.actingPrimary,
  };
}

function tryDocument(crush: CrushMap, tried: ExplainedTry) {
  return {
    from: nameOfItem(crush, tried.from),
    rank: tried.rank,
    failures: tried.failures,
    is_below: tried.isBelow,
    draws: tried.draws.map(({ bucket, r, isFallback, item, items }) => ({
      bucket: nameOfItem(crush, bucket),
      alg: bucketAlgName(crush.buckets[-1 - bucket]!.alg),
      r,
      is_fallback: isFallback,
      item: nameOfItem(crush, item),
      items: items.map((each) => ({ ...each, name: nameOfItem(crush, each.item) })),
    })),
    ...(tried.accepted && { accepted: { ...tried.accepted, name: nameOfItem(crush, tried.accepted.item) } }),
    ...(tried.rejected && { rejected: tried.rejected }),
  };
}
