/** `spirula crushtool`: tests CRUSH maps offline, as Ceph's tool of that name (src/tools/crushtool.cc, CrushTester.cc). */
import {
  CRUSH_ITEM_NONE,
  type CrushMap,
  CrushMapper,
  type CrushRule,
  decodeCrushMap,
  hash32x2,
  RuleOp,
} from '@spirula/crush';
import { MalformedInput } from '@spirula/encoding';
import type { ToolIo } from './osdmaptool.ts';

interface Request {
  input: string | undefined;
  test: boolean;
  mappings: boolean;
  badMappings: boolean;
  statistics: boolean;
  /** What each device stores that stores something and should; it takes precedence over that of all devices. */
  utilization: boolean;
  utilizationAll: boolean;
  chooseTries: boolean;
  minRule: number;
  maxRule: number;
  numRep: number | undefined;
  minX: number;
  maxX: number;
  poolId: number | undefined;
  readonly weights: Map<number, number>;
}

/** Ends the tool with a message for stderr. */
class Refusal extends Error {}

const IN = 0x10000;
const DEFAULT_MAX_X = 1023;
/** CrushTester uses choose_args set 0, falling back to -1. */
const CHOOSE_ARGS = 0;
/** More devices, or lines of a histogram, than this come from damage. */
const MOST = 1 << 24;
const USAGE = `usage: crushtool -i <map> --test [--show-mappings] [--show-bad-mappings] [--show-statistics] [--show-utilization]
       [--show-utilization-all] [--show-choose-tries]
   -i, --infn <map>         the map, binary
   --rule <r>               one rule instead of all; --min-rule and --max-rule give a range
   --num-rep <n>            how many replicas; without it, all that the rule is for
   --min-x <x>, --max-x <x> the inputs, 0 to ${DEFAULT_MAX_X} unless given
   --pool-id <id>           inputs are hashed with the pool's id, as PGs are
   --weight <osd> <weight>  reweight of a device, 0 to 1
`;

/** Runs the tool and returns its exit status. What `--test` prints is, to the byte, that of Ceph 16.2.15. */
export function crushtool(argv: readonly string[], io: ToolIo): number {
  try {
    if (argv.includes('--help') || argv.includes('-h')) {
      io.stdout(USAGE);
      return 0;
    }
    const request = parseArguments(argv);
    testMap(readMap(request.input, io), request, io);
    return 0;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    io.stderr(`crushtool: ${error.message}\n`);
    return 1;
  }
}

function parseArguments(argv: readonly string[]): Request {
  const request: Request = {
    input: undefined,
    test: false,
    mappings: false,
    badMappings: false,
    statistics: false,
    utilization: false,
    utilizationAll: false,
    chooseTries: false,
    minRule: 0,
    maxRule: Number.POSITIVE_INFINITY,
    numRep: undefined,
    minX: 0,
    maxX: DEFAULT_MAX_X,
    poolId: undefined,
    weights: new Map(),
  };
  const words = argv.flatMap((word) =>
    /^--[a-z-]+=/.test(word) ? [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)] : [word],
  );
  let at = 0;
  const value = (option: string): string => {
    const next = words[at++];
    if (next === undefined) throw new Refusal(`${option} needs a value.`);
    return next;
  };
  const number = (option: string, check: (n: number) => boolean = Number.isInteger): number => {
    const word = value(option);
    const n = Number(word);
    if (word.trim() === '' || !check(n)) throw new Refusal(`${option} takes a number, not '${word}'.`);
    return n;
  };
  while (at < words.length) {
    const option = words[at++]!;
    switch (option.replaceAll('_', '-')) {
      case '-i':
      case '--infn':
        request.input = value(option);
        break;
      case '--test':
        request.test = true;
        break;
      case '--show-mappings':
        request.mappings = true;
        break;
      case '--show-bad-mappings':
        request.badMappings = true;
        break;
      case '--show-statistics':
        request.statistics = true;
        break;
      case '--show-utilization':
        request.utilization = true;
        request.statistics = true;
        break;
      case '--show-utilization-all':
        request.utilizationAll = true;
        request.statistics = true;
        break;
      case '--show-choose-tries':
        request.chooseTries = true;
        break;
      case '--rule':
        request.minRule = number(option);
        request.maxRule = request.minRule;
        break;
      case '--min-rule':
        request.minRule = number(option);
        break;
      case '--max-rule':
        request.maxRule = number(option);
        break;
      case '--num-rep':
        request.numRep = number(option);
        break;
      case '--min-x':
        request.minX = number(option);
        break;
      case '--max-x':
        request.maxX = number(option);
        break;
      case '--x':
        request.minX = number(option);
        request.maxX = request.minX;
        break;
      case '--pool-id':
        request.poolId = number(option);
        break;
      case '--weight': {
        const osd = number(option);
        request.weights.set(osd, number(option, Number.isFinite));
        break;
      }
      default:
        throw new Refusal(`there is no option '${option}'. \`crushtool --help\` lists them.`);
    }
  }
  if (!request.test) throw new Refusal('no action given; only --test is supported.');
  return request;
}

function readMap(path: string | undefined, io: ToolIo): CrushMap {
  if (path === undefined) throw new Refusal('no map given; name one with -i.');
  let bytes: Uint8Array;
  try {
    bytes = io.readFile(path);
  } catch (error) {
    throw new Refusal(`cannot read ${path}: ${(error as Error).message}`);
  }
  try {
    return decodeCrushMap(bytes);
  } catch (error) {
    if (!(error instanceof MalformedInput)) throw error;
    throw new Refusal(`unable to decode ${path}: ${error.message}`);
  }
}

/** Devices that occur in the map are in, others out; `--weight` says otherwise. */
function deviceWeights(map: CrushMap, request: Request): Uint32Array {
  if (map.maxDevices > MOST) throw new Refusal(`the map has ${map.maxDevices} devices; the most is ${MOST}.`);
  const weights = new Uint32Array(Math.max(0, map.maxDevices));
  for (const bucket of map.buckets) {
    for (const item of bucket?.items ?? []) if (item >= 0) weights[item] = IN;
  }
  for (const [osd, weight] of request.weights) {
    if (osd < weights.length) weights[osd] = Math.min(IN, Math.max(0, Math.trunc(Math.fround(weight) * IN)));
  }
  return weights;
}

function testMap(map: CrushMap, request: Request, io: ToolIo): void {
  const { mappings, badMappings, statistics, chooseTries } = request;
  if (!mappings && !badMappings && !statistics && !chooseTries) {
    io.stdout('WARNING: no output selected; use --output-csv or --show-X\n');
  }
  const weights = deviceWeights(map, request);
  if (request.utilizationAll) {
    io.stderr(`devices weights (hex): [${Array.from(weights, (weight) => weight.toString(16)).join(',')}]\n`);
  }
  const mapper = new CrushMapper(map, CHOOSE_ARGS);
  const tries = Math.min(map.tunables.chooseTotalTries, MOST);
  const histogram = new Uint32Array(tries + 1);
  if (chooseTries) mapper.choiceTries = histogram;
  for (let rule = request.minRule; rule < map.rules.length && rule <= request.maxRule; rule++) {
    testRule(map, mapper, rule, weights, request, io);
  }
  if (chooseTries) {
    // The last try of all is counted, but not shown.
    const shown = Array.from(histogram.subarray(0, tries));
    io.stdout(shown.map((count, n) => `${String(n).padStart(2)}: ${String(count).padStart(9)}\n`).join(''));
  }
}

function testRule(
  map: CrushMap,
  mapper: CrushMapper,
  ruleNo: number,
  weights: Uint32Array,
  request: Request,
  io: ToolIo,
): void {
  const { minX, maxX, numRep, statistics } = request;
  const rule = map.rules[ruleNo];
  if (rule === undefined) {
    if (statistics) io.stdout(`rule ${ruleNo} dne\n`);
    return;
  }
  const minRep = numRep ?? rule.minSize;
  const maxRep = numRep ?? rule.maxSize;
  const name = `rule ${ruleNo} (${map.ruleNames.get(ruleNo) ?? ''})`;
  if (statistics) io.stdout(`${name}, x = ${minX}..${maxX}, numrep = ${minRep}..${maxRep}\n`);
  // Ceph adds in 32 bits, and passes over rules when nothing weighs anything.
  const totalWeight = weights.reduce((sum, weight) => (sum + weight) | 0, 0);
  for (let size = minRep; size <= maxRep && totalWeight !== 0; size++) {
    const { stored, sizes, lines } = mapInputs(mapper, ruleNo, size, weights, request);
    const inputs = maxX - minX + 1;
    if (statistics) {
      for (const [length, count] of [...sizes].sort(([a], [b]) => a - b)) {
        lines.push(`${name} num_rep ${size} result size == ${length}:\t${count}/${inputs}\n`);
      }
      const expected = Math.min(size, mostPlaces(map, rule)) * inputs;
      lines.push(...utilization(stored, expected, weights, totalWeight, request));
    }
    io.stdout(lines.join(''));
  }
}

/** Maps all inputs: how many each device got, how many results have each length, and the lines asked for. */
function mapInputs(
  mapper: CrushMapper,
  rule: number,
  size: number,
  weights: Uint32Array,
  { minX, maxX, poolId, mappings, badMappings }: Request,
): { stored: Uint32Array; sizes: Map<number, number>; lines: string[] } {
  const stored = new Uint32Array(weights.length);
  const sizes = new Map<number, number>();
  const lines: string[] = [];
  for (let x = minX; x <= maxX; x++) {
    const input = poolId === undefined || poolId === -1 ? x : hash32x2(x, poolId);
    const result = mapper.doRule(rule, input, size, weights);
    if (mappings) lines.push(`CRUSH rule ${rule} x ${x} [${result.join(',')}]\n`);
    if (badMappings && (result.length !== size || result.includes(CRUSH_ITEM_NONE))) {
      lines.push(`bad mapping rule ${rule} x ${x} num_rep ${size} result [${result.join(',')}]\n`);
    }
    for (const device of result) if (device >= 0 && device < stored.length) stored[device]! += 1;
    sizes.set(result.length, (sizes.get(result.length) ?? 0) + 1);
  }
  return { stored, sizes, lines };
}

function utilization(
  stored: Uint32Array,
  expected: number,
  weights: Uint32Array,
  totalWeight: number,
  request: Request,
): string[] {
  if (!request.utilization && !request.utilizationAll) return [];
  return Array.from(stored).flatMap((count, device) => {
    // In single precision, as there.
    const share = Math.fround(weights[device]! / Math.fround(totalWeight));
    const due = Math.fround(share * Math.fround(expected));
    if (request.utilization && (due <= 0 || count === 0)) return [];
    return [`  device ${device}:\t\t stored : ${count}\t expected : ${sixDigits(due)}\n`];
  });
}

/** As C++ streams print a float. */
function sixDigits(value: number): string {
  const text = value.toPrecision(6);
  const [digits = '', exponent] = text.split('e');
  const trimmed = digits.includes('.') ? digits.replace(/\.?0+$/, '') : digits;
  return exponent === undefined ? trimmed : `${trimmed}e${exponent.replace(/^([+-])(\d)$/, '$10$2')}`;
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
