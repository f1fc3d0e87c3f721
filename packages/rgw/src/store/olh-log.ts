/** What the index's log of an OLH comes to (RGWRados::apply_olh_log). */
import { type OlhLog, OlhOp } from '@spirula/cls';
import { Errno, type RawString } from '@spirula/encoding';
import { RadosError } from '@spirula/rados';
import type { ObjectKey } from '../formats/object.ts';
import { keyOfIndex } from './layout.ts';
import type { OlhState, OlhTarget } from './olh-head.ts';

export interface RemovedVersion {
  readonly key: ObjectKey;
  /** Changes that linked a version before it went. */
  readonly linkedBefore: readonly RawString[];
}

export interface FollowedLog {
  /** The last epoch. */
  readonly epoch: bigint;
  /** Whether the OLH has not been there yet. */
  readonly isNew: boolean;
  /** What it is to lead to; undefined: to what it does. */
  readonly target: OlhTarget | undefined;
  /** No version is left. */
  readonly isEmpty: boolean;
  /** Versions whose objects go. */
  readonly removed: readonly RemovedVersion[];
  /** Of the changes that are in the log. */
  readonly opTags: readonly RawString[];
}

/** @throws RadosError EIO when the log holds what is not known here */
export function applyOlhLog(olh: OlhState, log: OlhLog): FollowedLog {
  let target: OlhTarget | undefined;
  let isEmpty = false;
  const removed: RemovedVersion[] = [];
  const linked: RawString[] = [];
  const opTags: RawString[] = [];
  let epoch = olh.version;
  for (const [at, entries] of log) {
    if (at > epoch) epoch = at;
    for (const entry of entries) {
      opTags.push(entry.opTag);
      // The OLH has been further.
      if (at < olh.version) continue;
      const key = keyOfIndex(entry.key);
      switch (entry.op) {
        case OlhOp.removeInstance:
          // What was removed where the OLH is, was removed before it got there.
          if (at > olh.version) removed.push({ key, linkedBefore: [...linked] });
          break;
        case OlhOp.link: {
          linked.push(entry.opTag);
          const before = (target ?? olh.target)?.key.instance ?? '';
          // Of versions linked at one epoch the first in order is the current one.
          if (at > olh.version || before === '' || before > key.instance) {
            target = { key, isDeleteMarker: entry.deleteMarker };
            isEmpty = false;
          }
          break;
        }
        case OlhOp.unlink:
          isEmpty = true;
          target = undefined;
          break;
        default:
          throw new RadosError(Errno.EIO, `${entry.key.name}: its log of versions has an operation ${entry.op}`);
      }
    }
  }
  return { epoch, isNew: epoch > olh.version, target, isEmpty, removed, opTags };
}
