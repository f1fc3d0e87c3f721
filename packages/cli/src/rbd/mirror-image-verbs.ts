/** Verbs of mirrored images (tools/rbd/action/MirrorImage.cc). */
import { MirrorImageState } from '@spirula/cls';
import { Errno } from '@spirula/encoding';
import type { IoCtx } from '@spirula/rados';
import {
  demoteImage,
  type Image,
  MirrorImageMode,
  type MirrorInfo,
  type MirrorScene,
  mirrorImage,
  mirrorInfo,
  promoteImage,
  resyncImage,
  snapshotForMirrors,
  unmirrorImage,
} from '@spirula/rbd';
import { describeErrno } from '../ceph/errno-text.ts';
import type { OptionTable } from '../ceph/global-options.ts';
import { openImage, openPool, orRefuse, orSilent, refuseWith } from './context.ts';
import { imageWorld } from './image-world.ts';
import { imageStatus, snapshotsForPeers, statusText } from './mirror-status.ts';
import { show } from './output.ts';
import { QUIESCE_OPTIONS, requireOneQuiesce } from './quiesce.ts';
import { Refusal } from './refusal.ts';
import { type ImageSpec, takeImageSpec } from './spec.ts';
import { FORMAT_OPTIONS, IMAGE_OPTIONS, type VerbContext, type VerbDefinition } from './verb.ts';

const EINVAL = 22;

interface Opened {
  readonly io: IoCtx;
  readonly image: Image;
  readonly scene: MirrorScene;
}

async function open(context: VerbContext, spec: ImageSpec): Promise<Opened> {
  const io = await openPool(context, spec);
  const image = await openImage(context, spec, io);
  return { io, image, scene: { rados: context.rados, io, world: imageWorld } };
}

/** @throws Refusal: it is not mirrored */
async function requireMirrored({ io, image }: Opened): Promise<MirrorInfo> {
  const info = await orRefuse('rbd: failed to retrieve mirror info', mirrorInfo(io, image.header));
  if (info?.state !== MirrorImageState.enabled) {
    throw new Refusal('rbd: mirroring not enabled on the image', EINVAL);
  }
  return info;
}

async function openMirrored(context: VerbContext): Promise<Opened> {
  const opened = await open(context, takeImageSpec(context, { snapshot: 'none' }));
  await requireMirrored(opened);
  return opened;
}

async function enable(context: VerbContext): Promise<void> {
  const { env, args } = context;
  const spec = takeImageSpec(context, { snapshot: 'none' });
  const word = args.take();
  const mode = word === '' || word === 'journal' ? MirrorImageMode.journal : MirrorImageMode.snapshot;
  if (mode === MirrorImageMode.snapshot && word !== 'snapshot') {
    throw new Refusal(`rbd: invalid mode name: ${word}`, EINVAL);
  }
  const { scene, image } = await open(context, spec);
  try {
    await mirrorImage(scene, image.header, mode);
  } catch (error) {
    refuseWith(error, saySilence);
  }
  env.stdout('Mirroring enabled\n');
}

/** What other clients do, and this one does not, is said; else the exit status says what was wrong. */
function saySilence(code: number): string {
  return code === Errno.EROFS ? `rbd: journals are not kept by this client: ${describeErrno(code)}` : '';
}

async function disable(context: VerbContext): Promise<void> {
  const { env, options } = context;
  const { scene, image } = await open(context, takeImageSpec(context, { snapshot: 'none' }));
  try {
    await unmirrorImage(scene, image.header.id, options.has('force'));
  } catch (error) {
    refuseWith(error, saySilence);
  }
  env.stdout('Mirroring disabled\n');
}

async function promote(context: VerbContext): Promise<void> {
  const { scene, image } = await openMirrored(context);
  await orFail(
    'rbd: error promoting image to primary',
    promoteImage(scene, image.header.id, context.options.has('force')),
  );
  context.env.stdout('Image promoted to primary\n');
}

async function demote(context: VerbContext): Promise<void> {
  const { scene, image } = await openMirrored(context);
  await orFail('rbd: error demoting image to non-primary', demoteImage(scene, image.header.id));
  context.env.stdout('Image demoted to non-primary\n');
}

async function resync(context: VerbContext): Promise<void> {
  const { scene, image } = await openMirrored(context);
  await orFail('rbd: error flagging image resync', resyncImage(scene, image.header.id));
  context.env.stdout('Flagged image for resync from primary\n');
}

async function orFail<T>(complaint: string, work: Promise<T>): Promise<T> {
  return await work.catch((error: unknown) =>
    refuseWith(error, (code) => [complaint, saySilence(code)].filter((line) => line !== '').join('\n')),
  );
}

async function snapshot(context: VerbContext): Promise<void> {
  const { env, options } = context;
  const spec = takeImageSpec(context, { snapshot: 'none' });
  requireOneQuiesce(options);
  const opened = await open(context, spec);
  const { mode } = await requireMirrored(opened);
  if (mode !== MirrorImageMode.snapshot) {
    throw new Refusal('rbd: snapshot based mirroring not enabled on the image', EINVAL);
  }
  const id = await orRefuse('rbd: error creating snapshot', snapshotForMirrors(opened.scene, opened.image.header.id));
  env.stdout(`Snapshot ID: ${id}\n`);
}

async function status(context: VerbContext): Promise<void> {
  const spec = takeImageSpec(context, { snapshot: 'none' });
  const opened = await open(context, spec);
  await requireMirrored(opened);
  const found = await orSilent(imageStatus(opened.io, opened.image.header, spec.image));
  if (!found) return;
  const snapshots = snapshotsForPeers(opened.image.header);
  show(context, { ...found.dump, ...snapshots.dump }, () =>
    statusText({ ...found, lines: [...found.lines, ...snapshots.lines] }),
  );
}

const FORCE_OPTIONS: OptionTable = { '--force': ['force', 'flag'] };

export const mirrorImageVerbs: readonly VerbDefinition[] = [
  {
    names: ['mirror image enable'],
    usage: [
      ['mirror image enable IMAGE [snapshot|journal]', 'daemons copy it: what its snapshots have, or its journal'],
    ],
    options: IMAGE_OPTIONS,
    maxArgs: 2,
    run: enable,
  },
  {
    names: ['mirror image disable'],
    usage: [['mirror image disable [--force] IMAGE', 'no more']],
    options: { ...IMAGE_OPTIONS, ...FORCE_OPTIONS },
    maxArgs: 1,
    run: disable,
  },
  {
    names: ['mirror image promote'],
    usage: [['mirror image promote [--force] IMAGE', 'it is written here, and copied elsewhere']],
    options: { ...IMAGE_OPTIONS, ...FORCE_OPTIONS },
    maxArgs: 1,
    run: promote,
  },
  {
    names: ['mirror image demote'],
    usage: [['mirror image demote IMAGE', 'it is not written until a site is promoted']],
    options: IMAGE_OPTIONS,
    maxArgs: 1,
    run: demote,
  },
  {
    names: ['mirror image resync'],
    usage: [['mirror image resync IMAGE', 'the copy that is here is made anew']],
    options: IMAGE_OPTIONS,
    maxArgs: 1,
    run: resync,
  },
  {
    names: ['mirror image snapshot'],
    usage: [['mirror image snapshot IMAGE', 'one more to be copied']],
    options: { ...IMAGE_OPTIONS, ...QUIESCE_OPTIONS },
    maxArgs: 1,
    run: snapshot,
  },
  {
    names: ['mirror image status'],
    usage: [['mirror image status IMAGE', 'how it fares']],
    options: { ...IMAGE_OPTIONS, ...FORMAT_OPTIONS },
    maxArgs: 1,
    run: status,
  },
];
