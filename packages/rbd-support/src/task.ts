/** Work on images that is to be done, as it stands in the pools' `rbd_task` objects (rbd_support/task.py, Task). */
import { dumps, Float, type Json } from './python-json.ts';

const TASK_ACTIONS = [
  'flatten',
  'remove',
  'trash remove',
  'migrate execute',
  'migrate commit',
  'migrate abort',
] as const;

export type TaskAction = (typeof TASK_ACTIONS)[number];

/** What a task is about. Of two tasks for the same only one is done. */
export interface TaskRefs {
  readonly action: TaskAction;
  readonly pool_name: string;
  readonly pool_namespace: string;
  /** Not of what is in the trash. */
  readonly image_name?: string;
  readonly image_id?: string;
}

export interface Task {
  /** From 1, of all pools together. */
  readonly sequence: number;
  readonly id: string;
  /** For people. */
  readonly message: string;
  readonly refs: TaskRefs;
  retryAttempts: number;
  /** Local time, ISO 8601; '': it has not failed yet. */
  retryTime: string;
  /** Why it is to be tried again. */
  retryMessage: string;
  /** 0 .. 1; undefined: it is not being done. */
  progress: number | undefined;
  isCanceled: boolean;
}

export function newTask(sequence: number, id: string, message: string, refs: TaskRefs): Task {
  return {
    ...{ sequence, id, message, refs },
    ...{ retryAttempts: 0, retryTime: '', retryMessage: '', progress: undefined, isCanceled: false },
  };
}

export function sequenceKey(sequence: number): string {
  return sequence.toString(16).toUpperCase().padStart(16, '0');
}

export function describeTask(task: Task): { readonly [name: string]: Json } {
  const { sequence, id, message, refs, retryMessage, retryAttempts, retryTime, progress, isCanceled } = task;
  return {
    sequence,
    id,
    message,
    refs: { ...refs },
    ...(retryMessage !== '' && { retry_message: retryMessage }),
    ...(retryAttempts > 0 && { retry_attempts: retryAttempts }),
    ...(retryTime !== '' && { retry_time: retryTime }),
    ...(progress !== undefined && { in_progress: true, progress: new Float(progress) }),
    ...(isCanceled && { canceled: true }),
  };
}

export function formatTask(task: Task): string {
  return dumps(describeTask(task));
}

/** Undefined: it is none that this module knows. */
export function parseTask(text: string): Task | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  const { sequence, id, message, refs } = (value ?? {}) as Partial<Record<string, unknown>>;
  if (typeof sequence !== 'number' || typeof id !== 'string' || typeof message !== 'string') return undefined;
  return isRefs(refs) ? newTask(sequence, id, message, refs) : undefined;
}

function isRefs(refs: unknown): refs is TaskRefs {
  if (typeof refs !== 'object' || refs === null) return false;
  const { action, pool_name, pool_namespace, image_name, image_id } = refs as Record<string, unknown>;
  const known = TASK_ACTIONS.some((each) => each === action);
  const strings = [image_name, image_id].every((each) => each === undefined || typeof each === 'string');
  return known && strings && typeof pool_name === 'string' && typeof pool_namespace === 'string';
}

/** Whether a task is for the same; where the image is no more, its name alone tells. */
export function isFor({ refs }: Task, wanted: TaskRefs): boolean {
  const isSameImage = wanted.image_id === undefined || refs.image_id === wanted.image_id;
  return (
    isSameImage &&
    refs.action === wanted.action &&
    refs.pool_name === wanted.pool_name &&
    refs.pool_namespace === wanted.pool_namespace &&
    refs.image_name === wanted.image_name
  );
}
