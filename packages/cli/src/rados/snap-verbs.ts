/** Verbs on snapshots of pools and on what objects were in them. */
import { rawFromText } from '@spirula/encoding';
import type { ObjectClone, PoolSnapshots, Snapshot } from '@spirula/rados';
import { RadosError } from '@spirula/rados';
import { describeErrno } from '../ceph/errno-text.ts';
import { formatJson, orRefuse, Refusal, requireIo, type Verb, type VerbContext, wantsJson } from './context.ts';

export const snapVerbs: Readonly<Record<string, Verb>> = {
  lssnap: { run: lssnap, least: 0 },
  mksnap: { run: mksnap, least: 1 },
  rmsnap: { run: rmsnap, least: 1 },
  rollback: { run: rollback, least: 2 },
  listsnaps: { run: listsnaps, least: 1 },
};

function snapshotsOf(context: VerbContext): PoolSnapshots {
  return context.rados.snapshots(requireIo(context).pool);
}

/** The snapshot that `--snap` or `--snapid` names: reads are of it, and say so. */
export function selectSnap({ env, options, pool }: VerbContext, snapshots: PoolSnapshots): Snapshot | undefined {
  const name = options.get('snap');
  const id = options.get('snapid');
  if (name === undefined && id === undefined) return undefined;
  const found = snapshots.list().find((snap) => (name === undefined ? String(snap.id) === id : snap.name === name));
  if (!found && name !== undefined) throw new Refusal(`error looking up snap '${name}': ${describeErrno(-2)}`);
  if (!found) throw new Refusal(`snapid ${id} doesn't exist in pool ${pool}`);
  env.stdout(`selected snap ${found.id} '${found.name}'\n`);
  return found;
}

async function lssnap(context: VerbContext): Promise<void> {
  const snaps = snapshotsOf(context).list();
  for (const { id, name, stamp } of snaps) context.env.stdout(`${id}\t${name}\t${formatTime(stamp.sec)}\n`);
  context.env.stdout(`${snaps.length} snaps\n`);
}

/** In the time zone of whoever reads it: `2026.11.29 22:52:36`. */
function formatTime(seconds: number): string {
  const at = new Date(seconds * 1000);
  const two = (part: number) => String(part).padStart(2, '0');
  const date = [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())].join('.');
  return `${date} ${[at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(':')}`;
}

async function mksnap(context: VerbContext): Promise<void> {
  const { env, pool, args } = context;
  const snapshots = snapshotsOf(context);
  if (snapshots.isSelfManaged) {
    throw new Refusal(`can't create snapshot: pool ${pool} is in selfmanaged snaps mode`);
  }
  await orRefuse(`error creating pool ${pool} snapshot ${args[0]}`, snapshots.create(args[0]!));
  env.stdout(`created pool ${pool} snap ${args[0]}\n`);
}

async function rmsnap(context: VerbContext): Promise<void> {
  const { env, pool, args } = context;
  await orRefuse(`error removing pool ${pool} snapshot ${args[0]}`, snapshotsOf(context).remove(args[0]!));
  env.stdout(`removed pool ${pool} snap ${args[0]}\n`);
}

async function rollback(context: VerbContext): Promise<void> {
  const { env, pool, args } = context;
  const [name = '', snap = ''] = args;
  try {
    const { id } = snapshotsOf(context).lookUp(snap);
    await requireIo(context).rollback(rawFromText(name), id);
  } catch (error) {
    // As Ceph's tool words it.
    if (error instanceof RadosError) {
      throw new Refusal(`error rolling back pool ${pool} to snapshot ${name}${describeErrno(error.code)}`);
    }
    throw error;
  }
  env.stdout(`rolled back pool ${pool} to snapshot ${snap}\n`);
}

async function listsnaps(context: VerbContext): Promise<void> {
  const { env, options, pool, args } = context;
  const [name = ''] = args;
  const complaint = `error listing snap shots ${pool}/${name}`;
  const clones = await orRefuse(complaint, requireIo(context).listSnaps(rawFromText(name)));
  if (wantsJson(options)) {
    const names = new Map(
      snapshotsOf(context)
        .list()
        .map((snap) => [snap.id, snap.name]),
    );
    env.stdout(formatJson(options, { name, clones: clones.map((clone) => dumpClone(clone, names)) }));
    return;
  }
  env.stdout(`${name}:\ncloneid\tsnaps\tsize\toverlap\n${clones.map(cloneLine).join('')}\n`);
}

/** The line of the object itself has no end: whatever is last, an empty one follows. */
function cloneLine({ id, snaps, size, overlap }: ObjectClone): string {
  const line = `${id}\t${snaps.length === 0 ? '-' : snaps.join(',')}\t${size}`;
  if (id === 'head') return line;
  return `${line}\t[${overlap.map(({ offset, length }) => `${offset}~${length}`).join(',')}]\n`;
}

function dumpClone({ id, snaps, size, overlap }: ObjectClone, names: ReadonlyMap<bigint, string>): object {
  const snapshots = snaps.map((snap) => {
    const name = names.get(snap);
    return { id: Number(snap), ...(name !== undefined && { name }) };
  });
  if (id === 'head') return { id, snapshots, size };
  const overlaps = overlap.map(({ offset, length }) => ({ start: offset, length }));
  return { id: Number(id), snapshots, size, overlaps };
}
