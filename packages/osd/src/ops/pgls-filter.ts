/** Which objects a listing shows (osd/PGLSFilter: "plain" and "parent"). */
import { type Bytes, Decoder, equalBytes, MalformedInput, type RawString } from '@spirula/encoding';

/** A filter by one xattr, under the name the store has it; objects without it are not shown. */
export interface PglsFilter {
  readonly attr: RawString;
  accepts(value: Bytes): boolean;
}

/** The xattr of a file's object that names its ancestors (mds/inode_backtrace_t). */
const PARENT_ATTR: RawString = '_parent';
/** Of an ancestor at least. */
const ANCESTOR_BYTES = 26;

/** Undefined: no such filter. Filters of object classes (`CLASS.FILTER`) are none. @throws MalformedInput */
export function decodePglsFilter(from: Decoder): PglsFilter | undefined {
  switch (from.rawString('filter')) {
    case 'plain': {
      const attr = from.rawString('xattr');
      const value = from.blob('value');
      return { attr, accepts: (stored) => equalBytes(stored, value) };
    }
    case 'parent': {
      const parent = from.u64big('parent');
      return { attr: PARENT_ATTR, accepts: (stored) => hasAncestor(stored, parent) };
    }
    default:
      return undefined;
  }
}

/** Whether a directory is among the ancestors that a backtrace names. What does not decode names none. */
function hasAncestor(backtrace: Bytes, inode: bigint): boolean {
  try {
    const from = new Decoder(backtrace);
    return from.struct('backtrace', 5, () => {
      from.u64big('inode');
      const ancestors = from.list('ancestors', ANCESTOR_BYTES, () =>
        from.struct('ancestor', 2, () => {
          const directory = from.u64big('directory');
          from.rawString('name');
          from.u64big('version');
          return directory;
        }),
      );
      return ancestors.includes(inode);
    });
  } catch (error) {
    if (error instanceof MalformedInput) return false;
    throw error;
  }
}
