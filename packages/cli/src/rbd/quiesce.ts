/** Whether who has an image open is asked to write what it holds before a snapshot (tools/rbd/Utils.cc, get_snap_create_flags). */
import type { OptionTable } from '../ceph/global-options.ts';
import { Refusal } from './refusal.ts';

const EINVAL = 22;

export const QUIESCE_OPTIONS: OptionTable = {
  '--skip-quiesce': ['skip_quiesce', 'flag'],
  '--ignore-quiesce-error': ['ignore_quiesce_error', 'flag'],
};

/** @throws Refusal: both are given */
export function requireOneQuiesce(options: ReadonlyMap<string, string>): void {
  if (options.has('skip_quiesce') && options.has('ignore_quiesce_error')) {
    throw new Refusal('rbd: ignore-quiesce-error cannot be used together with skip-quiesce', EINVAL);
  }
}
