/**
 * What is a clone of an image or of one of its snapshots (librbd/api/Image.cc, list_descendants). Clones of format 1 stand in the
 * object `rbd_children` of their pool, those of format 2 in the header of the image.
 */
import { decodeRbdChildren } from '@spirula/cls';
import { Errno, type PoolId, type RawString } from '@spirula/encoding';
import { type IoCtx, type Rados, RadosError } from '@spirula/rados';
import { askIfThere, classCall } from './class-calls.ts';
import { type ImageHeader, readHeader } from './image-header.ts';
import { listImages } from './images.ts';
import { CHILDREN, headerObject } from './names.ts';
import { listTrash } from './trash-list.ts';

export interface ImageChild {
  readonly pool: PoolId;
  readonly poolName: string;
  readonly namespace: RawString;
  readonly name: RawString;
  readonly id: RawString;
  readonly isInTrash: boolean;
}

type Child = Pick<ImageChild, 'pool' | 'namespace' | 'id'>;

export interface ChildQuery {
  /** Of one; left out: of all. */
  readonly snapId?: bigint;
  /** Clones of clones, too. */
  readonly isDeep?: boolean;
}

/** By pool, namespace and name. @throws RadosError ENOENT: one has no name, in its pool or in the trash of it */
export async function listChildren(
  rados: Rados,
  io: IoCtx,
  header: ImageHeader,
  { snapId, isDeep = false }: ChildQuery = {},
): Promise<readonly ImageChild[]> {
  const found: Child[] = [];
  const ids = snapId === undefined ? header.snapshots.map(({ id }) => id) : [snapId];
  for (const id of ids) await collect(rados, io, header.id, id, isDeep, found);
  return await nameChildren(rados, found);
}

async function collect(
  rados: Rados,
  io: IoCtx,
  imageId: RawString,
  snapId: bigint,
  isDeep: boolean,
  found: Child[],
): Promise<void> {
  const children = [...(await oldChildren(rados, io, imageId, snapId)), ...(await newChildren(io, imageId, snapId))];
  for (const child of children) {
    found.push(child);
    if (isDeep) await collectOf(rados, child, found);
  }
}

/** One that is being removed may be without its header. */
async function collectOf(rados: Rados, child: Child, found: Child[]): Promise<void> {
  try {
    const io = (await rados.ioctx(child.pool)).with({ nspace: child.namespace });
    const header = await readHeader(io, child.id);
    for (const { id } of header.snapshots) await collect(rados, io, child.id, id, true, found);
  } catch (error) {
    if (!(error instanceof RadosError && error.code === Errno.ENOENT)) throw error;
  }
}

async function oldChildren(rados: Rados, parent: IoCtx, imageId: RawString, snapId: bigint): Promise<Child[]> {
  const all: Child[] = [];
  const list = classCall(
    'get_children',
    (from) => from.list('children', 4, () => from.rawString('child')),
    (to) => {
      to.u64(parent.pool);
      to.rawString(imageId);
      to.u64big(snapId);
    },
  );
  for (const poolName of rados.poolList()) {
    const io = (await rados.ioctx(poolName)).with({ nspace: parent.nspace });
    const ids = await askIfThere(io, CHILDREN, list);
    for (const id of ids ?? []) all.push({ pool: io.pool, namespace: parent.nspace, id });
  }
  return all;
}

async function newChildren(io: IoCtx, imageId: RawString, snapId: bigint): Promise<Child[]> {
  const list = classCall('children_list', decodeRbdChildren, (to) => to.u64big(snapId));
  const children = await askIfThere(io, headerObject(imageId), list);
  return (children ?? []).map(({ poolId, namespace, imageId: id }) => ({ pool: Number(poolId), namespace, id }));
}

async function nameChildren(rados: Rados, children: readonly Child[]): Promise<readonly ImageChild[]> {
  const named: ImageChild[] = [];
  const places = new Map<string, ReadonlyMap<RawString, Pick<ImageChild, 'name' | 'isInTrash'>>>();
  for (const child of children) {
    const place = `${child.pool}/${child.namespace}`;
    const names =
      places.get(place) ?? (await namesIn((await rados.ioctx(child.pool)).with({ nspace: child.namespace })));
    places.set(place, names);
    const found = names.get(child.id);
    if (!found) throw new RadosError(Errno.ENOENT, `the name of image ${child.id}`);
    named.push({ ...child, ...found, poolName: rados.poolName(child.pool) ?? '' });
  }
  return named.sort(
    (a, b) =>
      compare(a.poolName, b.poolName) ||
      a.pool - b.pool ||
      compare(a.namespace, b.namespace) ||
      compare(a.name, b.name) ||
      compare(a.id, b.id),
  );
}

async function namesIn(io: IoCtx): Promise<ReadonlyMap<RawString, Pick<ImageChild, 'name' | 'isInTrash'>>> {
  const names = new Map<RawString, Pick<ImageChild, 'name' | 'isInTrash'>>();
  for (const { id, name } of await listImages(io)) names.set(id, { name, isInTrash: false });
  for (const { id, name } of await listTrash(io)) names.set(id, { name, isInTrash: true });
  return names;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
