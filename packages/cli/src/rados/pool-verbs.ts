import { textFromRaw } from '@spirula/encoding';
import { column, formatBytes, formatTable } from '@spirula/formatter';
import type { PoolStat } from '@spirula/messages';
import { ALL_NAMESPACES } from '@spirula/rados';
import { formatJson, orRefuse, requireIo, type VerbContext, wantsJson } from './context.ts';

const KIB = 1024;

export async function lspools({ env, rados }: VerbContext): Promise<void> {
  for (const name of rados.poolList()) env.stdout(`${name}\n`);
}

export async function ls(context: VerbContext): Promise<void> {
  const { env, options } = context;
  const all = options.has('all');
  const io = all ? requireIo(context).with({ nspace: ALL_NAMESPACES }) : requireIo(context);
  const objects: { namespace: string; name: string; locator?: string }[] = [];
  for await (const { nspace, oid, key } of io.listObjects()) {
    const [namespace, name, locator] = [nspace, oid, key].map(textFromRaw) as [string, string, string];
    if (wantsJson(options)) objects.push({ namespace, name, ...(locator !== '' && { locator }) });
    else env.stdout(`${all ? `${namespace}\t` : ''}${name}${locator === '' ? '' : `\t${locator}`}\n`);
  }
  if (wantsJson(options)) env.stdout(formatJson(options, objects));
}

interface PoolLine {
  readonly name: string;
  readonly id: number;
  readonly stat: PoolStat;
  /** Bytes. */
  readonly used: number;
}

export async function df(context: VerbContext): Promise<void> {
  const { env, options, pool, rados } = context;
  const names = pool === '' ? rados.poolList() : [pool];
  const { stats, perPool } = await orRefuse('error fetching pool stats', rados.poolStats(names));
  const total = await orRefuse('error getting total cluster usage', rados.clusterStats());
  const ids = new Map([...(rados.osdMap?.poolNames ?? [])].map(([id, name]) => [name, id]));
  const lines: PoolLine[] = [];
  for (const name of names) {
    const stat = stats.get(name);
    if (!stat) continue;
    const used = (perPool ? stat.allocated : stat.sum.bytes) + stat.sum.omapBytes;
    lines.push({ name, id: ids.get(name) ?? -1, stat, used });
  }
  if (wantsJson(options)) {
    env.stdout(
      formatJson(options, {
        pools: lines.map(dumpPool),
        total_objects: total.objects,
        total_used: total.kbUsed,
        total_avail: total.kbAvail,
        total_space: total.kb,
      }),
    );
    return;
  }
  const headings = [
    ...['USED', 'OBJECTS', 'CLONES', 'COPIES', 'MISSING_ON_PRIMARY', 'UNFOUND', 'DEGRADED', 'RD_OPS', 'RD', 'WR_OPS'],
    ...['WR', 'USED COMPR', 'UNDER COMPR'],
  ];
  const columns = [column('POOL_NAME', 'left'), ...headings.map((heading) => column(heading, 'right', 'right'))];
  env.stdout(`${formatTable(columns, lines.map(poolCells))}\n`);
  env.stdout(
    `total_objects    ${total.objects}\n` +
      `total_used       ${formatBytes(total.kbUsed * KIB)}\n` +
      `total_avail      ${formatBytes(total.kbAvail * KIB)}\n` +
      `total_space      ${formatBytes(total.kb * KIB)}\n`,
  );
}

function poolCells({ name, used, stat: { sum } }: PoolLine): (string | number)[] {
  return [
    name,
    formatBytes(used),
    sum.objects,
    sum.objectClones,
    sum.objectCopies,
    sum.objectsMissingOnPrimary,
    sum.objectsUnfound,
    sum.objectsDegraded,
    sum.reads,
    formatBytes(sum.readBytes),
    sum.writes,
    formatBytes(sum.writeBytes),
    formatBytes(0),
    formatBytes(0),
  ];
}

function dumpPool({ name, id, used, stat: { sum } }: PoolLine): object {
  return {
    name,
    id,
    size_bytes: used,
    size_kb: Math.ceil(used / KIB),
    num_objects: sum.objects,
    num_object_clones: sum.objectClones,
    num_object_copies: sum.objectCopies,
    num_objects_missing_on_primary: sum.objectsMissingOnPrimary,
    num_objects_unfound: sum.objectsUnfound,
    num_objects_degraded: sum.objectsDegraded,
    read_ops: sum.reads,
    read_bytes: sum.readBytes,
    write_ops: sum.writes,
    write_bytes: sum.writeBytes,
    compress_bytes_used: 0,
    compress_under_bytes: 0,
  };
}
