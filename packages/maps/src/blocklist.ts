import { type EntityAddr, Errno } from '@spirula/encoding';
import type { OsdMap } from './osdmap.ts';

/** What a blocklisted client's requests are answered with. */
export const EBLOCKLISTED = Errno.ESHUTDOWN;

/** The entries of each map, without their protocols: an entry is of any. */
const entries = new WeakMap<OsdMap['blocklist'], ReadonlySet<string>>();

function place({ ip, port, nonce }: EntityAddr): string {
  return `${ip} ${port} ${nonce}`;
}

/** Whether the client of this address, or its whole machine, is blocklisted (OSDMap::is_blocklisted). */
export function isBlocklisted({ blocklist }: OsdMap, addr: EntityAddr): boolean {
  if (blocklist.length === 0) return false;
  let known = entries.get(blocklist);
  if (!known) {
    known = new Set(blocklist.map(([each]) => place(each)));
    entries.set(blocklist, known);
  }
  return known.has(place(addr)) || known.has(place({ ...addr, port: 0, nonce: 0 }));
}
