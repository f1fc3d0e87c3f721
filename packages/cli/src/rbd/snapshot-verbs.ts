/** Verbs of snapshots (tools/rbd/action/Snap.cc). */
import { type RawString, rawFromText, textFromRaw } from '@spirula/encoding';
import { column, formatBytes, formatTable } from '@spirula/formatter';
import { isUserSnapshot, type WritableImage } from '@spirula/rbd';
import { openImage, openPool, orRefuse, withImage } from './context.ts';
import { formatJson, wantsJson } from './output.ts';
import { isProtected, oldestFirst, snapshotTypeName, timeText } from './phrases.ts';
import { takeImageSpec } from './spec.ts';
import {
  FORMAT_OPTIONS,
  IMAGE_OPTIONS,
  PROGRESS_OPTIONS,
  SNAPSHOT_OPTIONS,
  type Verb,
  type VerbContext,
  type VerbDefinition,
} from './verb.ts';

/** A verb on one snapshot of an image. */
function onSnapshot(complaint: string, work: (image: WritableImage, name: RawString) => Promise<void>): Verb {
  return async (context) => {
    const spec = takeImageSpec(context, { snapshot: 'required' });
    await withImage(context, await openPool(context, spec), spec.image, (image) =>
      orRefuse(complaint, work(image, rawFromText(spec.snapshot))),
    );
  };
}

async function snapLs(context: VerbContext): Promise<void> {
  const { env, options } = context;
  const spec = takeImageSpec(context, { snapshot: 'none' });
  const image = await openImage(context, { ...spec, snapshot: '' }, await openPool(context, spec));
  const isAll = options.has('all');
  const snapshots = oldestFirst(image).filter((snapshot) => isAll || isUserSnapshot(snapshot));
  if (wantsJson(options)) {
    const dumped = snapshots.map((snapshot) => ({
      id: Number(snapshot.id),
      name: textFromRaw(snapshot.name),
      size: Number(snapshot.imageSize),
      protected: String(isProtected(snapshot)),
      timestamp: timeText(snapshot.timestamp),
      ...(isAll && { namespace: { type: snapshotTypeName(snapshot) } }),
    }));
    env.stdout(formatJson(options, dumped));
    return;
  }
  if (snapshots.length === 0) return;
  const columns = [
    column('SNAPID', 'right'),
    column('NAME', 'left'),
    column('SIZE', 'left'),
    column('PROTECTED', 'left'),
    column('TIMESTAMP', 'left'),
    ...(isAll ? [column('NAMESPACE', 'left')] : []),
  ];
  const rows = snapshots.map((snapshot) => [
    String(snapshot.id),
    textFromRaw(snapshot.name),
    formatBytes(Number(snapshot.imageSize)),
    isProtected(snapshot) ? 'yes' : '',
    timeText(snapshot.timestamp),
    ...(isAll ? [snapshotTypeName(snapshot)] : []),
  ]);
  env.stdout(formatTable(columns, rows));
}

const ON_SNAPSHOT = { options: { ...SNAPSHOT_OPTIONS, ...PROGRESS_OPTIONS }, maxArgs: 1 } as const;

export const snapshotVerbs: readonly VerbDefinition[] = [
  {
    names: ['snap ls', 'snap list'],
    usage: [['snap ls [--all] IMAGE', 'snapshots; --all: those that nobody made by hand, too']],
    options: { ...IMAGE_OPTIONS, ...FORMAT_OPTIONS, '-a': ['all', 'flag'], '--all': ['all', 'flag'] },
    maxArgs: 1,
    run: snapLs,
  },
  {
    ...ON_SNAPSHOT,
    names: ['snap create', 'snap add'],
    usage: [['snap create|rm IMAGE@SNAPSHOT', 'take one, or remove it']],
    run: onSnapshot('rbd: failed to create snapshot', (image, name) => image.createSnapshot(name)),
  },
  {
    ...ON_SNAPSHOT,
    names: ['snap rm', 'snap remove'],
    usage: [],
    run: onSnapshot('rbd: failed to remove snapshot', (image, name) => image.removeSnapshot(name)),
  },
  {
    ...ON_SNAPSHOT,
    names: ['snap protect'],
    usage: [['snap protect|unprotect IMAGE@SNAPSHOT', 'clones of format 1 need it']],
    run: onSnapshot('rbd: protecting snap failed', (image, name) => image.protectSnapshot(name)),
  },
  {
    ...ON_SNAPSHOT,
    names: ['snap unprotect'],
    usage: [],
    run: onSnapshot('rbd: unprotecting snap failed', (image, name) => image.unprotectSnapshot(name)),
  },
  {
    ...ON_SNAPSHOT,
    names: ['snap rollback', 'snap revert'],
    usage: [['snap rollback IMAGE@SNAPSHOT', 'make an image what it was']],
    run: onSnapshot('rbd: rollback failed', (image, name) => image.rollBack(name)),
  },
];
