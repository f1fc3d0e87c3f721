/** The statements of a CRUSH map's source, and their grammar (crush/grammar.h). */
import type { Scanner } from './scanner.ts';

export interface TunableStatement {
  readonly kind: 'tunable';
  readonly name: string;
  readonly value: number;
}
export interface DeviceStatement {
  readonly kind: 'device';
  readonly id: number;
  readonly name: string;
  readonly className: string | undefined;
}
interface TypeStatement {
  readonly kind: 'type';
  readonly type: number;
  readonly name: string;
}
/** `id -3 class ssd`: without a class, the bucket's own id. */
interface BucketIdLine {
  readonly id: number;
  readonly className: string | undefined;
}
export interface BucketItemLine {
  readonly name: string;
  readonly weight: number | undefined;
  readonly pos: number | undefined;
}
export interface BucketStatement {
  readonly kind: 'bucket';
  readonly typeName: string;
  readonly name: string;
  readonly ids: readonly BucketIdLine[];
  readonly alg: string;
  readonly hashes: readonly number[];
  readonly items: readonly BucketItemLine[];
}
export type SetVariable =
  | 'set_choose_tries'
  | 'set_choose_local_tries'
  | 'set_choose_local_fallback_tries'
  | 'set_chooseleaf_tries'
  | 'set_chooseleaf_vary_r'
  | 'set_chooseleaf_stable';
export type StepLine =
  | { readonly step: 'take'; readonly item: string; readonly className: string | undefined }
  | { readonly step: 'set'; readonly variable: SetVariable; readonly value: number }
  | {
      readonly step: 'choose' | 'chooseleaf';
      readonly mode: 'indep' | 'firstn';
      readonly count: number;
      readonly typeName: string;
    }
  | { readonly step: 'emit' };
export interface RuleStatement {
  readonly kind: 'rule';
  /** '' when it has none. */
  readonly name: string;
  readonly id: number;
  readonly type: 'replicated' | 'erasure';
  readonly minSize: number;
  readonly maxSize: number;
  readonly steps: readonly StepLine[];
}
export interface ReplacementBlock {
  readonly bucketId: number;
  readonly weightSet: readonly (readonly number[])[] | undefined;
  readonly ids: readonly number[] | undefined;
}
export interface ChooseArgsStatement {
  readonly kind: 'choose_args';
  readonly set: number;
  readonly replacements: readonly ReplacementBlock[];
}
export type Statement =
  | TunableStatement
  | DeviceStatement
  | TypeStatement
  | BucketStatement
  | RuleStatement
  | ChooseArgsStatement;

/** All statements from here on that can be read: tunables, devices and types, then buckets and rules, then choose_args. */
export function readStatements(scan: Scanner): Statement[] {
  return [
    ...scan.many(() => readTunable(scan) ?? readDevice(scan) ?? readType(scan)),
    ...scan.many(() => readBucket(scan) ?? readRule(scan)),
    ...scan.many(() => readChooseArgs(scan)),
  ];
}

function readTunable(scan: Scanner): TunableStatement | undefined {
  return scan.attempt(() => {
    if (!scan.keyword('tunable')) return undefined;
    const name = scan.name();
    const value = name === undefined ? undefined : scan.natural();
    return value === undefined ? undefined : { kind: 'tunable', name: name!, value };
  });
}

function readDevice(scan: Scanner): DeviceStatement | undefined {
  return scan.attempt(() => {
    const id = scan.keyword('device') && scan.natural();
    const name = id === undefined ? undefined : scan.name();
    return name === undefined ? undefined : { kind: 'device', id: id!, name, className: readClass(scan) };
  });
}

function readClass(scan: Scanner): string | undefined {
  return scan.attempt(() => scan.keyword('class') && scan.name());
}

function readType(scan: Scanner): TypeStatement | undefined {
  return scan.attempt(() => {
    const type = scan.keyword('type') && scan.natural();
    const name = type === undefined ? undefined : scan.name();
    return name === undefined ? undefined : { kind: 'type', type: type!, name };
  });
}

function readBucket(scan: Scanner): BucketStatement | undefined {
  return scan.attempt(() => {
    const typeName = scan.name();
    const name = typeName === undefined ? undefined : scan.name();
    if (name === undefined || !scan.keyword('{')) return undefined;
    const ids = scan.many(() => readBucketId(scan));
    const alg = scan.keyword('alg') && scan.name();
    if (alg === undefined) return undefined;
    const hashes = scan.many(() => readHash(scan));
    const items = scan.many(() => readItem(scan));
    return scan.keyword('}') && { kind: 'bucket', typeName: typeName!, name, ids, alg, hashes, items };
  });
}

function readBucketId(scan: Scanner): BucketIdLine | undefined {
  const id = scan.keyword('id') && scan.negative();
  return id === undefined ? undefined : { id, className: readClass(scan) };
}

function readHash(scan: Scanner): number | undefined {
  if (!scan.keyword('hash')) return undefined;
  return scan.integer() ?? (scan.keyword('rjenkins1') ? 0 : undefined);
}

function readItem(scan: Scanner): BucketItemLine | undefined {
  const name = scan.keyword('item') && scan.name();
  if (name === undefined) return undefined;
  const weight = scan.attempt(() => (scan.keyword('weight') ? scan.real() : undefined));
  const pos = scan.attempt(() => (scan.keyword('pos') ? scan.natural() : undefined));
  return { name, weight, pos };
}

function readRule(scan: Scanner): RuleStatement | undefined {
  return scan.attempt(() => {
    if (!scan.keyword('rule')) return undefined;
    const name = scan.name() ?? '';
    if (!scan.keyword('{') || !scan.keyword('id', 'ruleset')) return undefined;
    const id = scan.natural();
    const type = id !== undefined && scan.keyword('type') ? scan.keyword('replicated', 'erasure') : undefined;
    const minSize = type !== undefined && scan.keyword('min_size') ? scan.natural() : undefined;
    const maxSize = minSize !== undefined && scan.keyword('max_size') ? scan.natural() : undefined;
    if (maxSize === undefined) return undefined;
    const steps = scan.many(() => (scan.keyword('step') ? readStep(scan) : undefined));
    if (steps.length === 0 || !scan.keyword('}')) return undefined;
    return { kind: 'rule', name, id: id!, type: type!, minSize: minSize!, maxSize, steps };
  });
}

function readStep(scan: Scanner): StepLine | undefined {
  return scan.attempt(() => readTake(scan)) ?? readSet(scan) ?? readChoose(scan) ?? readEmit(scan);
}

function readTake(scan: Scanner): StepLine | undefined {
  const item = scan.keyword('take') && scan.name();
  return item === undefined ? undefined : { step: 'take', item, className: readClass(scan) };
}

const SET_VARIABLES: readonly SetVariable[] = [
  'set_choose_tries',
  'set_choose_local_tries',
  'set_choose_local_fallback_tries',
  'set_chooseleaf_tries',
  'set_chooseleaf_vary_r',
  'set_chooseleaf_stable',
];

function readSet(scan: Scanner): StepLine | undefined {
  return scan.attempt(() => {
    const variable = scan.keyword(...SET_VARIABLES);
    const value = variable === undefined ? undefined : scan.natural();
    return value === undefined ? undefined : { step: 'set', variable: variable!, value };
  });
}

function readChoose(scan: Scanner): StepLine | undefined {
  // `choose` is how `chooseleaf` begins: what follows decides.
  for (const step of ['choose', 'chooseleaf'] as const) {
    const found = scan.attempt((): StepLine | undefined => {
      const mode = scan.keyword(step) && scan.keyword('indep', 'firstn');
      const count = mode === undefined ? undefined : scan.integer();
      const typeName = count !== undefined && scan.keyword('type') ? scan.name() : undefined;
      return typeName === undefined ? undefined : { step, mode: mode!, count: count!, typeName };
    });
    if (found !== undefined) return found;
  }
  return undefined;
}

function readEmit(scan: Scanner): StepLine | undefined {
  return scan.keyword('emit') && { step: 'emit' };
}

function readChooseArgs(scan: Scanner): ChooseArgsStatement | undefined {
  const set = scan.keyword('choose_args') && scan.natural();
  if (set === undefined || !scan.keyword('{')) return undefined;
  const replacements = scan.many(() => readReplacement(scan));
  return scan.keyword('}') && { kind: 'choose_args', set, replacements };
}

function readReplacement(scan: Scanner): ReplacementBlock | undefined {
  const bucketId = scan.keyword('{') && scan.keyword('bucket_id') && scan.negative();
  if (bucketId === undefined) return undefined;
  const weightSet = scan.attempt(() =>
    scan.keyword('weight_set') ? readList(scan, () => readList(scan, () => scan.real())) : undefined,
  );
  const ids = scan.attempt(() => (scan.keyword('ids') ? readList(scan, () => scan.integer()) : undefined));
  return scan.keyword('}') && { bucketId, weightSet, ids };
}

function readList<T>(scan: Scanner, read: () => T | undefined): T[] | undefined {
  if (!scan.keyword('[')) return undefined;
  const all = scan.many(read);
  return scan.keyword(']') && all;
}
