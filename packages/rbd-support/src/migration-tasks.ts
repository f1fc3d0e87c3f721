/** `rbd task add migration execute|commit|abort` (TaskHandler.queue_migration_*). */
import { MigrationState } from '@spirula/cls';
import { Errno, rawFromText, textFromRaw } from '@spirula/encoding';
import { type Asker, type CommandArgs, type CommandOutcome, type ModuleCommand, succeed } from '@spirula/mgr';
import { type Rados, RadosError } from '@spirula/rados';
import { type MigrationEnd, type MigrationStatus, migrationStatus } from '@spirula/rbd';
import { answer, argument, authorize } from './command-scene.ts';
import { formatImageSpec, parseImageSpec } from './image-spec.ts';
import { imageRefusal } from './refusal.ts';
import { formatTask, type TaskAction, type TaskRefs } from './task.ts';
import type { TaskScene } from './task-commands.ts';

interface Step {
  readonly action: TaskAction;
  readonly help: string;
  /** States in which it may be asked for; undefined: all. */
  readonly states: readonly number[] | undefined;
  /** What is said of an image in another state. */
  readonly refusal: string;
  /** @param spec as it was asked for */
  message(spec: string, rados: Rados, status: MigrationStatus): string;
}

const STEPS: Readonly<Record<string, Step>> = {
  execute: {
    action: 'migrate execute',
    help: 'have all copied that an image has where it comes from',
    states: [MigrationState.prepared, MigrationState.executing],
    refusal: 'is not in ready state',
    message: (_, rados, { source, destination }) =>
      `Migrating image ${formatEnd(rados, source)} to ${formatEnd(rados, destination)}`,
  },
  commit: {
    action: 'migrate commit',
    help: 'have what an image has left where it comes from removed',
    states: [MigrationState.executed],
    refusal: 'has not completed migration',
    message: (spec) => `Committing image migration for ${spec}`,
  },
  abort: {
    action: 'migrate abort',
    help: 'have an image put back where it comes from',
    states: undefined,
    refusal: '',
    message: (spec) => `Aborting image migration for ${spec}`,
  },
};

export function migrationCommands(scene: TaskScene): readonly ModuleCommand[] {
  const command = answer(scene);
  return Object.entries(STEPS).map(([name, step]) =>
    command(`w rbd task add migration ${name} <image_spec>`, step.help, (args, asker) => add(scene, asker, args, step)),
  );
}

/** A task for the same, else a new one. */
async function add(scene: TaskScene, asker: Asker, args: CommandArgs, step: Step): Promise<CommandOutcome> {
  const spec = parseImageSpec(argument(args, 'image_spec'));
  authorize(asker, spec.pool, spec.namespace);
  const { rados } = scene.pools;
  const io = await scene.pools.open(spec.pool, spec.namespace);
  const status = await ifMigrating(migrationStatus(rados, { io, name: rawFromText(spec.image) }));
  const refs: TaskRefs = {
    ...{ action: step.action, pool_name: spec.pool, pool_namespace: spec.namespace, image_name: spec.image },
    ...(status && { image_id: textFromRaw(status.destination.id) }),
  };
  const known = scene.tasks.find(refs);
  if (known) return succeed(`${formatTask(known)}\n`);
  const text = formatImageSpec(spec);
  if (!status) throw imageRefusal(Errno.EINVAL, `Image ${text} is not migrating`);
  if (step.states && !step.states.includes(status.state))
    throw imageRefusal(Errno.EINVAL, `Image ${text} ${step.refusal}`);
  return succeed(`${formatTask(await scene.tasks.add(step.message(text, rados, status), refs))}\n`);
}

async function ifMigrating(asked: Promise<MigrationStatus>): Promise<MigrationStatus | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof RadosError && (error.code === Errno.ENOENT || error.code === Errno.EINVAL)) return undefined;
    throw error;
  }
}

function formatEnd(rados: Rados, { io, name }: MigrationEnd): string {
  const pool = rados.poolName(io.pool) ?? '<unknown>';
  return formatImageSpec({ pool, namespace: textFromRaw(io.nspace), image: textFromRaw(name) });
}
