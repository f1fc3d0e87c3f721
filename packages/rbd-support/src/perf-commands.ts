/** `rbd perf image stats|counters` (PerfHandler.get_perf_data). */
import { Errno } from '@spirula/encoding';
import type { OsdPerfCounters } from '@spirula/messages';
import { type Asker, type CommandArgs, type CommandOutcome, type ModuleCommand, succeed } from '@spirula/mgr';
import { answer, type CommandScene, mayReach } from './command-scene.ts';
import type { ImagePerf, PerfScope, ToldImage } from './image-perf.ts';
import type { ImagePools } from './image-pools.ts';
import { dumps, Float, type Json } from './python-json.ts';
import { invalid, Refusal } from './refusal.ts';

interface PerfScene extends CommandScene {
  readonly perf: ImagePerf;
  /** Seconds since 1970. */
  now(): number;
}

/** In the order in which they are told. */
const COUNTERS: ReadonlyMap<string, keyof OsdPerfCounters> = new Map([
  ['write_ops', 'writeOps'],
  ['read_ops', 'readOps'],
  ['write_bytes', 'writeBytes'],
  ['read_bytes', 'readBytes'],
  ['write_latency', 'writeLatency'],
  ['read_latency', 'readLatency'],
]);
const SORT = '[sort_by:write_ops|write_bytes|write_latency|read_ops|read_bytes|read_latency]';

export function perfCommands(scene: PerfScene): readonly ModuleCommand[] {
  const command = answer(scene);
  return [
    command(`r rbd perf image stats [pool_spec] ${SORT}`, 'operations on images in a second, now', (args, asker) =>
      tell(scene, args, asker, 'stats'),
    ),
    command(
      `r rbd perf image counters [pool_spec] ${SORT}`,
      'operations on images since they are counted',
      (args, asker) => tell(scene, args, asker, 'counters'),
    ),
  ];
}

async function tell(
  { perf, pools, now }: PerfScene,
  args: CommandArgs,
  asker: Asker,
  what: 'stats' | 'counters',
): Promise<CommandOutcome> {
  const scope = scopeOf(pools, asker, args['pool_spec'] === undefined ? '' : String(args['pool_spec']));
  const sortBy = args['sort_by'] === undefined ? 'write_ops' : String(args['sort_by']);
  const counter = COUNTERS.get(sortBy);
  if (counter === undefined) throw invalid(`'${sortBy}' is not in list`);
  const images = await perf.ask(scope, counter, what);
  const number = (value: number): Json => (what === 'stats' ? new Float(value) : value);
  const places = [...new Set(images.map(({ place }) => place))];
  const report = {
    timestamp: new Float(now()),
    [what === 'stats' ? 'stat_descriptors' : 'counter_descriptors']: [...COUNTERS.keys()],
    pool_descriptors: Object.fromEntries(places.map((place, i) => [String(i), place])),
    [what]: images.filter(isActive).map((image) => describe(image, places, number)),
  };
  return succeed(`${dumps(report)}\n`);
}

/** Of others their pools alone are told, as by 16.2. */
function isActive({ perf }: ToldImage): boolean {
  return Object.values(perf).some((value) => value !== 0);
}

function describe({ place, name, perf }: ToldImage, places: readonly string[], number: (value: number) => Json): Json {
  const values = [...COUNTERS.values()].map((counter) => number(perf[counter]));
  return { [`${places.indexOf(place)}/${name}`]: values };
}

/** `[POOL[/NAMESPACE]]` (extract_pool_key). @throws Refusal */
function scopeOf(pools: ImagePools, asker: Asker, spec: string): PerfScope {
  const match = spec === '' ? undefined : /^([^/]+)(?:\/([^/]+))?$/.exec(spec);
  if (match === null) throw invalid(`Invalid pool spec: ${spec}`);
  const [pool, namespace] = match ? [match[1]!, match[2] ?? ''] : [undefined, undefined];
  if (!mayReach(asker, pool ?? '', namespace ?? '')) {
    const [shownPool, shownNamespace] = [pool ?? 'None', namespace ?? 'None'];
    throw new Refusal(Errno.EACCES, `not authorized on pool=${shownPool}, namespace=${shownNamespace}`);
  }
  if (pool === undefined) return undefined;
  const id = pools.idOf(pool);
  if (id === undefined) {
    throw new Refusal(Errno.ENOENT, `[errno 2] RADOS object not found (Pool '${pool}' not found)`);
  }
  return { pool: id, poolName: pool, namespace: namespace ?? '' };
}
