/** Verbs of snapshots (tools/rbd/action/Snap.cc). */
import { Errno, type RawString, rawFromText, textFromRaw } from '@spirula/encoding';
import { column, formatBytes, formatTable } from '@spirula/formatter';
import {
  type HeaderSnapshot,
  isUserSnapshot,
  listChildren,
  NO_SNAPSHOT_LIMIT,
  objectCount,
  removeSnapshotById,
  WritableImage,
} from '@spirula/rbd';
import { describeErrno } from '../ceph/errno-text.ts';
import type { OptionTable } from '../ceph/global-options.ts';
import { openImage, openPool, orRefuse, refuseWith, withImage, withImageOf } from './context.ts';
import { imageWorld } from './image-world.ts';
import { show } from './output.ts';
import { isProtected, oldestFirst, timeText } from './phrases.ts';
import { withProgress } from './progress.ts';
import { QUIESCE_OPTIONS, requireOneQuiesce } from './quiesce.ts';
import { Refusal } from './refusal.ts';
import { parseCount } from './size.ts';
import { type SnapshotPurpose, snapshotPurpose } from './snapshot-purpose.ts';
import { takeDestinationSpec, takeImageSpec } from './spec.ts';
import {
  DESTINATION_OPTIONS,
  FORMAT_OPTIONS,
  IMAGE_ID_OPTIONS,
  IMAGE_OPTIONS,
  PROGRESS_OPTIONS,
  SNAPSHOT_OPTIONS,
  type VerbContext,
  type VerbDefinition,
} from './verb.ts';

const EINVAL = 22;
const ERANGE = 34;

async function snapCreate(context: VerbContext): Promise<void> {
  const spec = takeImageSpec(context, { snapshot: 'required', checked: 'snapshot' });
  requireOneQuiesce(context.options);
  await withImage(context, await openPool(context, spec), spec.image, (image) =>
    orRefuse(
      'rbd: failed to create snapshot',
      withProgress(context, 'Creating snap', async (onProgress) => {
        const name = rawFromText(spec.snapshot);
        // Of ten parts, one is to ask others to write what they hold: it is not begun for nothing.
        if (!image.header.snapshots.some((each) => isUserSnapshot(each) && each.name === name)) onProgress(1, 10);
        await image.createSnapshot(name);
      }),
    ),
  );
}

async function snapRemove(context: VerbContext): Promise<void> {
  const { options } = context;
  const snapId = snapIdOf(options);
  const rules = { snapshot: snapId === undefined ? 'required' : 'permitted', orId: true } as const;
  const spec = takeImageSpec(context, rules);
  if (snapId !== undefined && spec.snapshot !== '') {
    throw new Refusal('rbd: trying to access snapshot using both name and id.', EINVAL);
  }
  const isForced = options.has('force');
  if (snapId !== undefined && (isForced || options.has('no_progress'))) {
    throw new Refusal('rbd: force and no-progress options not permitted when removing by id.', EINVAL);
  }
  await withImageOf(context, await openPool(context, spec), spec, async (image) => {
    try {
      if (snapId !== undefined) await image.changeHeader((scene) => removeSnapshotById(scene, snapId));
      else {
        await withProgress(context, 'Removing snap', async () => {
          if (isForced) await freeSnapshot(context, image, rawFromText(spec.snapshot));
          await image.removeSnapshot(rawFromText(spec.snapshot));
        });
      }
    } catch (error) {
      refuseWith(error, (code) =>
        code === Errno.EBUSY
          ? `rbd: snapshot ${snapId === undefined ? `'${spec.snapshot}'` : `id ${snapId}`} is protected from removal.`
          : `rbd: failed to remove snapshot: ${describeErrno(code)}`,
      );
    }
  });
}

function snapIdOf(options: ReadonlyMap<string, string>): bigint | undefined {
  const text = options.get('snap_id');
  if (text === undefined) return undefined;
  return parseCount(text, 'snap-id');
}

/** Its clones are made none any more, and it is not kept from removal. */
async function freeSnapshot({ rados }: VerbContext, image: WritableImage, name: RawString): Promise<void> {
  const snapshot = image.header.snapshots.find((each) => isUserSnapshot(each) && each.name === name);
  if (!snapshot) return;
  for (const child of await listChildren(rados, image.io, image.header, { snapId: snapshot.id })) {
    const io = (await rados.ioctx(child.pool)).with({ nspace: child.namespace });
    const clone = await WritableImage.openId(rados, io, child.id, imageWorld);
    try {
      await clone.flatten();
    } finally {
      await clone.close();
    }
  }
  if (isProtected(snapshot)) await image.unprotectSnapshot(name);
}

async function snapPurge(context: VerbContext): Promise<void> {
  const spec = takeImageSpec(context, { snapshot: 'none', orId: true });
  await withImageOf(context, await openPool(context, spec), spec, async (image) => {
    if (image.header.snapshots.length === 0) return;
    const all = [...image.header.snapshots].reverse().filter(isUserSnapshot);
    const kept = all.filter(isProtected).map(({ name }) => textFromRaw(name));
    const going = all.filter((snapshot) => !isProtected(snapshot));
    if (kept.length > 0) {
      const which = `'${kept.join(',')}'`;
      context.env.stdout(
        `rbd: error removing snapshot(s) ${which}, which ${kept.length === 1 ? 'is' : 'are'} protected - these must be ` +
          'unprotected with `rbd snap unprotect`.\n',
      );
    }
    await purge(context, image, going, kept.length);
  });
}

async function purge(
  context: VerbContext,
  image: WritableImage,
  going: readonly HeaderSnapshot[],
  kept: number,
): Promise<void> {
  if (going.length + kept === 0) return;
  const removing = withProgress(context, 'Removing all snapshots', async (onProgress) => {
    for (const [i, { name }] of going.entries()) {
      await image.removeSnapshot(name);
      onProgress(i + 1, going.length + kept);
    }
    if (kept > 0) throw new SomeStay();
  });
  try {
    await removing;
  } catch (error) {
    if (error instanceof SomeStay) return;
    refuseWith(error, (code) => (code === Errno.EBUSY ? '' : `rbd: removing snaps failed: ${describeErrno(code)}`));
  }
}

/** Those that are protected: that is shown as failed, and is no failure. */
class SomeStay extends Error {}

async function snapRename(context: VerbContext): Promise<void> {
  const from = takeImageSpec(context, { snapshot: 'required' });
  const to = takeDestinationSpec(context, { snapshot: 'required', checked: 'snapshot' }, from);
  const differs = (['pool', 'namespace', 'image'] as const).find((part) => from[part] !== to[part]);
  if (differs !== undefined) {
    const what = differs === 'image' ? 'image name' : differs;
    throw new Refusal(`rbd: source and destination ${what} must be the same`, EINVAL);
  }
  await withImage(context, await openPool(context, from), from.image, (image) =>
    orRefuse('rbd: renaming snap failed', image.renameSnapshot(rawFromText(from.snapshot), rawFromText(to.snapshot))),
  );
}

async function snapLimitSet(context: VerbContext): Promise<void> {
  const text = context.options.get('limit');
  const limit = text === undefined ? undefined : parseCount(text, 'limit');
  const spec = takeImageSpec(context, { snapshot: 'none' });
  if (limit === undefined) throw new Refusal('rbd: must specify --limit <num>', ERANGE);
  await withImage(context, await openPool(context, spec), spec.image, (image) =>
    orRefuse('rbd: setting snapshot limit failed', image.limitSnapshots(limit)),
  );
}

async function snapLimitClear(context: VerbContext): Promise<void> {
  const spec = takeImageSpec(context, { snapshot: 'none' });
  await withImage(context, await openPool(context, spec), spec.image, (image) =>
    orRefuse('rbd: clearing snapshot limit failed', image.limitSnapshots(NO_SNAPSHOT_LIMIT)),
  );
}

async function snapProtect(context: VerbContext): Promise<void> {
  const spec = takeImageSpec(context, { snapshot: 'required' });
  await withImage(context, await openPool(context, spec), spec.image, async (image) => {
    if (isSnapshotProtected(image, spec.snapshot, 'rbd: protecting snap failed')) {
      throw new Refusal('rbd: snap is already protected', -Errno.EBUSY);
    }
    await orRefuse('rbd: protecting snap failed', image.protectSnapshot(rawFromText(spec.snapshot)));
  });
}

async function snapUnprotect(context: VerbContext): Promise<void> {
  const spec = takeImageSpec(context, { snapshot: 'required', orId: true });
  await withImageOf(context, await openPool(context, spec), spec, async (image) => {
    if (!isSnapshotProtected(image, spec.snapshot, 'rbd: unprotecting snap failed')) {
      throw new Refusal('rbd: snap is already unprotected', EINVAL);
    }
    await orRefuse('rbd: unprotecting snap failed', image.unprotectSnapshot(rawFromText(spec.snapshot)));
  });
}

function isSnapshotProtected(image: WritableImage, name: string, complaint: string): boolean {
  const raw = rawFromText(name);
  const snapshot = image.header.snapshots.find((each) => isUserSnapshot(each) && each.name === raw);
  if (!snapshot) throw new Refusal(`${complaint}: ${describeErrno(Errno.ENOENT)}`, -Errno.ENOENT);
  return isProtected(snapshot);
}

async function snapRollBack(context: VerbContext): Promise<void> {
  const spec = takeImageSpec(context, { snapshot: 'required' });
  await withImage(context, await openPool(context, spec), spec.image, (image) =>
    orRefuse(
      'rbd: rollback failed',
      withProgress(context, 'Rolling back to snapshot', () => image.rollBack(rawFromText(spec.snapshot))),
    ),
  );
}

async function snapLs(context: VerbContext): Promise<void> {
  const { options, rados } = context;
  const spec = takeImageSpec(context, { snapshot: 'none', orId: true });
  const io = await openPool(context, spec);
  const image = await openImage(context, spec, io);
  const isAll = options.has('all');
  const objects = objectCount(image.header.layout, image.size);
  const rows: SnapshotRow[] = [];
  for (const snapshot of oldestFirst(image)) {
    if (!isAll && !isUserSnapshot(snapshot)) continue;
    rows.push({ snapshot, purpose: isAll ? await snapshotPurpose(rados, io, snapshot, objects) : undefined });
  }
  show(context, rows.map(dumpSnapshot), () =>
    rows.length === 0
      ? ''
      : formatTable(
          isAll ? [...SNAPSHOT_COLUMNS, column('NAMESPACE', 'left')] : SNAPSHOT_COLUMNS,
          rows.map(snapshotCells),
        ),
  );
}

interface SnapshotRow {
  readonly snapshot: HeaderSnapshot;
  readonly purpose: SnapshotPurpose | undefined;
}

const SNAPSHOT_COLUMNS = [
  column('SNAPID', 'right'),
  column('NAME', 'left'),
  column('SIZE', 'left'),
  column('PROTECTED', 'left'),
  column('TIMESTAMP', 'left'),
];

function dumpSnapshot({ snapshot, purpose }: SnapshotRow): object {
  return {
    id: Number(snapshot.id),
    name: textFromRaw(snapshot.name),
    size: Number(snapshot.imageSize),
    protected: String(isProtected(snapshot)),
    timestamp: timeText(snapshot.timestamp),
    ...(purpose && { namespace: purpose.dump }),
  };
}

function snapshotCells({ snapshot, purpose }: SnapshotRow): string[] {
  return [
    String(snapshot.id),
    textFromRaw(snapshot.name),
    formatBytes(Number(snapshot.imageSize)),
    isProtected(snapshot) ? 'yes' : '',
    timeText(snapshot.timestamp),
    ...(purpose ? [purpose.text] : []),
  ];
}

const ON_SNAPSHOT = { options: { ...SNAPSHOT_OPTIONS, ...PROGRESS_OPTIONS }, maxArgs: 1 } as const;
const ALL_OPTIONS: OptionTable = { '-a': ['all', 'flag'], '--all': ['all', 'flag'] };

export const snapshotVerbs: readonly VerbDefinition[] = [
  {
    names: ['snap ls', 'snap list'],
    usage: [['snap ls [--all] IMAGE', 'snapshots; --all: those that nobody made by hand, too']],
    options: { ...IMAGE_OPTIONS, ...IMAGE_ID_OPTIONS, ...FORMAT_OPTIONS, ...ALL_OPTIONS },
    maxArgs: 1,
    run: snapLs,
  },
  {
    names: ['snap create', 'snap add'],
    usage: [['snap create|rm IMAGE@SNAPSHOT', 'take one, or remove it, with --force in spite of its clones']],
    options: { ...ON_SNAPSHOT.options, ...QUIESCE_OPTIONS },
    maxArgs: 1,
    run: snapCreate,
  },
  {
    names: ['snap rm', 'snap remove'],
    usage: [],
    options: {
      ...ON_SNAPSHOT.options,
      ...IMAGE_ID_OPTIONS,
      '--snap-id': ['snap_id', 'value'],
      '--force': ['force', 'flag'],
    },
    maxArgs: 1,
    run: snapRemove,
  },
  {
    names: ['snap purge'],
    usage: [['snap purge IMAGE', 'remove those that are not protected']],
    options: { ...IMAGE_OPTIONS, ...IMAGE_ID_OPTIONS, ...PROGRESS_OPTIONS },
    maxArgs: 1,
    run: snapPurge,
  },
  {
    names: ['snap rename'],
    usage: [['snap rename IMAGE@SNAPSHOT IMAGE@NAME', '']],
    options: { ...SNAPSHOT_OPTIONS, ...DESTINATION_OPTIONS },
    maxArgs: 2,
    run: snapRename,
  },
  {
    names: ['snap limit set'],
    usage: [['snap limit set IMAGE --limit N', 'as many at most; snap limit clear IMAGE: as many as wanted']],
    options: { ...IMAGE_OPTIONS, '--limit': ['limit', 'value'] },
    maxArgs: 1,
    run: snapLimitSet,
  },
  { names: ['snap limit clear'], usage: [], options: IMAGE_OPTIONS, maxArgs: 1, run: snapLimitClear },
  {
    names: ['snap protect'],
    usage: [['snap protect|unprotect IMAGE@SNAPSHOT', 'clones of format 1 need it']],
    options: SNAPSHOT_OPTIONS,
    maxArgs: 1,
    run: snapProtect,
  },
  {
    names: ['snap unprotect'],
    usage: [],
    options: { ...SNAPSHOT_OPTIONS, ...IMAGE_ID_OPTIONS },
    maxArgs: 1,
    run: snapUnprotect,
  },
  {
    ...ON_SNAPSHOT,
    names: ['snap rollback', 'snap revert'],
    usage: [['snap rollback IMAGE@SNAPSHOT', 'make an image what it was']],
    run: snapRollBack,
  },
];
