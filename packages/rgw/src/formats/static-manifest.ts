/** The segments of a static large object (RGWSLOInfo, rgw_slo_entry). */
import type { Decoder, Encoder, RawString } from '@spirula/encoding';

export interface StaticEntry {
  /** `/container/object` */
  readonly path: RawString;
  readonly etag: RawString;
  readonly size: number;
}

/** Least bytes of an entry. */
const ENTRY_BYTES = 6 + 4 + 4 + 8;

export function encodeStaticManifest(to: Encoder, entries: readonly StaticEntry[]): void {
  to.struct(1, 1, () => {
    to.list(entries, ({ path, etag, size }) =>
      to.struct(1, 1, () => {
        to.rawString(path);
        to.rawString(etag);
        to.u64(size);
      }),
    );
    to.u64(entries.reduce((sum, { size }) => sum + size, 0));
  });
}

export function decodeStaticManifest(from: Decoder): StaticEntry[] {
  return from.struct('slo manifest', 1, () => {
    const entries = from.list('entries', ENTRY_BYTES, () =>
      from.struct('slo entry', 1, () => ({
        path: from.rawString('path'),
        etag: from.rawString('etag'),
        size: from.u64('size'),
      })),
    );
    from.u64('size of all');
    return entries;
  });
}
