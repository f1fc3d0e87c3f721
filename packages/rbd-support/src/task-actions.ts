/** What tasks do, and which errors end them: of others it is tried again (TaskHandler.execute_*). */
import { Errno, type RawString, rawFromText } from '@spirula/encoding';
import { type IoCtx, type Rados, RadosError } from '@spirula/rados';
import {
  abortMigration,
  commitMigration,
  executeMigration,
  type ImageWorld,
  removeFromTrash,
  removeImage,
  WritableImage,
} from '@spirula/rbd';
import { imageErrorText } from './refusal.ts';
import type { Task, TaskAction, TaskRefs } from './task.ts';

/** @throws whatever ends the work */
export type OnProgress = (done: number, of: number) => void;

export interface Workplace {
  readonly rados: Rados;
  readonly world: ImageWorld;
  /** Of the pool and namespace. */
  readonly io: IoCtx;
}

/** It is tried again. */
export class TryAgain extends Error {
  override readonly name = 'TryAgain';
}

interface Action {
  run(place: Workplace, refs: TaskRefs, onProgress: OnProgress): Promise<void>;
  /** Errors that say that there is nothing to do. */
  readonly over: ReadonlySet<number>;
  /** What it is called when it fails, in the words of the Python binding. */
  complaint(refs: TaskRefs): string;
  /** Half of it is neither one thing nor the other: it goes on also when the task is taken back. */
  readonly goesOn?: true;
}

const ACTIONS: Readonly<Record<TaskAction, Action>> = {
  flatten: {
    async run({ rados, io, world }, refs, onProgress) {
      const image = await WritableImage.open(rados, io, nameOf(refs), world);
      try {
        await image.flatten(onProgress);
      } finally {
        await image.close();
      }
    },
    over: new Set([Errno.ENOENT, Errno.EINVAL]),
    complaint: ({ image_name = '' }) => `error flattening b'${image_name}'`,
  },
  remove: {
    run: ({ rados, io, world }, refs, onProgress) => removeImage(rados, io, nameOf(refs), world, onProgress),
    over: new Set([Errno.ENOENT]),
    complaint: () => 'error removing image',
  },
  'trash remove': {
    run: ({ rados, io, world }, { image_id = '' }, onErased) =>
      removeFromTrash(rados, io, rawFromText(image_id), { isForced: false, onErased }, world),
    over: new Set([Errno.ENOENT]),
    complaint: () => 'error deleting image from trash',
  },
  'migrate execute': migration(executeMigration),
  'migrate commit': { ...migration(commitMigration), goesOn: true },
  'migrate abort': migration(abortMigration),
};

function migration(step: typeof executeMigration): Action {
  return {
    run: ({ rados, io, world }, refs, onProgress) => step(rados, { io, name: nameOf(refs) }, world, onProgress),
    over: new Set([Errno.ENOENT, Errno.EINVAL]),
    // Of all three.
    complaint: () => 'error aborting migration',
  };
}

function nameOf({ image_name = '' }: TaskRefs): RawString {
  return rawFromText(image_name);
}

/** Whether it ends when it is taken back. */
export function mayStop({ refs }: Task): boolean {
  return ACTIONS[refs.action].goesOn !== true;
}

/** Resolves to whether there was something to do. @throws TryAgain, and what `onProgress` throws */
export async function perform({ refs }: Task, place: Workplace, onProgress: OnProgress): Promise<boolean> {
  const action = ACTIONS[refs.action];
  try {
    await action.run(place, refs, onProgress);
    return true;
  } catch (error) {
    if (!(error instanceof RadosError)) throw error;
    if (action.over.has(error.code)) return false;
    throw new TryAgain(imageErrorText(error.code, action.complaint(refs)));
  }
}
