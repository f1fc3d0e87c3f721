/** `rbd children` (tools/rbd/action/Children.cc). */
import { Errno, rawFromText, textFromRaw } from '@spirula/encoding';
import { type Image, type ImageChild, isUserSnapshot, listChildren } from '@spirula/rbd';
import { openImage, openPool, orRefuse } from './context.ts';
import { show } from './output.ts';
import { Refusal } from './refusal.ts';
import { parseCount } from './size.ts';
import { takeImageSpec } from './spec.ts';
import { FORMAT_OPTIONS, SNAPSHOT_OPTIONS, type VerbContext, type VerbDefinition } from './verb.ts';

const EINVAL = 22;

async function children(context: VerbContext): Promise<void> {
  const { options, rados } = context;
  const asked = options.get('snap_id');
  const snapId = asked === undefined ? undefined : parseCount(asked, 'snap-id');
  const spec = takeImageSpec(context);
  if (snapId !== undefined && spec.snapshot !== '') {
    throw new Refusal('rbd: trying to access snapshot using both name and id.', EINVAL);
  }
  const io = await openPool(context, spec);
  const image = await openImage(context, { ...spec, snapshot: '' }, io);
  const isAll = options.has('all');
  const query = { ...snapshotOf(image, spec.snapshot, snapId), isDeep: options.has('descendants') };
  const found = await orRefuse('rbd: listing children failed', listChildren(rados, io, image.header, query));
  const shown = found.filter((child) => isAll || !child.isInTrash);
  show(
    context,
    shown.map((child) => dump(child, isAll)),
    () => shown.map((child) => `${describe(child)}\n`).join(''),
  );
}

function snapshotOf({ header }: Image, name: string, snapId: bigint | undefined): { snapId?: bigint } {
  if (name === '' && snapId === undefined) return {};
  const raw = rawFromText(name);
  const found = header.snapshots.find((each) =>
    snapId === undefined ? isUserSnapshot(each) && each.name === raw : each.id === snapId,
  );
  if (!found) throw new Refusal('rbd: snapshot does not exist.', -Errno.ENOENT);
  return { snapId: found.id };
}

function dump({ poolName, namespace, name, id, isInTrash }: ImageChild, isAll: boolean): object {
  return {
    pool: poolName,
    pool_namespace: textFromRaw(namespace),
    image: textFromRaw(name),
    ...(isAll && { id: textFromRaw(id), trash: isInTrash }),
  };
}

function describe({ poolName, namespace, name, id, isInTrash }: ImageChild): string {
  const place = namespace === '' ? poolName : `${poolName}/${textFromRaw(namespace)}`;
  return `${place}/${textFromRaw(name)}${isInTrash ? ` (trash ${textFromRaw(id)})` : ''}`;
}

export const childrenVerbs: readonly VerbDefinition[] = [
  {
    names: ['children'],
    usage: [
      ['children IMAGE[@SNAPSHOT]', 'its clones; --all: in the trash, too; --descendants: clones of clones, too'],
    ],
    options: {
      ...SNAPSHOT_OPTIONS,
      ...FORMAT_OPTIONS,
      '--snap-id': ['snap_id', 'value'],
      '-a': ['all', 'flag'],
      '--all': ['all', 'flag'],
      '--descendants': ['descendants', 'flag'],
    },
    maxArgs: 1,
    run: children,
  },
];
