import type { Rados } from '@spirula/rados';
import type { ToolEnvironment } from '../ceph/environment.ts';
import type { OptionTable } from '../ceph/global-options.ts';
import type { Words } from './words.ts';

/** What a verb works with. */
export interface VerbContext {
  readonly env: ToolEnvironment;
  readonly options: ReadonlyMap<string, string>;
  /** The words after the verb. */
  readonly args: Words;
  readonly rados: Rados;
}

export type Verb = (context: VerbContext) => Promise<void>;
/** What a verb works with that needs no cluster. */
export type OfflineContext = Omit<VerbContext, 'rados'>;

/** A command of `rbd`, as its file gives it to the table of all. */
export type VerbDefinition = VerbForm &
  ({ readonly run: Verb } | { readonly runOffline: (context: OfflineContext) => Promise<void> });

interface VerbForm {
  /** `snap rm` and other spellings of it. */
  readonly names: readonly string[];
  /** Lines of --help: what is written, and what it does. */
  readonly usage: readonly (readonly [line: string, meaning: string])[];
  /** Beside those that every tool takes. A spelling takes a value in all verbs that know it, or in none. */
  readonly options: OptionTable;
  /** Words that may follow. */
  readonly maxArgs: number;
}

export const FORMAT_OPTIONS: OptionTable = { '--format': ['format', 'value'], '--pretty-format': ['pretty', 'flag'] };
export const POOL_OPTIONS: OptionTable = {
  '-p': ['pool', 'value'],
  '--pool': ['pool', 'value'],
  '--namespace': ['namespace', 'value'],
};
export const IMAGE_OPTIONS: OptionTable = { ...POOL_OPTIONS, '--image': ['image', 'value'] };
export const IMAGE_ID_OPTIONS: OptionTable = { '--image-id': ['image_id', 'value'] };
export const SNAPSHOT_OPTIONS: OptionTable = { ...IMAGE_OPTIONS, '--snap': ['snap', 'value'] };
export const PROGRESS_OPTIONS: OptionTable = { '--no-progress': ['no_progress', 'flag'] };
/** Of verbs that make a second image, snapshot or group of one. */
export const DESTINATION_OPTIONS: OptionTable = {
  '--dest-pool': ['dest_pool', 'value'],
  '--dest-namespace': ['dest_namespace', 'value'],
  '--dest': ['dest', 'value'],
  '--dest-snap': ['dest_snap', 'value'],
};
