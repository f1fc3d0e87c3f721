/** `rbd task …` (TaskHandler.queue_*, task_cancel, task_list). */
import { Errno, rawFromText, textFromRaw } from '@spirula/encoding';
import { type Asker, type CommandArgs, type CommandOutcome, type ModuleCommand, refuse, succeed } from '@spirula/mgr';
import type { IoCtx } from '@spirula/rados';
import { Image, listTrash } from '@spirula/rbd';
import { answer, argument, authorize, type CommandScene, mayReach } from './command-scene.ts';
import { formatImageSpec, type ImageSpec, parseImageSpec } from './image-spec.ts';
import { dumpsSorted } from './python-json.ts';
import { ifThere, imageRefusal } from './refusal.ts';
import { describeTask, formatTask, type TaskAction, type TaskRefs } from './task.ts';
import type { TaskQueue } from './task-queue.ts';

export interface TaskScene extends CommandScene {
  readonly tasks: TaskQueue;
}

export function taskCommands(scene: TaskScene): readonly ModuleCommand[] {
  const command = answer(scene);
  return [
    command('w rbd task add flatten <image_spec>', 'have a clone made one no more', (args, asker) =>
      addForImage(scene, asker, args, 'flatten', (image, spec) => {
        if (!image.header.parent) throw notFound(`Image ${formatImageSpec(spec)} does not have a parent`);
        return `Flattening image ${formatImageSpec(spec)}`;
      }),
    ),
    command('w rbd task add remove <image_spec>', 'have an image removed', (args, asker) =>
      addForImage(scene, asker, args, 'remove', (image, spec) => {
        const text = formatImageSpec(spec);
        if (image.header.snapshots.length > 0) throw imageRefusal(Errno.EBUSY, `Image ${text} has snapshots`);
        return `Removing image ${text}`;
      }),
    ),
    command('w rbd task add trash remove <image_id_spec>', 'have an image removed from the trash', (args, asker) =>
      addForTrash(scene, asker, args),
    ),
    command('r rbd task cancel <task_id>', 'take a task back, also one that is being done', async (args, asker) => {
      const id = argument(args, 'task_id');
      const task = scene.tasks.byId(id);
      if (!task || !mayReachTask(asker, task.refs)) return noTask(id);
      await scene.tasks.cancel(task);
      return succeed('');
    }),
    command('r rbd task list [task_id]', 'list tasks that wait or are being done', async (args, asker) => {
      const { tasks } = scene;
      if (args['task_id'] === undefined || args['task_id'] === '') {
        const told = tasks.list().filter(({ refs }) => mayReachTask(asker, refs));
        return succeed(`${dumpsSorted(told.map(describeTask))}\n`);
      }
      const id = argument(args, 'task_id');
      const task = tasks.byId(id);
      if (!task || !mayReachTask(asker, task.refs)) return noTask(id);
      return succeed(`${dumpsSorted(describeTask(task))}\n`);
    }),
  ];
}

function mayReachTask(asker: Asker, { pool_name, pool_namespace }: TaskRefs): boolean {
  return mayReach(asker, pool_name, pool_namespace);
}

function noTask(id: string): CommandOutcome {
  return refuse(Errno.ENOENT, `No such task ${id}`);
}

function notFound(what: string) {
  return imageRefusal(Errno.ENOENT, what);
}

/** A task for the same, else a new one. @param message says what is done, or throws what stands against it */
async function addForImage(
  scene: TaskScene,
  asker: Asker,
  args: CommandArgs,
  action: TaskAction,
  message: (image: Image, spec: ImageSpec) => string,
): Promise<CommandOutcome> {
  const spec = parseImageSpec(argument(args, 'image_spec'));
  authorize(asker, spec.pool, spec.namespace);
  const io = await scene.pools.open(spec.pool, spec.namespace);
  const image = await openIfThere(scene, io, spec);
  const refs: TaskRefs = {
    ...{ action, pool_name: spec.pool, pool_namespace: spec.namespace, image_name: spec.image },
    ...(image && { image_id: textFromRaw(image.header.id) }),
  };
  const known = scene.tasks.find(refs);
  if (known) return succeed(`${formatTask(known)}\n`);
  if (!image) throw notFound(`Image ${formatImageSpec(spec)} does not exist`);
  return succeed(`${formatTask(await scene.tasks.add(message(image, spec), refs))}\n`);
}

async function addForTrash(scene: TaskScene, asker: Asker, args: CommandArgs): Promise<CommandOutcome> {
  const spec = parseImageSpec(argument(args, 'image_id_spec'));
  authorize(asker, spec.pool, spec.namespace);
  const refs: TaskRefs = {
    ...{ action: 'trash remove', pool_name: spec.pool, pool_namespace: spec.namespace, image_id: spec.image },
  };
  const known = scene.tasks.find(refs);
  if (known) return succeed(`${formatTask(known)}\n`);
  const io = await scene.pools.open(spec.pool, spec.namespace);
  const isThere = (await listTrash(io)).some(({ id }) => textFromRaw(id) === spec.image);
  if (!isThere) throw notFound('error retrieving image from trash');
  const message = `Removing image ${formatImageSpec(spec)} from trash`;
  return succeed(`${formatTask(await scene.tasks.add(message, refs))}\n`);
}

function openIfThere({ pools }: TaskScene, io: IoCtx, { image }: ImageSpec): Promise<Image | undefined> {
  return ifThere(Image.open(pools.rados, io, rawFromText(image)));
}
