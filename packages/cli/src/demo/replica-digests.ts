import { createHash } from 'node:crypto';
import { textFromRaw } from '@spirula/encoding';
import type { HObject } from '@spirula/maps';
import { type Cid, createObjectStore, type ObjectStore } from '@spirula/objectstore';
import { nodeCrypto, openStorage } from '@spirula/runtime-node';
import type { DeviceError, Log } from '@spirula/world';

const PAGE = 1000;
const READ_CHUNK = 4 << 20;
const SILENT: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/**
 * Digest of every object in the store of a stopped OSD, by object name: data, xattrs and omap, read from the disk and not
 * through a cluster.
 *
 * @throws StorageProblem, and UnreadableObject when a block does not fit its checksum.
 */
export async function digestReplicas(dir: string, owner: string, deviceBytes: number): Promise<Map<string, string>> {
  const digests = new Map<string, string>();
  const listener = {
    onCommitted: () => {},
    onFlushed: () => {},
    onStorageFailed: (error: DeviceError) => {
      throw error;
    },
    onFailure: (error: unknown) => {
      throw error;
    },
  };
  const storage = await openStorage({ kind: 'disk', dir }, owner, deviceBytes, SILENT, listener);
  try {
    const store = createObjectStore({ ...storage, crypto: nodeCrypto, log: SILENT, buggify: () => false });
    store.mount();
    for (const cid of store.collections()) {
      for (const object of objectsOf(store, cid))
        digests.set(textFromRaw(object.name), digestObject(store, cid, object));
    }
  } finally {
    await storage.close('orderly');
  }
  return digests;
}

/** Objects that clients wrote: a PG's own metadata have no name, and the OSD's belong to no PG. */
function* objectsOf(store: ObjectStore, cid: Cid): Generator<HObject> {
  if (cid === 'meta') return;
  let start: HObject | undefined;
  for (;;) {
    const page = store.list(cid, start, PAGE);
    const fresh = start === undefined ? page : page.slice(1);
    for (const object of fresh) if (object.name !== '') yield object;
    if (page.length < PAGE) return;
    start = page.at(-1);
  }
}

function digestObject(store: ObjectStore, cid: Cid, object: HObject): string {
  const hash = createHash('sha256');
  const size = store.stat(cid, object)?.size ?? 0;
  hash.update(`size ${size}\0`);
  for (let at = 0; at < size; at += READ_CHUNK) hash.update(store.read(cid, object, at, READ_CHUNK));
  for (const [name, value] of [...store.getAttrs(cid, object)].sort(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(`xattr ${name} ${value.length}\0`).update(value);
  }
  hash.update('omap\0').update(store.omapHeader(cid, object));
  for (let start = ''; ; ) {
    const page = store.omapList(cid, object, start, PAGE);
    for (const [key, value] of page) hash.update(`${key} ${value.length}\0`).update(value);
    if (page.size < PAGE) return hash.digest('hex');
    start = `${[...page.keys()].at(-1)}\0`;
  }
}
