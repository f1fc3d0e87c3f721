/** Maps inputs by a map's rules and prints what comes of it (CrushTester::test, compare). */
import {
  type BatchMapper,
  batchMapper,
  CRUSH_ITEM_NONE,
  type CrushMap,
  type CrushRule,
  hash32x2,
  RuleOp,
} from '@spirula/crush';
import { formatFloat } from '@spirula/encoding';
import { writeCsvFiles } from './csv-files.ts';
import { deviceWeights, MOST, markDown } from './device-weights.ts';
import { Lrand48, RandomPlacement } from './random-placement.ts';
import type { TestRequest } from './request.ts';
import { type CrushToolIo, Ending } from './tool-io.ts';

/** CrushTester uses choose_args set 0, falling back to -1. */
const CHOOSE_ARGS = 0;
const DEFAULT_MAX_X = 1023;
/** Inputs that are mapped at a time. */
const CHUNK = 1 << 14;
/** Longest result. */
const MOST_PLACES = 1 << 16;

interface Ranges {
  readonly minRule: number;
  readonly maxRule: number;
  readonly minX: number;
  readonly maxX: number;
}

/** One bound alone counts as none. */
function rangesOf(map: CrushMap, { minRule, maxRule, minX, maxX }: TestRequest): Ranges {
  const anyRule = minRule < 0 || maxRule < 0;
  const anyX = minX < 0 || maxX < 0;
  return {
    minRule: anyRule ? 0 : minRule,
    maxRule: anyRule ? map.rules.length - 1 : maxRule,
    minX: anyX ? 0 : minX,
    maxX: anyX ? DEFAULT_MAX_X : maxX,
  };
}

/** The rules to test that there are, with the numbers of replicas to test them for. */
function* rulesOf(map: CrushMap, ranges: Ranges, { ruleset, numRep }: TestRequest, absent: (ruleNo: number) => void) {
  for (let ruleNo = ranges.minRule; ruleNo < map.rules.length && ruleNo <= ranges.maxRule; ruleNo++) {
    const rule = map.rules[ruleNo];
    if (rule === undefined) absent(ruleNo);
    else if (ruleset < 0 || rule.ruleset === ruleset) {
      const [min, max] = numRep < 0 ? [rule.minSize, rule.maxSize] : [numRep, numRep];
      yield { ruleNo, rule, min, max };
    }
  }
}

/** Where a rule maps the inputs `from` to `to`, each hashed before by `hash`. */
function* placements(
  mapper: BatchMapper,
  ruleNo: number,
  size: number,
  weights: Uint32Array,
  [from, to]: readonly [number, number],
  { hash = (x) => x, histogram }: { hash?: (x: number) => number; histogram?: Uint32Array | undefined } = {},
): Generator<[x: number, result: number[]]> {
  const most = Math.min(size, MOST_PLACES);
  for (let first = from; first <= to; first += CHUNK) {
    const inputs = Int32Array.from({ length: Math.min(CHUNK, to - first + 1) }, (_, i) => hash(first + i));
    const { items, lengths, most: places } = mapper.map(ruleNo, inputs, most, weights, histogram);
    for (let i = 0; i < inputs.length; i++) {
      yield [first + i, Array.from(items.subarray(i * places, i * places + lengths[i]!))];
    }
  }
}

export function testMap(map: CrushMap, asked: TestRequest, io: CrushToolIo): void {
  new MapTest(map, asked, io).run();
}

class MapTest {
  readonly #map: CrushMap;
  readonly #request: TestRequest;
  readonly #ranges: Ranges;
  readonly #io: CrushToolIo;
  readonly #weights: Uint32Array;
  readonly #mapper: BatchMapper;
  /** How many choices took how many tries, when that is asked for. */
  readonly #tries: Uint32Array | undefined;
  readonly #random: RandomPlacement;

  constructor(map: CrushMap, asked: TestRequest, io: CrushToolIo) {
    this.#map = map;
    this.#request = { ...asked, statistics: asked.statistics || asked.utilization || asked.utilizationAll };
    this.#ranges = rangesOf(map, asked);
    this.#io = io;
    const random = new Lrand48();
    this.#weights = deviceWeights(map, asked);
    if (asked.utilizationAll) {
      const hex = Array.from(this.#weights, (weight) => weight.toString(16));
      io.stderr(`devices weights (hex): [${hex.join(',')}]\n`);
    }
    markDown(map, asked, this.#weights, random);
    this.#mapper = batchMapper(map, CHOOSE_ARGS);
    this.#tries = asked.chooseTries ? new Uint32Array(Math.min(map.tunables.chooseTotalTries, MOST) + 1) : undefined;
    this.#random = new RandomPlacement(map, random);
  }

  run(): void {
    const { statistics } = this.#request;
    const absent = (ruleNo: number) => {
      if (statistics) this.#io.stdout(`rule ${ruleNo} dne\n`);
    };
    for (const { ruleNo, rule, min, max } of rulesOf(this.#map, this.#ranges, this.#request, absent)) {
      const { minX, maxX } = this.#ranges;
      const name = `rule ${ruleNo} (${this.#map.ruleNames.get(ruleNo) ?? ''})`;
      if (statistics) this.#io.stdout(`${name}, x = ${minX}..${maxX}, numrep = ${min}..${max}\n`);
      for (let size = min; size <= max; size++) this.#testSize(ruleNo, rule, name, size);
    }
    if (this.#tries === undefined) return;
    // The last try of all is counted, but not shown.
    const shown = Array.from(this.#tries.subarray(0, -1));
    this.#io.stdout(shown.map((count, n) => `${String(n).padStart(2)}: ${String(count).padStart(9)}\n`).join(''));
  }

  #testSize(ruleNo: number, rule: CrushRule, name: string, size: number): void {
    const weights = this.#weights;
    // Ceph adds in 32 bits, and passes over rules when nothing weighs anything.
    const totalWeight = weights.reduce((sum, weight) => (sum + weight) | 0, 0);
    if (totalWeight === 0) return;
    const { minX, maxX } = this.#ranges;
    const inputs = maxX - minX + 1;
    const places = Math.min(size, mostPlaces(this.#map, rule));
    const expected = Math.fround(places * inputs);
    // In single precision, as there.
    const shares = Float32Array.from(weights, (weight) => Math.fround(weight) / Math.fround(totalWeight));
    const due = shares.map((share) => share * expected);
    const { stored, sizes, lines, placements, batches } = this.#mapInputs(ruleNo, rule, size, places);
    if (this.#request.statistics) {
      for (const [length, count] of [...sizes].sort(([a], [b]) => a - b)) {
        lines.push(`${name} num_rep ${size} result size == ${length}:\t${count}/${inputs}\n`);
      }
      lines.push(...this.#utilization(stored, due));
    }
    this.#io.stdout(lines.join(''));
    if (!this.#request.csv) return;
    const tag = `${this.#request.outputName}${this.#map.ruleNames.get(ruleNo) ?? ''}`;
    const data = { weights, shares, expected: due, stored, placements, batches };
    writeCsvFiles(tag, this.#request.numRep, data, this.#io);
  }

  /** Maps all inputs, batch by batch: how many each device got, how many results have each length, and the lines asked for. */
  #mapInputs(ruleNo: number, rule: CrushRule, size: number, places: number) {
    const { mappings, badMappings, simulate, csv } = this.#request;
    const stored = new Uint32Array(this.#weights.length);
    const sizes = new Map<number, number>();
    const lines: string[] = [];
    const placements: number[][] = [];
    const batches: Uint32Array[] = [];
    for (const [from, to] of this.#batches()) {
      const inBatch = new Uint32Array(this.#weights.length);
      batches.push(inBatch);
      for (const [x, result] of simulate ? this.#draw(rule, places, from, to) : this.#place(ruleNo, size, from, to)) {
        if (mappings) lines.push(`${simulate ? 'RNG' : 'CRUSH'} rule ${ruleNo} x ${x} [${result.join(',')}]\n`);
        if (badMappings && (result.length !== size || result.includes(CRUSH_ITEM_NONE))) {
          lines.push(`bad mapping rule ${ruleNo} x ${x} num_rep ${size} result [${result.join(',')}]\n`);
        }
        if (csv) placements.push([x, ...result]);
        for (const device of result) {
          if (device < 0 || device >= stored.length) continue;
          stored[device]! += 1;
          inBatch[device]! += 1;
        }
        sizes.set(result.length, (sizes.get(result.length) ?? 0) + 1);
      }
    }
    return { stored, sizes, lines, placements, batches };
  }

  #place(ruleNo: number, size: number, from: number, to: number): Generator<[number, number[]]> {
    const { poolId } = this.#request;
    const hash = (x: number) => (poolId === -1 ? x : hash32x2(x, poolId));
    return placements(this.#mapper, ruleNo, size, this.#weights, [from, to], { hash, histogram: this.#tries });
  }

  *#draw(rule: CrushRule, places: number, from: number, to: number): Generator<[number, number[]]> {
    for (let x = from; x <= to; x++) yield [x, this.#random.choose(rule, Math.max(0, places), this.#weights)];
  }

  /** First and last input of each batch: all of one length, but for the last. */
  *#batches(): Generator<[from: number, to: number]> {
    const { batches } = this.#request;
    const { minX, maxX } = this.#ranges;
    const length = Math.trunc((maxX - minX + 1) / batches);
    for (let batch = 0; batch < batches; batch++) {
      const from = minX + batch * length;
      yield [from, batch === batches - 1 ? maxX : from + length - 1];
    }
  }

  #utilization(stored: Uint32Array, due: Float32Array): string[] {
    const { utilization, utilizationAll } = this.#request;
    if (!utilization && !utilizationAll) return [];
    return Array.from(stored).flatMap((count, device) => {
      // What stores something takes precedence over all.
      if (utilization && (due[device]! <= 0 || count === 0)) return [];
      return [`  device ${device}:\t\t stored : ${count}\t expected : ${formatFloat(due[device]!)}\n`];
    });
  }
}

/** How many replicas a rule can place at most, by the numbers and kinds of buckets it chooses (get_maximum_affected_by_rule). */
function mostPlaces(map: CrushMap, rule: CrushRule): number {
  let most = Math.max(map.buckets.length, map.maxDevices);
  const chosen = new Map(
    rule.steps.filter(({ op }) => op >= 2 && op !== RuleOp.emit).map((step) => [step.arg2, step.arg1]),
  );
  for (const [type, wanted] of chosen) {
    const there = [...map.names.keys()].filter((id) => id < 0 && map.buckets[-1 - id]?.type === type).length;
    const places = wanted > 0 ? Math.min(wanted, there) : there;
    if (places > 0) most = Math.min(most, places);
  }
  return most;
}

/** How many inputs another map maps elsewhere. @throws Ending when any is. */
export function compareMaps(map: CrushMap, other: CrushMap, request: TestRequest, io: CrushToolIo): void {
  const ranges = rangesOf(map, request);
  const weights = deviceWeights(map, request);
  markDown(map, request, weights, new Lrand48());
  const mappers = [batchMapper(map, CHOOSE_ARGS), batchMapper(other, CHOOSE_ARGS)] as const;
  const absent = (ruleNo: number) => {
    if (request.statistics) io.stdout(`rule ${ruleNo} dne\n`);
  };
  let differs = false;
  for (const { ruleNo, min, max } of rulesOf(map, ranges, request, absent)) {
    let bad = 0;
    for (let size = min; size <= max; size++) {
      const inputs = [ranges.minX, ranges.maxX] as const;
      const [ours, theirs] = mappers.map((mapper) => placements(mapper, ruleNo, size, weights, inputs));
      for (const [, result] of ours!) {
        const [, other] = theirs!.next().value as [number, number[]];
        if (result.join() !== other.join()) bad += 1;
      }
    }
    differs ||= bad > 0;
    const total = (max - min + 1) * (ranges.maxX - ranges.minX + 1);
    const ratio = total === 0 ? '-nan' : formatFloat(bad / total);
    io.stdout(`rule ${ruleNo} had ${bad}/${total} mismatched mappings (${ratio})\n`);
  }
  if (differs) throw new Ending('warning: maps are NOT equivalent\n');
  io.stdout('maps appear equivalent\n');
}
