/** `spirula crushtool`: tests CRUSH maps offline, as Ceph's tool of that name (src/tools/crushtool.cc, CrushTester.cc). */
import { CRUSH_ITEM_NONE, CrushMapper, type CrushMap, decodeCrushMap, hash32x2 } from '@spirula/crush';
import { MalformedInput } from '@spirula/encoding';
import type { ToolIo } from './osdmaptool.ts';

interface Request {
  input: string | undefined;
  test: boolean;
  mappings: boolean;
  badMappings: boolean;
  statistics: boolean;
  /** Of devices that store something and should; or of all. */
  utilization: 'none' | 'used' | 'all';
  chooseTries: boolean;
  rule: number | undefined;
  minRep: number | undefined;
  maxRep: number | undefined;
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
const USAGE = `usage: crushtool -i <map> --test [--show-mappings] [--show-bad-mappings] [--show-statistics] [--show-utilization]
       [--show-utilization-all] [--show-choose-tries]
   -i, --infn <map>         the map, binary
   --rule <r>               one rule instead of all
   --num-rep <n>            how many replicas; --min-rep and --max-rep give a range
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
    utilization: 'none',
    chooseTries: false,
    rule: undefined,
    minRep: undefined,
    maxRep: undefined,
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
        request.utilization = 'used';
        break;
      case '--show-utilization-all':
        request.utilization = 'all';
        break;
      case '--show-choose-tries':
        request.chooseTries = true;
        break;
      case '--rule':
        request.rule = number(option);
        break;
      case '--num-rep':
        request.minRep = number(option);
        request.maxRep = request.minRep;
        break;
      case '--min-rep':
        request.minRep = number(option);
        break;
      case '--max-rep':
        request.maxRep = number(option);
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
  const weights = new Uint32Array(Math.max(0, map.maxDevices));
  for (const bucket of map.buckets) {
    for (const item of bucket?.items ?? []) if (item >= 0 && item < weights.length) weights[item] = IN;
  }
  for (const [osd, weight] of request.weights) {
    if (osd < weights.length) weights[osd] = Math.min(IN, Math.max(0, Math.trunc(Math.fround(weight) * IN)));
  }
  return weights;
}

function testMap(map: CrushMap, request: Request, io: ToolIo): void {
  const { mappings, badMappings, statistics, utilization, chooseTries } = request;
  if (!mappings && !badMappings && !statistics && utilization === 'none' && !chooseTries) {
    io.stdout('WARNING: no output selected; use --output-csv or --show-X\n');
  }
  const weights = deviceWeights(map, request);
  // The real tool, too, says nothing of a map whose devices all weigh nothing.
  if (!weights.some((weight) => weight > 0)) return;
  const mapper = new CrushMapper(map, CHOOSE_ARGS);
  const histogram = new Uint32Array(map.tunables.chooseTotalTries + 1);
  if (chooseTries) mapper.choiceTries = histogram;
  map.rules.forEach((rule, ruleNo) => {
    if (request.rule !== undefined && request.rule !== ruleNo) return;
    if (rule === undefined) return;
    const minRep = request.minRep ?? rule.minSize;
    const maxRep = request.maxRep ?? rule.maxSize;
    const name = map.ruleNames.get(ruleNo) ?? '';
    if (statistics)
      io.stdout(`rule ${ruleNo} (${name}), x = ${request.minX}..${request.maxX}, numrep = ${minRep}..${maxRep}\n`);
    for (let size = minRep; size <= maxRep; size++) testRule(mapper, ruleNo, name, size, weights, request, io);
  });
  if (chooseTries) {
    const last = histogram.findLastIndex((count) => count > 0);
    const shown = Array.from(histogram.subarray(0, Math.max(last + 1, map.tunables.chooseTotalTries)));
    io.stdout(shown.map((count, tries) => `${String(tries).padStart(2)}: ${String(count).padStart(9)}\n`).join(''));
  }
}

function testRule(
  mapper: CrushMapper,
  rule: number,
  name: string,
  size: number,
  weights: Uint32Array,
  request: Request,
  io: ToolIo,
): void {
  const sizes = new Map<number, number>();
  const lines: string[] = [];
  for (let x = request.minX; x <= request.maxX; x++) {
    const input = request.poolId === undefined || request.poolId === -1 ? x : hash32x2(x, request.poolId);
    const result = mapper.doRule(rule, input, size, weights);
    if (request.mappings) lines.push(`CRUSH rule ${rule} x ${x} [${result.join(',')}]\n`);
    const bad = result.length !== size || result.includes(CRUSH_ITEM_NONE);
    if (bad && request.badMappings)
      lines.push(`bad mapping rule ${rule} x ${x} num_rep ${size} result [${result.join(',')}]\n`);
    sizes.set(result.length, (sizes.get(result.length) ?? 0) + 1);
  }
  io.stdout(lines.join(''));
  if (!request.statistics) return;
  const all = request.maxX - request.minX + 1;
  for (const [length, count] of [...sizes].sort(([a], [b]) => a - b)) {
    io.stdout(`rule ${rule} (${name}) num_rep ${size} result size == ${length}:\t${count}/${all}\n`);
  }
}
