import type { ClassRegistry } from '@spirula/cls';
import { Errno } from '@spirula/encoding';
import { NOSNAP, OsdFlag, OsdOpCode, type OsdOpMessage, SNAPDIR } from '@spirula/messages';
import type { Config } from '@spirula/world';
import { mayWrite } from './op-engine.ts';
import { checkCalls } from './ops/call.ts';

/** OSD_WRITETOOBIG (EMSGSIZE). */
const WRITE_TOO_BIG = -90;

/** 0, or why a request on an object is refused whatever the object (PrimaryLogPG::do_op). */
export function checkRequest(message: OsdOpMessage, config: Config, classes: ClassRegistry): number {
  // To run operations at once was never built, there either.
  if ((message.flags & OsdFlag.parallelexec) !== 0) return Errno.EINVAL;
  const refused = checkCalls(message.ops, classes);
  if (refused !== 0) return refused;
  if (message.oid === '') return Errno.EINVAL;
  const longest = config.osd_max_object_name_len;
  if (message.oid.length > longest || message.locator.key.length > longest) return Errno.ENAMETOOLONG;
  if (message.locator.nspace.length > config.osd_max_object_namespace_len) return Errno.ENAMETOOLONG;
  // Clones are listed of the object in all its versions, which nothing else is about.
  const isOfAll = message.snapid === SNAPDIR;
  if (message.ops.some((op) => (op.code === OsdOpCode.listSnaps) !== isOfAll)) return Errno.EINVAL;
  if (!mayWrite(message.ops, classes)) return 0;
  // Snapshots are read only.
  if (message.snapid !== NOSNAP) return Errno.EINVAL;
  const bytes = message.ops.reduce((sum, op) => sum + op.input.length, 0);
  return bytes > config.osd_max_write_size * (1 << 20) ? WRITE_TOO_BIG : 0;
}
