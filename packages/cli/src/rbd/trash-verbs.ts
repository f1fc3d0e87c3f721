/** Verbs of the trash (tools/rbd/action/Trash.cc). */
import { TrashSource } from '@spirula/cls';
import { Errno, rawFromText, textFromRaw } from '@spirula/encoding';
import { column, formatTable } from '@spirula/formatter';
import { type IoCtx, RadosError } from '@spirula/rados';
import {
  Image,
  listTrash,
  moveToTrash,
  purgeTrash,
  removeFromTrash,
  restoreFromTrash,
  type TrashEntry,
} from '@spirula/rbd';
import { describeErrno } from '../ceph/errno-text.ts';
import { openPool, orRefuse, refuseWith } from './context.ts';
import { readDate } from './date.ts';
import { imageWorld } from './image-world.ts';
import { show } from './output.ts';
import { type NamedParent, nameParent, parentText, timeText } from './phrases.ts';
import { withProgress } from './progress.ts';
import { Refusal } from './refusal.ts';
import { HAS_SNAPSHOTS, WATCHED } from './removal-phrases.ts';
import { takeImageId, takeImageSpec, takePoolSpec } from './spec.ts';
import {
  FORMAT_OPTIONS,
  IMAGE_ID_OPTIONS,
  IMAGE_OPTIONS,
  POOL_OPTIONS,
  PROGRESS_OPTIONS,
  type VerbContext,
  type VerbDefinition,
} from './verb.ts';

const EINVAL = 22;

async function move(context: VerbContext): Promise<void> {
  const { options, rados } = context;
  const spec = takeImageSpec(context, { snapshot: 'none' });
  const io = await openPool(context, spec);
  const now = imageWorld.wall().sec;
  const expires = readDate(options.get('expires_at') ?? 'now');
  if (expires < now) throw new Refusal('rbd: cannot use a date in the past as an expiration date', EINVAL);
  const moving = moveToTrash(rados, io, rawFromText(spec.image), expires - now, imageWorld);
  await orRefuse('rbd: deferred delete error', moving);
}

async function remove(context: VerbContext): Promise<void> {
  const { options, rados } = context;
  const spec = takeImageId(context);
  const io = await openPool(context, spec);
  const isForced = options.has('force');
  await withProgress(context, 'Removing image', async (onErased) => {
    try {
      await removeFromTrash(rados, io, rawFromText(spec.imageId), { isForced, onErased }, imageWorld);
    } catch (error) {
      sayWhile(context, error, (code) => REMOVE_REFUSALS.get(code) ?? `rbd: remove error: ${describeErrno(code)}`);
    }
  });
}

/** Said before the progress is given up, as `rbd` does. */
function sayWhile({ env }: VerbContext, error: unknown, say: (code: number) => string): never {
  if (!(error instanceof RadosError)) throw error;
  env.stderr(`${say(error.code)}\n`);
  throw new Refusal('', -error.code);
}

const REMOVE_REFUSALS = new Map<number, string>([
  [Errno.ENOTEMPTY, HAS_SNAPSHOTS],
  [Errno.EUCLEAN, 'rbd: error: image not fully moved to trash.'],
  [Errno.EBUSY, WATCHED],
  [Errno.EMLINK, '\nRemove the image from the group and try again.'],
  [Errno.EPERM, '\nDeferment time has not expired, please use --force if you really want to remove the image'],
]);

async function restore(context: VerbContext): Promise<void> {
  const spec = takeImageId(context);
  const io = await openPool(context, spec);
  const name = rawFromText(context.options.get('image') ?? '');
  try {
    await restoreFromTrash(io, rawFromText(spec.imageId), name);
  } catch (error) {
    refuseWith(error, (code) => RESTORE_REFUSALS.get(code) ?? `rbd: restore error: ${describeErrno(code)}`);
  }
}

async function purge(context: VerbContext): Promise<void> {
  const { options, rados } = context;
  const threshold = options.get('threshold');
  const before = options.get('expired_before');
  if (threshold !== undefined && !/^[-+]?\d*\.?\d+(e[-+]?\d+)?$/i.test(threshold)) {
    throw new Refusal(`rbd: the argument ('${threshold}') for option '--threshold' is invalid`, 1);
  }
  const spec = takePoolSpec(context);
  const io = await openPool(context, spec);
  const which =
    threshold !== undefined
      ? { threshold: Number(threshold) }
      : { expiredBefore: before === undefined ? imageWorld.wall().sec : readDate(before) };
  try {
    await withProgress(context, 'Removing images', (onProgress) =>
      purgeTrash(rados, io, which, imageWorld, onProgress),
    );
  } catch (error) {
    refuseWith(error, (code) => (STAYS.has(code) ? SOME_STAY : ''));
  }
}

const STAYS: ReadonlySet<number> = new Set([Errno.ENOTEMPTY, Errno.EBUSY, Errno.EMLINK, Errno.EUCLEAN]);
const SOME_STAY =
  'rbd: some expired images could not be removed\nEnsure that they are closed/unmapped, do not have snapshots (including ' +
  'trashed snapshots with linked clones), are not in a group and were moved to the trash successfully.';

const RESTORE_REFUSALS = new Map<number, string>([
  [Errno.ENOENT, 'rbd: error: image does not exist in trash'],
  [Errno.EEXIST, 'rbd: error: an image with the same name already exists, try again with a different name'],
]);

async function ls(context: VerbContext): Promise<void> {
  const { options } = context;
  const spec = takePoolSpec(context);
  const io = await openPool(context, spec);
  const entries = await orRefuse('rbd: trash list', listTrash(io));
  const shown = entries.filter(({ source }) => options.has('all') || source === TrashSource.user);
  if (options.has('long')) {
    await lsLong(context, io, shown);
    return;
  }
  const pairs = shown.map(({ id, name }) => ({ id: textFromRaw(id), name: textFromRaw(name) }));
  show(context, pairs, () => pairs.map(({ id, name }) => `${id} ${name}\n`).join(''));
}

interface LongRow {
  readonly id: string;
  readonly name: string;
  readonly source: string;
  readonly deleted_at: string;
  readonly status: string;
  readonly parent: NamedParent | undefined;
}

async function lsLong(context: VerbContext, io: IoCtx, entries: readonly TrashEntry[]): Promise<void> {
  const rows: LongRow[] = [];
  for (const entry of entries) {
    try {
      rows.push(await longRow(context, io, entry));
    } catch (error) {
      if (!(error instanceof RadosError)) throw error;
      const problem = `rbd: error opening ${textFromRaw(entry.id)}: ${describeErrno(error.code)}\n`;
      if (error.code !== Errno.ENOENT) context.env.stderr(problem);
    }
  }
  show(context, rows.map(dumpRow), () =>
    entries.length === 0
      ? ''
      : formatTable(
          LONG_COLUMNS,
          rows.map(({ parent, ...row }) => [
            row.id,
            row.name,
            row.source,
            row.deleted_at,
            row.status,
            parent ? parentText(parent) : '',
          ]),
        ),
  );
}

const LONG_COLUMNS = ['ID', 'NAME', 'SOURCE', 'DELETED_AT', 'STATUS', 'PARENT'].map((name) => column(name, 'left'));

async function longRow({ rados }: VerbContext, io: IoCtx, entry: TrashEntry): Promise<LongRow> {
  const { parent } = await Image.openId(rados, io, entry.id);
  const isKept = imageWorld.wall().sec < entry.deferredUntil.sec;
  return {
    id: textFromRaw(entry.id),
    name: textFromRaw(entry.name),
    source: SOURCES[entry.source] ?? '',
    deleted_at: timeText(entry.deleted),
    status: `${isKept ? 'protected until' : 'expired at'} ${timeText(entry.deferredUntil)}`,
    parent: parent && (await nameParent(rados, parent)),
  };
}

/** TRASH_IMAGE_SOURCE_* */
const SOURCES = ['USER', 'MIRRORING', 'MIGRATION', 'REMOVING'];

function dumpRow({ parent, ...row }: LongRow): object {
  return {
    ...row,
    ...(parent && {
      parent: {
        pool: parent.pool,
        pool_namespace: parent.namespace,
        image: parent.image,
        snapshot: parent.snapshot,
      },
    }),
  };
}

export const trashVerbs: readonly VerbDefinition[] = [
  {
    names: ['trash mv', 'trash move'],
    usage: [['trash mv IMAGE [--expires-at DATE]', 'until then it is not purged']],
    options: { ...IMAGE_OPTIONS, '--expires-at': ['expires_at', 'value'] },
    maxArgs: 1,
    run: move,
  },
  {
    names: ['trash ls', 'trash list'],
    usage: [['trash ls [-a] [-l] [POOL[/NAMESPACE]]', 'what is in it; -a: also what other than a user put there']],
    options: {
      ...POOL_OPTIONS,
      ...FORMAT_OPTIONS,
      '-a': ['all', 'flag'],
      '--all': ['all', 'flag'],
      '-l': ['long', 'flag'],
      '--long': ['long', 'flag'],
    },
    maxArgs: 1,
    run: ls,
  },
  {
    names: ['trash restore'],
    usage: [['trash restore ID [--image NAME]', 'take it out again']],
    options: { ...POOL_OPTIONS, ...IMAGE_ID_OPTIONS, '--image': ['image', 'value'] },
    maxArgs: 1,
    run: restore,
  },
  {
    names: ['trash rm', 'trash remove'],
    usage: [['trash rm ID [--force]', 'for good; --force: also before its time']],
    options: { ...POOL_OPTIONS, ...IMAGE_ID_OPTIONS, ...PROGRESS_OPTIONS, '--force': ['force', 'flag'] },
    maxArgs: 1,
    run: remove,
  },
  {
    names: ['trash purge'],
    usage: [['trash purge [POOL[/NAMESPACE]]', '[--expired-before DATE] [--threshold SHARE]']],
    options: {
      ...POOL_OPTIONS,
      ...PROGRESS_OPTIONS,
      '--expired-before': ['expired_before', 'value'],
      '--threshold': ['threshold', 'value'],
    },
    maxArgs: 1,
    run: purge,
  },
];
