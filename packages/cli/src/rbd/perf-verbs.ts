/** `rbd perf image iostat|iotop` (tools/rbd/action/Perf.cc). */
import { setTimeout as sleep } from 'node:timers/promises';
import { column, formatTable } from '@spirula/formatter';
import { runIotop, type Terminal } from './iotop.ts';
import { show, wantsJson } from './output.ts';
import { formatStat, fullName, type ImageStats, queryStats, STATS, type StatName } from './perf-stats.ts';
import { Refusal } from './refusal.ts';
import { takeOptionalPoolSpec } from './spec.ts';
import { FORMAT_OPTIONS, POOL_OPTIONS, type VerbContext, type VerbDefinition } from './verb.ts';

const EINVAL = 22;
/** mgr_stats_period: nothing new is known sooner. */
const DELAY_MS = 5000;
const MAX_ITERATIONS = 0xffff_ffff;

async function iostat(context: VerbContext): Promise<void> {
  const { env, options, rados } = context;
  const iterations = iterationsOf(options.get('iterations'));
  const sortBy = statOf(options.get('sort_by') ?? 'write-ops');
  const poolSpec = poolSpecOf(context);
  if (wantsJson(options) && iterations > 1 && Number.isFinite(iterations))
    throw new Refusal('rbd: specifing iterations is not valid with formatted output', EINVAL);
  let images = await queryStats(rados, poolSpec, sortBy);
  if (images.length === 0) env.stderr('rbd: waiting for initial image stats\n\n');
  while (images.length === 0) {
    await sleep(DELAY_MS);
    images = await queryStats(rados, poolSpec, sortBy);
  }
  showStats(context, images, poolSpec === '');
  if (wantsJson(options)) return;
  for (let shown = 1; shown < iterations; shown++) {
    await sleep(DELAY_MS);
    showStats(context, await queryStats(rados, poolSpec, sortBy), poolSpec === '');
  }
}

const HEADINGS = ['WR ', 'RD ', 'WR_BYTES ', 'RD_BYTES ', 'WR_LAT ', 'RD_LAT '];

function showStats(context: VerbContext, images: readonly ImageStats[], isGlobal: boolean): void {
  const described = images.map(({ pool, namespace, image, stats }) => ({
    ...{ pool, pool_namespace: namespace, image },
    ...stats,
  }));
  show(context, described, () => {
    const columns = [column('NAME', 'left'), ...HEADINGS.map((heading) => column(heading, 'right', 'right'))];
    const rows = images.map((image) => [
      isGlobal ? fullName(image) : image.image,
      ...STATS.map((stat) => `${formatStat(stat, image.stats[stat])} `),
    ]);
    return `${formatTable(columns, rows)}\n`;
  });
}

/** Infinity: as many as may be. @throws Refusal */
function iterationsOf(text: string | undefined): number {
  if (text === undefined) return Number.POSITIVE_INFINITY;
  // One below zero is taken for a great one, as by 16.2.
  const count = /^[+-]?\d+$/.test(text) ? Math.abs(Number(text)) : 0;
  if (count < 1 || count > MAX_ITERATIONS)
    throw new Refusal("rbd: the argument for option '--iterations' is invalid", 1);
  return count;
}

/** Of `write-ops`. @throws Refusal */
function statOf(text: string): StatName {
  const found = STATS.find((stat) => stat.replace('_', '-') === text);
  if (found === undefined) throw new Refusal("rbd: the argument for option '--sort-by' is invalid", 1);
  return found;
}

/** '': all pools. @throws Refusal */
function poolSpecOf(context: VerbContext): string {
  const { pool, namespace } = takeOptionalPoolSpec(context);
  return namespace === '' ? pool : `${pool}/${namespace}`;
}

async function iotop(context: VerbContext): Promise<void> {
  const { rados } = context;
  const poolSpec = poolSpecOf(context);
  const { terminal, close } = openTerminal(context);
  const query = (sortBy: StatName) => queryStats(rados, poolSpec, sortBy);
  try {
    await runIotop(terminal, poolSpec === '', query, (untilKey) =>
      Promise.race([untilKey, sleep(DELAY_MS, undefined, { ref: false })]),
    );
  } finally {
    close();
  }
}

function openTerminal({ env }: VerbContext): { readonly terminal: Terminal; close(): void } {
  const { stdin, stdout } = process;
  if (stdin.isTTY) stdin.setRawMode(true);
  const terminal: Terminal = {
    get columns() {
      return stdout.columns ?? 80;
    },
    get rows() {
      return stdout.rows ?? 24;
    },
    write: (text) => env.stdout(text),
    onKey: (listener) => stdin.on('data', (data) => listener(String(data))),
  };
  const close = () => {
    if (stdin.isTTY) stdin.setRawMode(false);
    stdin.removeAllListeners('data').pause();
  };
  return { terminal, close };
}

export const perfVerbs: readonly VerbDefinition[] = [
  {
    names: ['perf image iostat'],
    usage: [
      [
        'perf image iostat [POOL[/NAMESPACE]]',
        'operations on images [--iterations N] [--sort-by write-ops|read-ops|…]',
      ],
    ],
    options: {
      ...POOL_OPTIONS,
      ...FORMAT_OPTIONS,
      '--iterations': ['iterations', 'value'],
      '--sort-by': ['sort_by', 'value'],
    },
    maxArgs: 1,
    run: iostat,
  },
  {
    names: ['perf image iotop'],
    usage: [['perf image iotop [POOL[/NAMESPACE]]', 'the same, on a screen; < and > sort, q ends it']],
    options: POOL_OPTIONS,
    maxArgs: 1,
    run: iotop,
  },
];
