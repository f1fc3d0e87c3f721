/** Why a PG is where it is, as text for people. */
import {
  BucketAlg,
  bucketAlgName,
  CRUSH_ITEM_NONE,
  type CrushMap,
  type DrawnItem,
  type ExplainedDraw,
  type ExplainedTry,
} from '@spirula/crush';
import { formatPgId, type OsdId } from '@spirula/encoding';
import type { ExplainedPg, OsdMap } from '@spirula/maps';
import { nameOfItem, nameOfStep, nameOfType, REASONS } from './crush-names.ts';
import type { ExplainedObject } from './explain-object.ts';

const ONE = 0x10000;
/** Items of a draw that are shown, the longest straws first, unless all are. */
const SHOWN = 4;
const NAME_WIDTH = 8;

/** @param isWhole whether all items of each draw are shown */
export function explainText(
  map: OsdMap,
  explained: ExplainedPg,
  object: ExplainedObject | undefined,
  isWhole: boolean,
): string {
  return `${[
    ...describeObject(map, explained, object).map(factLine),
    ...describePg(map, explained).map(factLine),
    ...explained.crush.steps.flatMap(({ step, tries }) => [
      `  ${nameOfStep(map.crush, step)}`,
      ...withTriesBelow(tries).flatMap((each) => tryLines(map.crush, each, isWhole).map((line) => `    ${line}`)),
    ]),
    ...describeSets(explained).map(factLine),
  ].join('\n')}\n`;
}

function factLine([name, text]: Fact): string {
  return `${name.padEnd(NAME_WIDTH)} ${text}`;
}

export type Fact = readonly [name: string, text: string];

export function describeObject(map: OsdMap, { pg, pool }: ExplainedPg, object: ExplainedObject | undefined): Fact[] {
  if (!object) return [];
  const where = object.namespace === '' ? '' : ` in namespace '${object.namespace}'`;
  const hashed = object.hashed === object.name ? '' : ` of '${object.hashed}'`;
  return [
    ['object', `'${object.name}'${where} of pool '${map.poolNames.get(pg.pool) ?? pg.pool}' (${pg.pool})`],
    ['hash', `${hex(object.hash)} (${object.hashName}${hashed}); of ${pool.pgNum} PGs that is ${formatPgId(pg)}`],
  ];
}

export function describePg(map: OsdMap, explained: ExplainedPg): Fact[] {
  const { pg, pool, placementPg, input, isHashed, rule, weightSet } = explained;
  const how = isHashed
    ? `the hash of ${placementPg} and the pool's id ${pg.pool}`
    : `${placementPg} plus the pool's id ${pg.pool}`;
  const byPgp =
    pool.pgpNum === pool.pgNum ? '' : ` (placed as PG ${placementPg.toString(16)}: pgp_num is ${pool.pgpNum})`;
  const sets = weightSet === undefined ? '' : `, by weight set ${weightSet === -1 ? '(compat)' : weightSet}`;
  return [
    ['pg', `${formatPgId(pg)}${byPgp}`],
    ['input', `${input} (${hex(input)}): ${how}`],
    [
      'rule',
      rule < 0
        ? `${pool.crushRule}: not in the map, so the PG is nowhere`
        : `'${map.crush.ruleNames.get(rule) ?? rule}' (${rule}), size ${pool.size}${sets}`,
    ],
  ];
}

export interface TryWithBelow {
  readonly tried: ExplainedTry;
  readonly below: readonly ExplainedTry[];
}

/** Tries for devices below what was chosen, with what they are for. */
export function withTriesBelow(tries: readonly ExplainedTry[]): TryWithBelow[] {
  const grouped: { tried: ExplainedTry; below: ExplainedTry[] }[] = [];
  for (const tried of tries) {
    if (tried.isBelow) grouped.at(-1)?.below.push(tried);
    else grouped.push({ tried, below: [] });
  }
  return grouped;
}

function tryLines(crush: CrushMap, { tried, below }: TryWithBelow, isWhole: boolean): string[] {
  const again = tried.failures > 0 ? `, try ${tried.failures + 1}` : '';
  const head = tried.isBelow ? `a device below ${nameOfItem(crush, tried.from)}` : `rank ${tried.rank}`;
  const inside = [
    ...tried.draws.flatMap((draw) => drawLines(crush, draw, isWhole)),
    ...below.flatMap((each) => tryLines(crush, { tried: each, below: [] }, isWhole)),
    ...outcomeLines(crush, tried),
  ];
  return [`${head}${again}`, ...inside.map((line) => `  ${line}`)];
}

function outcomeLines(crush: CrushMap, { accepted, rejected }: ExplainedTry): string[] {
  if (accepted) return [`-> ${nameOfItem(crush, accepted.item)}, place ${accepted.position}`];
  if (!rejected) return [];
  const what = rejected.item === undefined ? '' : `${nameOfItem(crush, rejected.item)} `;
  return [`x  ${what}rejected: ${REASONS[rejected.why]}`];
}

function drawLines(
  crush: CrushMap,
  { bucket: id, r, isFallback, item, items }: ExplainedDraw,
  isWhole: boolean,
): string[] {
  const bucket = crush.buckets[-1 - id]!;
  const type = nameOfType(crush, bucket.type);
  const how = isFallback ? 'a permutation, as other tries failed' : bucketAlgName(bucket.alg);
  const head = `${nameOfItem(crush, id)} (${type}, ${how}) r=${r}: ${nameOfItem(crush, item)} of ${items.length}`;
  if (isFallback || items.every(({ hash }) => hash === undefined)) return [head];
  const ordered = bucket.alg === BucketAlg.list ? [...items].reverse() : [...items].sort(byLength);
  const shown = isWhole ? ordered : ordered.slice(0, SHOWN);
  const width = shown.reduce((most, each) => Math.max(most, nameOfItem(crush, each.item).length), 0);
  const more = ordered.length > shown.length ? [`  … ${ordered.length - shown.length} more`] : [];
  return [head, ...shown.map((each) => `  ${itemLine(crush, each, each.item === item, width)}`), ...more];
}

function byLength(a: DrawnItem, b: DrawnItem): number {
  return (b.straw ?? Number.NEGATIVE_INFINITY) - (a.straw ?? Number.NEGATIVE_INFINITY);
}

function itemLine(
  crush: CrushMap,
  { item, weight, hash, ln, straw }: DrawnItem,
  isDrawn: boolean,
  width: number,
): string {
  const words = [
    `${isDrawn ? '*' : ' '} ${nameOfItem(crush, item).padEnd(width)}`,
    `hash ${String(hash).padStart(5)}`,
    ...(ln === undefined ? [] : [`ln ${String(ln).padStart(16)}`]),
    `weight ${(weight / ONE).toFixed(5)}`,
    straw === undefined ? 'no straw' : `straw ${straw}`,
  ];
  return words.join('  ');
}

export function describeSets(explained: ExplainedPg): Fact[] {
  const { crush, missing, raw, upmap, upmapItems, afterUpmap, down, affinities, up, upPrimary } = explained;
  const { pgTemp, primaryTemp, acting, actingPrimary } = explained;
  const facts: Fact[] = [['crush', osds(crush.result)]];
  if (missing.length > 0) facts.push(['raw', `${osds(raw)}: ${osds(missing)} do not exist`]);
  if (upmap) {
    const isDone = upmap.every((osd) => afterUpmap.includes(osd));
    facts.push(['upmap', `${osds(upmap)} in its place${isDone ? '' : ': ignored, one of them is out'}`]);
  }
  for (const [from, to] of upmapItems ?? []) {
    const isDone = afterUpmap.includes(to) && !afterUpmap.includes(from);
    facts.push(['upmap', `osd.${to} in place of osd.${from}${isDone ? '' : ': ignored'}`]);
  }
  if (down.length > 0) facts.push(['down', osds(down)]);
  for (const [osd, affinity] of affinities) {
    facts.push(['affinity', `osd.${osd} leads with a probability of ${(affinity / ONE).toFixed(5)}`]);
  }
  facts.push(['up', `${osds(up)}, primary ${primaryOf(upPrimary)}`]);
  if (pgTemp) facts.push(['pg_temp', osds(pgTemp)]);
  if (primaryTemp !== undefined) facts.push(['primary_temp', `osd.${primaryTemp}`]);
  facts.push(['acting', `${osds(acting)}, primary ${primaryOf(actingPrimary)}`]);
  return facts;
}

function primaryOf(osd: OsdId): string {
  return osd < 0 ? 'none' : `osd.${osd}`;
}

function osds(list: readonly OsdId[]): string {
  return `[${list.map((osd) => (osd === CRUSH_ITEM_NONE ? 'none' : osd)).join(',')}]`;
}

function hex(value: number): string {
  return `0x${(value >>> 0).toString(16)}`;
}
