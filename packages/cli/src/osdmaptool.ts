/** `spirula osdmaptool`: prints OSDMaps and maps their PGs, as Ceph's tool of that name (src/tools/osdmaptool.cc). */
import { BucketAlg, CRUSH_ITEM_NONE, type CrushMap } from '@spirula/crush';
import { type Bytes, formatFloat, formatPgId, MalformedInput, type OsdId, type PoolId } from '@spirula/encoding';
import { decodeOsdMap, mapPg, mapPgRaw, type OsdMap, osdIn, printOsdMap } from '@spirula/maps';

/** What the tool reads and writes. `readFile` throws Node's errors. */
export interface ToolIo {
  stdout(text: string): void;
  stderr(text: string): void;
  readFile(path: string): Uint8Array;
}

/** How much is said of each PG: nothing, its acting set, or every stage of its mapping. */
type PgDetail = 'none' | 'acting' | 'all';

interface Request {
  path: string | undefined;
  print: boolean;
  /** -1: all. */
  pool: PoolId;
  testMapPgs: PgDetail | undefined;
}

/** Ends the tool with a message for stderr. */
class Refusal extends Error {
  readonly status: number;

  constructor(message: string, status: number) {
    super(message);
    this.status = status;
  }
}

const ALL_POOLS = -1;
/** 1 in 16.16. */
const ONE = 0x10000;
/** As Ceph's `exit(-1)`. */
const UNREADABLE = 255;

const USAGE = `usage: osdmaptool <mapfilename> [--print] [--test-map-pgs-dump-all [--pool <poolid>]]
   --print                                      print the map
   --test-map-pgs [--pool <poolid>]             map all PGs and count them per OSD
   --test-map-pgs-dump [--pool <poolid>]        the same, and print the acting set of each
   --test-map-pgs-dump-all [--pool <poolid>]    the same, and print the raw, up and acting set of each
`;

/** Runs the tool and returns its exit status. Its output is, to the byte, that of Ceph 16.2.15. */
export function osdmaptool(argv: readonly string[], io: ToolIo): number {
  try {
    const request = parseArguments(argv);
    if (request === 'help') {
      io.stdout(USAGE);
      return 0;
    }
    runRequest(request, io);
    return 0;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    io.stderr(`${error.message}\n`);
    return error.status;
  }
}

function parseArguments(argv: readonly string[]): Request | 'help' {
  const request: Request = { path: undefined, print: false, pool: ALL_POOLS, testMapPgs: undefined };
  for (let i = 0; i < argv.length; i++) {
    const [word = '', inlineValue] = argv[i]!.startsWith('--') ? splitOption(argv[i]!) : [argv[i]];
    if (word === '-h' || word === '--help') return 'help';
    if (word === '-p' || word === '--print') request.print = true;
    else if (word === '--test-map-pgs') request.testMapPgs ??= 'none';
    else if (word === '--test-map-pgs-dump') request.testMapPgs = 'acting';
    else if (word === '--test-map-pgs-dump-all') {
      if (request.testMapPgs !== 'acting') request.testMapPgs = 'all';
    } else if (word === '--pool') {
      const value = inlineValue ?? argv[++i];
      if (value === undefined) throw new Refusal('Option --pool requires an argument.\n', 1);
      if (!/^-?\d+$/.test(value)) throw new Refusal(`The option value '${value}' is invalid`, 1);
      request.pool = Number(value);
    } else if (word.startsWith('-') || request.path !== undefined) {
      throw new Refusal(`osdmaptool: too many arguments\n${USAGE}`, 1);
    } else request.path = word;
  }
  if (request.path === undefined) throw new Refusal(`osdmaptool: must specify osdmap filename\n${USAGE}`, 1);
  return request;
}

/** `--name=value`; Ceph takes underscores for dashes. */
function splitOption(argument: string): [name: string, value: string | undefined] {
  const at = argument.indexOf('=');
  const name = at < 0 ? argument : argument.slice(0, at);
  return [name.replaceAll('_', '-'), at < 0 ? undefined : argument.slice(at + 1)];
}

function runRequest(request: Request, io: ToolIo): void {
  const path = request.path!;
  io.stderr(`osdmaptool: osdmap file '${path}'\n`);
  const map = decode(path, readMap(path, io));
  if (request.testMapPgs !== undefined) testMapPgs(map, request.pool, request.testMapPgs, io);
  if (request.print) io.stdout(printOsdMap(map));
  if (!request.print && request.testMapPgs === undefined) {
    throw new Refusal(`osdmaptool: no action specified?\n${USAGE}`, 1);
  }
}

function readMap(path: string, io: ToolIo): Bytes {
  try {
    return io.readFile(path);
  } catch (error) {
    const { errno = 0, message } = error as { errno?: number; message: string };
    // Node says `ENOENT: no such file or directory, open '…'`.
    const words = /: (.+?),/.exec(message)?.[1] ?? message;
    const reason = `(${-errno}) ${words.charAt(0).toUpperCase()}${words.slice(1)}`;
    throw new Refusal(`osdmaptool: couldn't open ${path}: can't open ${path}: ${reason}`, UNREADABLE);
  }
}

function decode(path: string, bytes: Bytes): OsdMap {
  try {
    return decodeOsdMap(bytes);
  } catch (error) {
    if (!(error instanceof MalformedInput)) throw error;
    throw new Refusal(`osdmaptool: error decoding osdmap '${path}': ${error.message}`, UNREADABLE);
  }
}

/** PGs per OSD. */
interface PgCounts {
  readonly all: number[];
  readonly first: number[];
  readonly primary: number[];
  /** By size of the acting set. */
  readonly bySize: number[];
}

function testMapPgs(map: OsdMap, only: PoolId, detail: PgDetail, io: ToolIo): void {
  if (only !== ALL_POOLS && !map.pools.has(only)) throw new Refusal(`There is no pool ${only}`, 1);
  const zeros = () => new Array<number>(map.maxOsd).fill(0);
  const counts: PgCounts = { all: zeros(), first: zeros(), primary: zeros(), bySize: [] };
  for (const [id, pool] of [...map.pools].sort(([a], [b]) => a - b)) {
    if (only !== ALL_POOLS && id !== only) continue;
    const lines = [`pool ${id} pg_num ${pool.pgNum}`];
    for (let seed = 0; seed < pool.pgNum; seed++) {
      const pg = { pool: id, seed };
      const { up, upPrimary, acting, actingPrimary } = mapPg(map, pg);
      count(counts, acting, actingPrimary);
      if (detail === 'acting') lines.push(`${formatPgId(pg)}\t[${acting}]\t${actingPrimary}`);
      if (detail === 'all') {
        const raw = mapPgRaw(map, pg);
        const rawPrimary = raw.find((osd) => osd !== CRUSH_ITEM_NONE) ?? -1;
        lines.push(
          `${formatPgId(pg)} raw ([${raw}], p${rawPrimary}) up ([${up}], p${upPrimary}) acting ([${acting}], p${actingPrimary})`,
        );
      }
    }
    io.stdout(`${lines.join('\n')}\n`);
  }
  io.stdout(`${formatCounts(map, counts).join('\n')}\n`);
}

function count(counts: PgCounts, acting: readonly OsdId[], primary: OsdId): void {
  counts.bySize[acting.length] = (counts.bySize[acting.length] ?? 0) + 1;
  const bump = (of: number[], osd: OsdId | undefined) => {
    if (osd !== undefined && osd in of) of[osd]! += 1;
  };
  for (const osd of acting) bump(counts.all, osd);
  bump(counts.first, acting[0]);
  bump(counts.primary, primary);
}

/** The table of OSDs that are in and weigh something, and how evenly the PGs lie on them. */
function formatCounts(map: OsdMap, counts: PgCounts): string[] {
  const weights = deviceWeights(map.crush);
  const osds = Array.from({ length: map.maxOsd }, (_, osd) => osd).filter(
    (osd) => osdIn(map, osd) && (weights.get(osd) ?? 0) > 0,
  );
  const rows = osds.map((osd) =>
    [
      `osd.${osd}`,
      counts.all[osd]!,
      counts.first[osd]!,
      counts.primary[osd]!,
      formatFloat(Math.fround(weights.get(osd)! / ONE)),
      formatFloat(map.osdWeight[osd]! / ONE),
    ].join('\t'),
  );
  const held = osds.map((osd) => counts.all[osd]!);
  const total = held.reduce((sum, n) => sum + n, 0);
  const average = osds.length === 0 ? 0 : Math.floor(total / osds.length);
  const deviation = Math.sqrt(held.reduce((sum, n) => sum + (average - n) ** 2, 0) / osds.length);
  const expected = Math.sqrt((total / osds.length) * (1 - 1 / osds.length));
  const busy = osds.filter((osd) => counts.all[osd]! > 0);
  const extreme = (name: string, isMore: (a: number, b: number) => boolean) => {
    if (busy.length === 0) return [];
    const found = busy.reduce((best, osd) => (isMore(counts.all[osd]!, counts.all[best]!) ? osd : best));
    return [` ${name} osd.${found} ${counts.all[found]}`];
  };
  const spread = `${ratio(deviation)} (${ratio(deviation / average)}x)`;
  return [
    '#osd\tcount\tfirst\tprimary\tc wt\twt',
    ...rows,
    ` in ${osds.length}`,
    // The parenthesis too many is Ceph's.
    ` avg ${average} stddev ${spread} (expected ${ratio(expected)} ${ratio(expected / average)}x))`,
    ...extreme('min', (a, b) => a < b),
    ...extreme('max', (a, b) => a > b),
    ...counts.bySize.flatMap((n, size) => (n > 0 ? [`size ${size}\t${n}`] : [])),
  ];
}

/** With no OSD or no PG, ratios are what x86 makes of a division by zero. */
function ratio(value: number): string {
  if (Number.isNaN(value)) return '-nan';
  return Number.isFinite(value) ? formatFloat(value) : 'inf';
}

/** CRUSH weights of devices, each from the first bucket that holds it (CrushWrapper::get_item_weight). */
function deviceWeights(crush: CrushMap): Map<OsdId, number> {
  const weights = new Map<OsdId, number>();
  for (const bucket of crush.buckets) {
    bucket?.items.forEach((item, i) => {
      if (item < 0 || weights.has(item)) return;
      weights.set(item, bucket.itemWeights[bucket.alg === BucketAlg.uniform ? 0 : i]!);
    });
  }
  return weights;
}
