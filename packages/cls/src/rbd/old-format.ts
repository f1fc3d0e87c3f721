/** Snapshots of an image of the old format (cls/rbd/cls_rbd.cc, old_snapshot_*). */
import { Errno, type RawString } from '@spirula/encoding';
import type { MethodContext } from '../method-context.ts';
import { ClassError, type ClassMethod, MethodFlag, method } from '../object-class.ts';
import { encodeWith } from '../stored-key.ts';
import { readNumber } from './header-keys.ts';
import { readOldHeader, writeOldHeader } from './old-header.ts';

const READ = MethodFlag.read;
const READ_WRITE = MethodFlag.read | MethodFlag.write;

/** Names end at a NUL: behind it, another would begin. */
function cut(name: RawString): RawString {
  return name.split('\0', 1)[0]!;
}

function snapList(object: MethodContext) {
  const { snapSeq, snapshots } = readOldHeader(object);
  return encodeWith((encoder) => {
    encoder.u64big(snapSeq);
    encoder.u32(snapshots.length);
    for (const { id, imageSize, name } of snapshots) {
      encoder.u64big(id);
      encoder.u64big(imageSize);
      encoder.rawString(name);
    }
  });
}

function snapAdd(object: MethodContext, { name, id }: { name: RawString; id: bigint }): void {
  const header = readOldHeader(object);
  const { snapshots, imageSize, snapSeq } = header;
  if (snapSeq > id) throw new ClassError(Errno.ESTALE);
  const limit = readNumber(object, 'snap_limit');
  if (limit !== undefined && BigInt(snapshots.length) >= limit) throw new ClassError(Errno.EDQUOT);
  if (snapshots.some((other) => other.name === name)) throw new ClassError(Errno.EEXIST);
  writeOldHeader(object, { ...header, snapSeq: id, snapshots: [{ id, imageSize, name }, ...snapshots] });
}

function snapRemove(object: MethodContext, name: RawString): void {
  const header = readOldHeader(object);
  const at = header.snapshots.findIndex((snapshot) => snapshot.name === name);
  if (at < 0) throw new ClassError(Errno.ENOENT);
  writeOldHeader(object, { ...header, snapshots: header.snapshots.filter((_, i) => i !== at) });
}

function snapRename(object: MethodContext, { id, name }: { id: bigint; name: RawString }): void {
  const header = readOldHeader(object);
  const { snapshots } = header;
  if (snapshots.some((snapshot) => snapshot.name === name)) throw new ClassError(Errno.EEXIST);
  const at = snapshots.findIndex((snapshot) => snapshot.id === id);
  if (at < 0) throw new ClassError(Errno.ENOENT);
  writeOldHeader(object, {
    ...header,
    snapshots: snapshots.map((snapshot, i) => (i === at ? { ...snapshot, name } : snapshot)),
  });
}

export const oldFormatMethods: Readonly<Record<string, ClassMethod>> = {
  snap_list: method(READ, () => undefined, snapList),
  snap_add: method(
    READ_WRITE,
    (input) => ({ name: cut(input.rawString('name')), id: input.u64big('snap id') }),
    snapAdd,
  ),
  snap_remove: method(READ_WRITE, (input) => cut(input.rawString('name')), snapRemove),
  snap_rename: method(
    READ_WRITE,
    (input) => ({ id: input.u64big('snap id'), name: cut(input.rawString('name')) }),
    snapRename,
  ),
};
