/** Writes a CRUSH map as text (CrushCompiler::decompile). Weights have three decimals there: what is finer is lost. */

import { LEGACY_TUNABLES } from '../codec.ts';
import {
  BucketAlg,
  type CrushBucket,
  type CrushChooseArg,
  type CrushMap,
  type CrushRule,
  RuleOp,
} from '../crush-map.ts';
import { deviceClassOf } from '../device-class.ts';
import { CrushDraft, isValidCrushName } from '../draft.ts';
import { bucketAlgName } from '../dump.ts';
import { weightAt } from '../hierarchy.ts';
import { weightText } from '../weight-text.ts';

export interface Decompiled {
  /** As far as the map can be written. */
  readonly text: string;
  /** What Ceph says of a map that cannot be written whole; '' when it can. */
  readonly complaint: string;
}

/** Why the rest of a map cannot be written. */
class Unwritable extends Error {}

export function decompileCrushMap(map: CrushMap): Decompiled {
  const writer = new MapWriter(map);
  try {
    writer.writeMap();
    return { text: writer.text, complaint: '' };
  } catch (error) {
    if (!(error instanceof Unwritable)) throw error;
    return { text: writer.text, complaint: error.message };
  }
}

class MapWriter {
  readonly #map: CrushMap;
  readonly #names: CrushDraft;
  readonly #written = new Map<number, 'begun' | 'done'>();
  #parts: string[] = [];

  constructor(map: CrushMap) {
    this.#map = map;
    this.#names = new CrushDraft(map);
  }

  get text(): string {
    return this.#parts.join('');
  }

  writeMap(): void {
    const { buckets, rules } = this.#map;
    this.#write('# begin crush map\n', ...tunableLines(this.#map));
    this.#write('\n# devices\n', ...deviceLines(this.#map), '\n# types\n', ...typeLines(this.#map), '\n# buckets\n');
    for (const slot of buckets.keys()) this.#writeBucketTree(-1 - slot);
    this.#write('\n# rules\n');
    rules.forEach((rule, id) => {
      if (rule !== undefined) this.#writeRule(rule, id);
    });
    if (this.#map.chooseArgs.size > 0) this.#write('\n# choose_args\n');
    for (const [set, args] of ascending(this.#map.chooseArgs)) {
      this.#write(`choose_args ${BigInt.asUintN(64, BigInt(set))} {\n`, ...replacementLines(args), '}\n');
    }
    this.#write('\n# end crush map\n');
  }

  #write(...lines: readonly string[]): void {
    this.#parts.push(...lines);
  }

  /** A bucket after those that it holds. */
  #writeBucketTree(id: number): void {
    const bucket = this.#map.buckets[-1 - id];
    if (bucket === undefined || this.#written.has(id)) return;
    this.#written.set(id, 'begun');
    for (const item of bucket.items) {
      if (this.#written.get(item) === 'begun') throw new Unwritable(circular(id));
      if (item < 0) this.#writeBucketTree(item);
    }
    this.#writeBucket(bucket, id);
    this.#written.set(id, 'done');
  }

  #writeBucket(bucket: CrushBucket, id: number): void {
    const { names, classBuckets, classNames } = this.#map;
    const name = names.get(id);
    // Shadows are made anew by who reads the text.
    if (name !== undefined && !isValidCrushName(name)) return;
    const { items, alg, hash } = bucket;
    const hasPositions = alg === BucketAlg.uniform || alg === BucketAlg.tree;
    this.#write(
      `${typeName(this.#map, bucket.type)} ${itemName(this.#map, id)} {\n`,
      `\tid ${id}\t\t# do not change unnecessarily\n`,
      ...ascending(classBuckets.get(id) ?? new Map<number, number>()).map(
        ([classId, shadow]) => `\tid ${shadow} class ${classNames.get(classId)}\t\t# do not change unnecessarily\n`,
      ),
      `\t# weight ${threeDecimals(bucket.weight)}\n`,
      `\talg ${bucketAlgName(alg)}${algNote(bucket)}\n`,
      `\thash ${hash}\t# ${hash === 0 ? 'rjenkins1' : 'unknown'}\n`,
      ...Array.from(items, (item, pos) => {
        const weight = threeDecimals(weightAt(bucket, pos));
        return `\titem ${itemName(this.#map, item)} weight ${weight}${hasPositions ? ` pos ${pos}` : ''}\n`;
      }),
      '}\n',
    );
  }

  #writeRule(rule: CrushRule, id: number): void {
    this.#write(`rule ${this.#map.ruleNames.get(id) ?? ''} {\n`, `\tid ${id}\n`);
    if (rule.ruleset !== id) {
      this.#write(`\t# WARNING: ruleset ${rule.ruleset} != id ${id}; this will not recompile to the same map\n`);
    }
    this.#write(
      `\ttype ${RULE_TYPES[rule.type] ?? rule.type}\n`,
      `\tmin_size ${rule.minSize}\n`,
      `\tmax_size ${rule.maxSize}\n`,
    );
    for (const { op, arg1, arg2 } of rule.steps) {
      if (op === RuleOp.take) this.#writeTake(arg1);
      else if (op === RuleOp.noop || op === RuleOp.emit)
        this.#write(`\tstep ${op === RuleOp.noop ? 'noop' : 'emit'}\n`);
      else if (SET_STEPS[op] !== undefined) this.#write(`\tstep ${SET_STEPS[op]} ${arg1}\n`);
      else if (CHOOSE_STEPS[op] !== undefined) {
        this.#write(`\tstep ${CHOOSE_STEPS[op]} ${arg1} type ${typeName(this.#map, arg2)}\n`);
      }
    }
    this.#write('}\n');
  }

  /** `step take default class ssd` for a shadow (split_id_class). */
  #writeTake(item: number): void {
    const draft = this.#names;
    this.#write('\tstep take ');
    const name = draft.nameOf(item);
    const [plain = '', className] = name?.split(/~(.*)/s) ?? [];
    const original = draft.idOf(plain);
    const known = className === undefined || (original !== undefined && draft.classOf(className) !== undefined);
    // Of a take of what is not there, 16.2.15 says nothing, and stops.
    if (name === undefined || !known) throw new Unwritable('');
    this.#write(className === undefined ? `${name}\n` : `${plain} class ${className}\n`);
  }
}

const RULE_TYPES: Readonly<Record<number, string>> = { 1: 'replicated', 3: 'erasure' };

const SET_STEPS: Readonly<Record<number, string>> = {
  [RuleOp.setChooseTries]: 'set_choose_tries',
  [RuleOp.setChooseLocalTries]: 'set_choose_local_tries',
  [RuleOp.setChooseLocalFallbackTries]: 'set_choose_local_fallback_tries',
  [RuleOp.setChooseleafTries]: 'set_chooseleaf_tries',
  [RuleOp.setChooseleafVaryR]: 'set_chooseleaf_vary_r',
  [RuleOp.setChooseleafStable]: 'set_chooseleaf_stable',
};

const CHOOSE_STEPS: Readonly<Record<number, string>> = {
  [RuleOp.chooseFirstn]: 'choose firstn',
  [RuleOp.chooseIndep]: 'choose indep',
  [RuleOp.chooseleafFirstn]: 'chooseleaf firstn',
  [RuleOp.chooseleafIndep]: 'chooseleaf indep',
};

function circular(id: number): string {
  return `decompile_crush_bucket: error: while trying to output bucket ${id}, we found out that it contains one of the buckets that contain it. This is not allowed. The buckets must form a directed acyclic graph.\n`;
}

/** Those that differ from what maps mean that name none. */
function tunableLines({ tunables }: CrushMap): string[] {
  const named = [
    ['choose_local_tries', 'chooseLocalTries'],
    ['choose_local_fallback_tries', 'chooseLocalFallbackTries'],
    ['choose_total_tries', 'chooseTotalTries'],
    ['chooseleaf_descend_once', 'chooseleafDescendOnce'],
    ['chooseleaf_vary_r', 'chooseleafVaryR'],
    ['chooseleaf_stable', 'chooseleafStable'],
    ['straw_calc_version', 'strawCalcVersion'],
    ['allowed_bucket_algs', 'allowedBucketAlgs'],
  ] as const;
  return named.flatMap(([name, key]) =>
    tunables[key] === LEGACY_TUNABLES[key] ? [] : [`tunable ${name} ${tunables[key]}\n`],
  );
}

function deviceLines(map: CrushMap): string[] {
  return ascending(map.names).flatMap(([id, name]) => {
    if (id < 0 || id >= map.maxDevices) return [];
    const className = deviceClassOf(map, id);
    return [`device ${id} ${name}${className === undefined ? '' : ` class ${className}`}\n`];
  });
}

function typeLines({ typeNames }: CrushMap): string[] {
  const lines = ascending(typeNames).map(([type, name]) => `type ${type} ${name}\n`);
  return typeNames.size === 0 || typeNames.has(0) ? lines : ['type 0 osd\n', ...lines];
}

function replacementLines(args: ReadonlyMap<number, CrushChooseArg>): string[] {
  return ascending(args).flatMap(([slot, { weightSets, ids }]) => {
    if (weightSets.length === 0 && ids.length === 0) return [];
    const rows = weightSets.map(
      (weights) => `      [ ${Array.from(weights, (each) => `${threeDecimals(each)} `).join('')}]\n`,
    );
    return [
      '  {\n',
      `    bucket_id ${-1 - slot}\n`,
      ...(rows.length > 0 ? ['    weight_set [\n', ...rows, '    ]\n'] : []),
      ...(ids.length > 0 ? [`    ids [ ${Array.from(ids, (id) => `${id} `).join('')}]\n`] : []),
      '  }\n',
    ];
  });
}

function typeName({ typeNames }: CrushMap, type: number): string {
  return typeNames.get(type) ?? (type === 0 ? 'device' : `type${type}`);
}

function itemName({ names }: CrushMap, id: number): string {
  return names.get(id) ?? (id >= 0 ? `device${id}` : `bucket${-1 - id}`);
}

function algNote({ alg, items }: CrushBucket): string {
  switch (alg) {
    case BucketAlg.uniform:
      return `\t# do not change bucket size (${items.length}) unnecessarily`;
    case BucketAlg.list:
      return '\t# add new items at the end; do not change order unnecessarily';
    case BucketAlg.tree:
      return '\t# do not change pos for existing items unnecessarily';
    default:
      return '';
  }
}

function threeDecimals(weight16: number): string {
  return weightText(weight16, 3);
}

function ascending<V>(entries: ReadonlyMap<number, V>): [number, V][] {
  return [...entries].sort(([a], [b]) => a - b);
}
