/** Verbs of groups of images (tools/rbd/action/Group.cc). */
import { Errno, rawFromText, textFromRaw } from '@spirula/encoding';
import { column, formatTable } from '@spirula/formatter';
import { type IoCtx, RadosError } from '@spirula/rados';
import {
  addToGroup,
  createGroup,
  createGroupSnapshot,
  type GroupScene,
  GroupSnapshotState,
  LinkState,
  listGroupImages,
  listGroupSnapshots,
  listGroups,
  removeFromGroup,
  removeGroup,
  removeGroupSnapshot,
  removeGroupSnapshots,
  removeIdFromGroup,
  renameGroup,
  renameGroupSnapshot,
  rollBackGroup,
} from '@spirula/rbd';
import type { OptionTable } from '../ceph/global-options.ts';
import { openPool, orRefuse, orSilent, refuseWith } from './context.ts';
import { imageWorld } from './image-world.ts';
import { show } from './output.ts';
import { withProgress } from './progress.ts';
import { QUIESCE_OPTIONS, requireOneQuiesce } from './quiesce.ts';
import { Refusal } from './refusal.ts';
import { type PoolSpec, takeDestinationGroup, takeGroupAndImage, takeGroupSpec, takePoolSpec } from './spec.ts';
import {
  FORMAT_OPTIONS,
  IMAGE_ID_OPTIONS,
  POOL_OPTIONS,
  PROGRESS_OPTIONS,
  type VerbContext,
  type VerbDefinition,
} from './verb.ts';

const EINVAL = 22;

async function create(context: VerbContext): Promise<void> {
  const spec = takeGroupSpec(context);
  const io = await openPool(context, spec);
  await orRefuse('rbd: create error', createGroup(io, rawFromText(spec.group), imageWorld));
}

async function ls(context: VerbContext): Promise<void> {
  const io = await openPool(context, takePoolSpec(context));
  const names = (await orSilent(listGroups(io))).map((name) => textFromRaw(name));
  show(context, names, () => names.map((name) => `${name}\n`).join(''));
}

/** Of a group that is not there, there are none. */
async function orNone<T>(listing: Promise<readonly T[]>): Promise<readonly T[]> {
  try {
    return await listing;
  } catch (error) {
    if (error instanceof RadosError && error.code === Errno.ENOENT) return [];
    return refuseWith(error, () => '');
  }
}

async function remove(context: VerbContext): Promise<void> {
  const spec = takeGroupSpec(context);
  const io = await openPool(context, spec);
  const name = rawFromText(spec.group);
  const removing = async () => {
    await removeGroupSnapshots(sceneOf(context, io), name);
    await removeGroup(context.rados, io, name);
  };
  await orRefuse('rbd: remove error', removing());
}

function sceneOf({ rados }: VerbContext, io: IoCtx): GroupScene {
  return { rados, io, world: imageWorld };
}

async function rename(context: VerbContext): Promise<void> {
  const from = takeGroupSpec(context);
  const to = takeDestinationGroup(context, from);
  requireSamePlace(from, to);
  const io = await openPool(context, from);
  await orRefuse('rbd: failed to rename group', renameGroup(io, rawFromText(from.group), rawFromText(to.group)));
}

function requireSamePlace(from: PoolSpec, to: PoolSpec): void {
  if (from.pool !== to.pool) {
    const places = `source pool: ${from.pool}, dest pool: ${to.pool}`;
    throw new Refusal(`rbd: group rename across pools not supported\n${places}`, EINVAL);
  }
  if (from.namespace !== to.namespace) {
    const places = `source namespace: ${from.namespace}, dest namespace: ${to.namespace}`;
    throw new Refusal(`rbd: group rename across namespaces not supported\n${places}`, EINVAL);
  }
}

async function imageAdd(context: VerbContext): Promise<void> {
  const { group, image } = takeBoth(context);
  const groupIo = await openPool(context, group);
  const imageIo = await openPool(context, image);
  const adding = addToGroup(groupIo, rawFromText(group.group), imageIo, rawFromText(image.image));
  await orRefuse('rbd: add image error', adding);
}

function takeBoth(context: VerbContext): ReturnType<typeof takeGroupAndImage> {
  const both = takeGroupAndImage(context);
  if (both.group.namespace !== both.image.namespace) {
    throw new Refusal('rbd: group and image namespace must match.', EINVAL);
  }
  return both;
}

async function imageRemove(context: VerbContext): Promise<void> {
  const { group, image } = takeBoth(context);
  const groupIo = await openPool(context, group);
  const imageIo = await openPool(context, image);
  const name = rawFromText(group.group);
  const removing =
    image.imageId === ''
      ? removeFromGroup(groupIo, name, imageIo, rawFromText(image.image))
      : removeIdFromGroup(groupIo, name, imageIo, rawFromText(image.imageId));
  await orRefuse('rbd: remove image error', removing);
}

async function imageLs(context: VerbContext): Promise<void> {
  const { rados } = context;
  const spec = takeGroupSpec(context);
  const io = await openPool(context, spec);
  const found = await orSilent(listGroupImages(rados, io, rawFromText(spec.group)));
  const images = found
    .map(({ name, pool, state }) => ({
      image: textFromRaw(name),
      pool: rados.poolName(pool) ?? `<missing image pool ${pool}>`,
      namespace: spec.namespace,
      state,
    }))
    .sort((a, b) => (a.pool < b.pool ? -1 : a.pool > b.pool ? 1 : a.image < b.image ? -1 : 1));
  show(context, images, () =>
    images
      .map(({ image, pool, namespace, state }) => {
        const place = namespace === '' ? pool : `${pool}/${namespace}`;
        return `${place}/${image} ${state === LinkState.incomplete ? 'incomplete' : ''}\n`;
      })
      .join(''),
  );
}

async function snapCreate(context: VerbContext): Promise<void> {
  const spec = takeGroupSpec(context, 'required');
  requireOneQuiesce(context.options);
  const io = await openPool(context, spec);
  await orSilent(createGroupSnapshot(sceneOf(context, io), rawFromText(spec.group), rawFromText(spec.snapshot)));
}

async function snapRemove(context: VerbContext): Promise<void> {
  const spec = takeGroupSpec(context, 'required');
  const io = await openPool(context, spec);
  const removing = removeGroupSnapshot(sceneOf(context, io), rawFromText(spec.group), rawFromText(spec.snapshot));
  await orRefuse('rbd: failed to remove group snapshot', removing);
}

async function snapRename(context: VerbContext): Promise<void> {
  const { options, args } = context;
  const spec = takeGroupSpec(context, 'required');
  const to = options.get('dest_snap') ?? args.take();
  if (to === '') throw new Refusal('rbd: destination snapshot name was not specified', EINVAL);
  if (/[@/]/.test(to)) throw new Refusal(`rbd: invalid snap name '${to}'`, EINVAL);
  const io = await openPool(context, spec);
  const renaming = renameGroupSnapshot(io, rawFromText(spec.group), rawFromText(spec.snapshot), rawFromText(to));
  await orRefuse('rbd: failed to rename group snapshot', renaming);
}

async function snapLs(context: VerbContext): Promise<void> {
  const spec = takeGroupSpec(context);
  const io = await openPool(context, spec);
  const found = await orNone(listGroupSnapshots(io, rawFromText(spec.group)));
  const snapshots = found.map(({ name, state }) => ({
    snapshot: textFromRaw(name),
    state: state === GroupSnapshotState.incomplete ? 'incomplete' : 'ok',
  }));
  show(context, snapshots, () =>
    snapshots.length === 0
      ? ''
      : formatTable(
          [column('NAME', 'left'), column('STATUS', 'right', 'right')],
          snapshots.map(({ snapshot, state }) => [snapshot, state]),
        ),
  );
}

async function snapRollBack(context: VerbContext): Promise<void> {
  const spec = takeGroupSpec(context, 'required');
  const io = await openPool(context, spec);
  const rolling = withProgress(context, 'Rolling back to group snapshot', (onProgress) =>
    rollBackGroup(sceneOf(context, io), rawFromText(spec.group), rawFromText(spec.snapshot), onProgress),
  );
  await orRefuse('rbd: rollback group to snapshot failed', rolling);
}

const GROUP_OPTIONS: OptionTable = { ...POOL_OPTIONS, '--group': ['group', 'value'] };
const GROUP_SNAPSHOT_OPTIONS: OptionTable = { ...GROUP_OPTIONS, '--snap': ['snap', 'value'] };
const GROUP_AND_IMAGE_OPTIONS: OptionTable = {
  '-p': ['pool', 'value'],
  '--pool': ['pool', 'value'],
  '--group-pool': ['group_pool', 'value'],
  '--group-namespace': ['group_namespace', 'value'],
  '--group': ['group', 'value'],
  '--image-pool': ['image_pool', 'value'],
  '--image-namespace': ['image_namespace', 'value'],
  '--image': ['image', 'value'],
};

export const groupVerbs: readonly VerbDefinition[] = [
  {
    names: ['group create'],
    usage: [['group create|rm [POOL/[NAMESPACE/]]GROUP', 'images whose snapshots are taken together']],
    options: GROUP_OPTIONS,
    maxArgs: 1,
    run: create,
  },
  { names: ['group rm', 'group remove'], usage: [], options: GROUP_OPTIONS, maxArgs: 1, run: remove },
  {
    names: ['group rename'],
    usage: [['group rename GROUP GROUP', '']],
    options: {
      ...GROUP_OPTIONS,
      '--dest-pool': ['dest_pool', 'value'],
      '--dest-namespace': ['dest_namespace', 'value'],
      '--dest-group': ['dest_group', 'value'],
    },
    maxArgs: 2,
    run: rename,
  },
  {
    names: ['group ls', 'group list'],
    usage: [['group ls [POOL[/NAMESPACE]]', '']],
    options: { ...POOL_OPTIONS, ...FORMAT_OPTIONS },
    maxArgs: 1,
    run: ls,
  },
  {
    names: ['group image add'],
    usage: [['group image add|rm GROUP IMAGE', 'of its namespace']],
    options: GROUP_AND_IMAGE_OPTIONS,
    maxArgs: 2,
    run: imageAdd,
  },
  {
    names: ['group image rm', 'group image remove'],
    usage: [],
    options: { ...GROUP_AND_IMAGE_OPTIONS, ...IMAGE_ID_OPTIONS },
    maxArgs: 2,
    run: imageRemove,
  },
  {
    names: ['group image ls', 'group image list'],
    usage: [['group image ls GROUP', '']],
    options: { ...GROUP_OPTIONS, ...FORMAT_OPTIONS },
    maxArgs: 1,
    run: imageLs,
  },
  {
    names: ['group snap create'],
    usage: [['group snap create|rm GROUP@SNAPSHOT', 'one of each of its images, all of one moment']],
    options: { ...GROUP_SNAPSHOT_OPTIONS, ...QUIESCE_OPTIONS },
    maxArgs: 1,
    run: snapCreate,
  },
  {
    names: ['group snap rm', 'group snap remove'],
    usage: [],
    options: GROUP_SNAPSHOT_OPTIONS,
    maxArgs: 1,
    run: snapRemove,
  },
  {
    names: ['group snap rename'],
    usage: [['group snap rename GROUP@SNAPSHOT NAME', '']],
    options: { ...GROUP_SNAPSHOT_OPTIONS, '--dest-snap': ['dest_snap', 'value'] },
    maxArgs: 2,
    run: snapRename,
  },
  {
    names: ['group snap ls', 'group snap list'],
    usage: [['group snap ls GROUP', '']],
    options: { ...GROUP_OPTIONS, ...FORMAT_OPTIONS },
    maxArgs: 1,
    run: snapLs,
  },
  {
    names: ['group snap rollback'],
    usage: [['group snap rollback GROUP@SNAPSHOT', 'make its images what they were [--no-progress]']],
    options: { ...GROUP_SNAPSHOT_OPTIONS, ...PROGRESS_OPTIONS },
    maxArgs: 1,
    run: snapRollBack,
  },
];
