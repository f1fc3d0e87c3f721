/** The methods of the log of a bucket's changes (bi_log_list, bi_log_trim, bi_log_resync, bi_log_stop). */
import { type Bytes, Errno } from '@spirula/encoding';
import type { MethodContext } from '../method-context.ts';
import { ClassError, decodeStored } from '../object-class.ts';
import {
  type BilogEntry,
  type BilogListInput,
  type BilogTrimInput,
  decodeBilogEntry,
  encodeBilogListReply,
} from './bilog-codec.ts';
import { logChange, readHeader, writeHeader } from './bucket-index.ts';
import { ModifyOp, PendingState } from './dir-entry.ts';
import { NO_ENTRY_VERSION } from './entry-version.ts';
import { INSTANCE_PREFIX, LOG_PREFIX } from './index-key.ts';
import { NO_OBJECT_KEY } from './object-key.ts';

export function listBilog(object: MethodContext, { marker, max }: BilogListInput): Bytes {
  const page = object.omapList({ after: LOG_PREFIX + marker, max });
  const entries: BilogEntry[] = [];
  for (const [key, value] of page.entries) {
    if (key > INSTANCE_PREFIX) return encodeBilogListReply({ entries, truncated: false });
    entries.push(decodeStored(value, decodeBilogEntry));
  }
  return encodeBilogListReply({ entries, truncated: page.more });
}

/** ENODATA: there is nothing to trim (any more). */
export function trimBilog(object: MethodContext, { start, end }: BilogTrimInput): void {
  const limit = end === '' ? INSTANCE_PREFIX : `${LOG_PREFIX}${end}\0`;
  const [first] = object.omapKeys({ after: LOG_PREFIX + start, max: 1 }).keys;
  if (first === undefined || limit < first) throw new ClassError(Errno.ENODATA);
  object.omapRemoveRange(first, limit);
}

/** Says in the log that it begins or ends, and logs changes from now on or no more. */
export function switchBilog(object: MethodContext, stop: boolean): void {
  const header = logChange(object, readHeader(object), {
    key: NO_OBJECT_KEY,
    timestamp: object.now(),
    version: NO_ENTRY_VERSION,
    op: stop ? ModifyOp.syncStop : ModifyOp.resync,
    state: PendingState.complete,
    indexVersion: 0n,
    tag: '',
    flags: 0,
    zonesTrace: [],
  });
  writeHeader(object, { ...header, syncStopped: stop });
}
