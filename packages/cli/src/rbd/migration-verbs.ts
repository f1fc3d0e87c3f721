/** `rbd migration prepare|execute|commit|abort` (tools/rbd/action/Migration.cc). */
import { Errno, rawFromText } from '@spirula/encoding';
import {
  abortMigration,
  commitMigration,
  executeMigration,
  groupOf,
  Image,
  listChildren,
  prepareMigration,
  statusToEnd,
} from '@spirula/rbd';
import { describeErrno } from '../ceph/errno-text.ts';
import { openImage, openPool, orRefuse } from './context.ts';
import { imageWorld } from './image-world.ts';
import { NEW_IMAGE_OPTIONS, newImage } from './new-image.ts';
import { withProgress } from './progress.ts';
import { Refusal } from './refusal.ts';
import { takeDestinationSpec, takeImageSpec } from './spec.ts';
import { DESTINATION_OPTIONS, IMAGE_OPTIONS, PROGRESS_OPTIONS, type VerbContext, type VerbDefinition } from './verb.ts';

async function prepare(context: VerbContext): Promise<void> {
  const { rados, options, env } = context;
  const from = takeImageSpec(context, { snapshot: 'none' });
  const to = takeDestinationSpec(context, { snapshot: 'none', checked: 'all', isOptional: true });
  const io = await openPool(context, from);
  const source = await openImage(context, from, io);
  const { size: _, ...like } = await newImage(context, 0, source.header.features);
  const complaint = 'rbd: preparing migration failed';
  const hasClones = (await orRefuse(complaint, listChildren(rados, io, source.header))).length > 0;
  if (hasClones || (await orRefuse(complaint, groupOf(rados, io, source.header.id)))) {
    env.stderr(`rbd: ${hasClones ? 'images that have clones' : 'images in groups'} do not migrate here\n`);
    throw new Refusal(`${complaint}: ${describeErrno(Errno.EOPNOTSUPP)}`, -Errno.EOPNOTSUPP);
  }
  const preparing = prepareMigration(
    rados,
    { io, name: rawFromText(from.image) },
    { io: await openPool(context, to), name: rawFromText(to.image === '' ? from.image : to.image) },
    { ...like, isFlat: options.has('flatten') },
    imageWorld,
  );
  await orRefuse(complaint, preparing);
}

type Step = typeof executeMigration;
type ImagePlace = Parameters<Step>[1];
type Check = (context: VerbContext, place: ImagePlace) => Promise<void>;

/** @param doing what the progress is of @param complaint what is said when it fails */
function step(doing: string, complaint: string, work: Step, check?: Check) {
  return async (context: VerbContext) => {
    const spec = takeImageSpec(context, { snapshot: 'none' });
    const place = { io: await openPool(context, spec), name: rawFromText(spec.image) };
    if (check) await check(context, place);
    const working = withProgress(context, doing, (onProgress) => work(context.rados, place, imageWorld, onProgress));
    await orRefuse(complaint, working);
  };
}

/** Clones of it that are open are not told where it is then. */
async function requireChildless({ rados, options, env }: VerbContext, { io, name }: ImagePlace): Promise<void> {
  const complaint = 'rbd: getting migration status failed';
  const { destination } = await orRefuse(complaint, statusToEnd(rados, { io, name }, imageWorld));
  const image = await orRefuse(complaint, Image.openId(rados, destination.io, destination.id));
  const children = await orRefuse(
    'rbd: listing descendants failed',
    listChildren(rados, destination.io, image.header, { isDeep: true }),
  );
  if (children.length === 0) return;
  const names = children.map(
    (child) => `  ${[child.poolName, child.namespace, child.name].filter((part) => part !== '').join('/')}`,
  );
  env.stderr(`rbd: the image has ${children.length > 1 ? 'descendants' : 'a descendant'}: \n${names.join('\n')}\n`);
  env.stderr('Warning: in-use, read-only descendant images will not detect the parent update.\n');
  if (options.has('force')) return;
  throw new Refusal('Ensure no descendant images are opened read-only and run again with --force.', -Errno.EBUSY);
}

const STEP_OPTIONS = { ...IMAGE_OPTIONS, ...PROGRESS_OPTIONS };

export const migrationVerbs: readonly VerbDefinition[] = [
  {
    names: ['migration prepare'],
    usage: [
      ['migration prepare IMAGE [IMAGE]', 'it is at the second place from now on, and what create takes [--flatten]'],
    ],
    options: {
      ...IMAGE_OPTIONS,
      ...DESTINATION_OPTIONS,
      ...NEW_IMAGE_OPTIONS,
      '--flatten': ['flatten', 'flag'],
    },
    maxArgs: 2,
    run: prepare,
  },
  {
    names: ['migration execute'],
    usage: [['migration execute IMAGE', 'all that is at the first place is copied [--no-progress]']],
    options: STEP_OPTIONS,
    maxArgs: 1,
    run: step('Image migration', 'rbd: migration failed', executeMigration),
  },
  {
    names: ['migration commit'],
    usage: [['migration commit IMAGE', 'what is at the first place goes [--force] [--no-progress]']],
    options: { ...STEP_OPTIONS, '--force': ['force', 'flag'] },
    maxArgs: 1,
    run: step('Commit image migration', 'rbd: committing migration failed', commitMigration, requireChildless),
  },
  {
    names: ['migration abort'],
    usage: [['migration abort IMAGE', 'it is at the first place again, as it is now [--no-progress]']],
    options: STEP_OPTIONS,
    maxArgs: 1,
    run: step('Abort image migration', 'rbd: aborting migration failed', abortMigration),
  },
];
