/** What the manager tells of operations on images (tools/rbd/action/Perf.cc, query_iostats, format_stat). */
import { Errno } from '@spirula/encoding';
import { formatBytes, formatCount, formatFixed } from '@spirula/formatter';
import type { Rados } from '@spirula/rados';
import { describeErrno } from '../ceph/errno-text.ts';
import { Refusal } from './refusal.ts';

/** In the order in which they are shown. */
export const STATS = ['write_ops', 'read_ops', 'write_bytes', 'read_bytes', 'write_latency', 'read_latency'] as const;

export type StatName = (typeof STATS)[number];

export interface ImageStats {
  readonly pool: string;
  readonly namespace: string;
  readonly image: string;
  /** In a second; latencies in nanoseconds. */
  readonly stats: Readonly<Record<StatName, number>>;
}

interface Report {
  readonly stat_descriptors: readonly string[];
  /** By number: `POOL`, `POOL/NAMESPACE`. */
  readonly pool_descriptors: Readonly<Record<string, string>>;
  /** Of `NUMBER/IMAGE`. */
  readonly stats: readonly Readonly<Record<string, readonly number[]>>[];
}

const NOT_ENABLED =
  "rbd: 'rbd_support' mgr module is not enabled.\n\nUse 'ceph mgr module enable rbd_support' to enable.";

/** Those first that do most of `sortBy`. @param poolSpec '': all pools @throws Refusal */
export async function queryStats(rados: Rados, poolSpec: string, sortBy: StatName): Promise<readonly ImageStats[]> {
  const line = { prefix: 'rbd perf image stats', pool_spec: poolSpec, sort_by: sortBy, format: 'json' };
  const { code, status, data } = await rados.mgrCommand(line);
  if (code === Errno.EOPNOTSUPP) throw new Refusal(NOT_ENABLED, -code);
  if (code < 0) {
    const why = status === '' ? '' : `: ${status}`;
    throw new Refusal(`rbd: mgr command failed: ${describeErrno(code)}${why}`, -code);
  }
  const report = JSON.parse(new TextDecoder().decode(data)) as Report;
  return report.stats.flatMap((image) => Object.entries(image).map(([name, values]) => imageOf(report, name, values)));
}

function imageOf(report: Report, name: string, values: readonly number[]): ImageStats {
  const slash = name.indexOf('/');
  const [pool = '', namespace = ''] = (report.pool_descriptors[name.slice(0, slash)] ?? '').split('/');
  const named = (stat: StatName) => [stat, values[report.stat_descriptors.indexOf(stat)] ?? 0] as const;
  const stats = Object.fromEntries(STATS.map(named)) as Record<StatName, number>;
  return { pool, namespace, image: name.slice(slash + 1), stats };
}

export function formatStat(stat: StatName, value: number): string {
  if (stat.endsWith('_ops')) return `${formatCount(value)}/s`;
  if (stat.endsWith('_bytes')) return `${formatBytes(value)}/s`;
  for (const [unit, nanoseconds] of TIME_UNITS)
    if (value >= nanoseconds) return `${formatFixed(value / nanoseconds, 2)} ${unit}`;
  return `${formatFixed(value, 2)} ns`;
}

const TIME_UNITS = [
  ['s', 1e9],
  ['ms', 1e6],
  ['us', 1e3],
] as const;

/** `POOL/[NAMESPACE/]IMAGE` */
export function fullName({ pool, namespace, image }: ImageStats): string {
  return [pool, namespace, image].filter((part) => part !== '').join('/');
}
