/** Maps built layer by layer from devices that all weigh 1 (crushtool --build, tools/crushtool.cc). */

import type { WeightedItem } from './bucket-weights.ts';
import { emptyCrushMap } from './builder.ts';
import { BucketAlg, type CrushMap } from './crush-map.ts';
import { CrushDraft } from './draft.ts';
import { RuleType, simpleRule } from './simple-rule.ts';

const ONE = 0x10000;
/** Names are cut to what Ceph has room for. */
const LONGEST_FORMAT = 18;
const LONGEST_NAME = 19;

export interface LayerPlan {
  readonly name: string;
  readonly alg: string;
  /** Items in a bucket; 0: all there are. */
  readonly size: number;
}

/** Why a map cannot be built: what Ceph says. */
export class CrushBuildError extends Error {}

/**
 * Each layer's buckets hold the items of the layer below, in order; a rule spreads replicas over the first layer's type.
 * `warn` is told of what is left out.
 *
 * @throws CrushBuildError
 */
export function buildCrushMap(devices: number, layers: readonly LayerPlan[], warn: (line: string) => void): CrushMap {
  const draft = new CrushDraft({ ...emptyCrushMap(), typeNames: new Map([[0, 'osd']]) });
  draft.maxDevices = Math.max(0, devices);
  let items: WeightedItem[] = [];
  for (let osd = 0; osd < devices; osd++) {
    draft.setName(osd, `osd.${osd}`);
    items.push([osd, ONE]);
  }
  for (const [below, layer] of layers.entries()) items = addLayer(draft, below + 1, layer, items);
  const { name, size } = layers.at(-1)!;
  const root = size === 0 ? name : `${name}0`;
  const roots = draft.roots();
  if (roots.length > 1) warn(manyRoots(root, roots.length));
  const item = draft.idOf(root);
  if (item === undefined) throw new CrushBuildError(`root item ${root} does not exist`);
  draft.rules[0] = simpleRule(0, RuleType.replicated, item, 1, 'firstn');
  draft.ruleNames.set(0, 'replicated_rule');
  draft.finalize();
  return draft.toMap();
}

function addLayer(draft: CrushDraft, type: number, layer: LayerPlan, below: readonly WeightedItem[]): WeightedItem[] {
  draft.typeNames.set(type, layer.name);
  const alg = Object.hasOwn(BucketAlg, layer.alg) ? BucketAlg[layer.alg as keyof typeof BucketAlg] : undefined;
  if (alg === undefined) throw new CrushBuildError(`unknown bucket type '${layer.alg}'\n`);
  if (layer.size < 0) throw new CrushBuildError(`a bucket cannot hold ${layer.size} items\n`);
  const size = layer.size === 0 ? below.length : layer.size;
  const made: WeightedItem[] = [];
  for (let from = 0; from < below.length; from += size) {
    const entries = below.slice(from, from + size);
    const added = draft.addBucket(type, entries, { alg });
    if ('failure' in added) throw new CrushBuildError(" Couldn't add bucket: (12) Cannot allocate memory\n");
    draft.nameItem(added.id, bucketName(layer, made.length));
    made.push([added.id, entries.reduce((sum, [, weight]) => sum + weight, 0)]);
  }
  return made;
}

function bucketName({ name, size }: LayerPlan, index: number): string {
  if (size === 0) return name.slice(0, LONGEST_NAME);
  const format = `${name}%d`.slice(0, LONGEST_FORMAT);
  return format.replace(/%d$/, String(index)).replace(/%$/, '').slice(0, LONGEST_NAME);
}

function manyRoots(root: string, count: number): string {
  return `The crush rulesets will use the root ${root}
and ignore the others.
There are ${count} roots, they can be
grouped into a single root by appending something like:
  root straw 0

`;
}
