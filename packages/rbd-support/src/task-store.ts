/** Tasks as the pools keep them: one manager goes on with what another has begun (TaskHandler.load_task_queue, add_task, remove_task). */
import { rawFromText, utf8 } from '@spirula/encoding';
import type { IoCtx } from '@spirula/rados';
import { omapTexts } from './omap-pages.ts';
import { ifThere } from './refusal.ts';
import { formatTask, parseTask, sequenceKey, type Task } from './task.ts';

const OID = 'rbd_task';

/** Those that this module knows; in the order in which they were added. @throws RadosError */
export async function loadTasks(io: IoCtx): Promise<readonly Task[]> {
  const texts = await omapTexts(io, OID);
  return [...texts.values()].map(parseTask).filter((task) => task !== undefined);
}

/** It is durable when it resolves. @throws RadosError */
export async function saveTask(io: IoCtx, task: Task): Promise<void> {
  await io.omapSet(OID, new Map([[rawFromText(sequenceKey(task.sequence)), utf8(formatTask(task))]]));
}

/** @throws RadosError */
export async function forgetTask(io: IoCtx, { sequence }: Task): Promise<void> {
  await ifThere(io.omapRmKeys(OID, [rawFromText(sequenceKey(sequence))]));
}
