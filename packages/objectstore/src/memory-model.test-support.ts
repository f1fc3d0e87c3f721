import { type Bytes, EMPTY, equalBytes, type RawString } from '@spirula/encoding';
import type { HObject } from '@spirula/maps';
import { type Extents, extent, intersectExtents, subtractExtents, unionOfExtents } from './extents.ts';
import { objectOrder } from './key-space.ts';
import type { Cid, ObjectStore, Transaction, TransactionOp } from './object-store.ts';

interface ModelObject {
  readonly oid: HObject;
  data: Bytes;
  /** What of the data is no hole. */
  written: Extents;
  readonly attrs: Map<RawString, Bytes>;
  readonly omap: Map<RawString, Bytes>;
  header: Bytes;
}

/** What an object store means, in the plainest form: for tests to compare with. */
export class MemoryModel {
  readonly #collections = new Map<Cid, Map<RawString, ModelObject>>();

  copy(): MemoryModel {
    const copy = new MemoryModel();
    for (const [cid, objects] of this.#collections) {
      const copies = new Map([...objects].map(([key, object]) => [key, copyObject(object, object.oid)]));
      copy.#collections.set(cid, copies);
    }
    return copy;
  }

  apply(transaction: Transaction): void {
    for (const op of transaction) this.#apply(op);
  }

  /** One sentence about a difference, or nothing. */
  differenceFrom(store: ObjectStore, cid: Cid): string {
    const expected = [...(this.#collections.get(cid) ?? [])].sort(([a], [b]) => (a < b ? -1 : 1));
    const listed = store.list(cid, undefined, 1000).map(objectOrder);
    if (listed.join('|') !== expected.map(([key]) => key).join('|')) return 'other objects are listed';
    for (const [, { oid, data, written, attrs, omap, header }] of expected) {
      if (store.stat(cid, oid)?.size !== data.length) return `${oid.name} has another size`;
      if (!equalBytes(store.read(cid, oid, 0, data.length + 1), data)) return `${oid.name} has other data`;
      const extents = JSON.stringify(store.extents(cid, oid, 0, data.length + 1));
      if (extents !== JSON.stringify(written))
        return `${oid.name} has other holes: ${extents}, not ${JSON.stringify(written)}`;
      if (!equalMaps(store.getAttrs(cid, oid), attrs)) return `${oid.name} has other attrs`;
      const ordered = new Map([...omap].sort(([a], [b]) => (a < b ? -1 : 1)));
      if (!equalMaps(store.omapList(cid, oid, '', 1000), ordered)) return `${oid.name} has another omap`;
      if (!equalBytes(store.omapHeader(cid, oid), header)) return `${oid.name} has another omap header`;
    }
    return '';
  }

  #apply(op: TransactionOp): void {
    if (op.op === 'createCollection') {
      this.#collections.set(op.cid, new Map());
      return;
    }
    if (op.op === 'removeCollection') {
      this.#collections.delete(op.cid);
      return;
    }
    const objects = this.#collections.get(op.cid)!;
    const key = objectOrder(op.oid);
    if (op.op === 'remove') {
      objects.delete(key);
      return;
    }
    if (op.op === 'clone') {
      const source = objects.get(key);
      if (source === undefined) objects.delete(objectOrder(op.to));
      else objects.set(objectOrder(op.to), copyObject(source, op.to));
      return;
    }
    const object = objects.get(key) ?? {
      oid: op.oid,
      data: EMPTY,
      written: [],
      attrs: new Map(),
      omap: new Map(),
      header: EMPTY,
    };
    objects.set(key, object);
    switch (op.op) {
      case 'write':
        if (op.data.length > 0) object.data = patched(object.data, op.offset, op.data);
        object.written = unionOfExtents(object.written, extent(op.offset, op.data.length));
        break;
      case 'zero':
        if (op.length > 0) object.data = patched(object.data, op.offset, new Uint8Array(op.length));
        object.written = subtractExtents(object.written, extent(op.offset, op.length));
        break;
      case 'truncate': {
        const data = new Uint8Array(op.size);
        data.set(object.data.subarray(0, op.size));
        object.data = data;
        object.written = intersectExtents(object.written, extent(0, op.size));
        break;
      }
      case 'setAttrs':
        for (const [name, value] of op.attrs) object.attrs.set(name, value);
        break;
      case 'rmAttr':
        object.attrs.delete(op.name);
        break;
      case 'rmAttrs':
        object.attrs.clear();
        break;
      case 'omapSet':
        for (const [name, value] of op.entries) object.omap.set(name, value);
        break;
      case 'omapRmKeys':
        for (const name of op.keys) object.omap.delete(name);
        break;
      case 'omapRmRange':
        for (const name of [...object.omap.keys()]) if (name >= op.first && name < op.last) object.omap.delete(name);
        break;
      case 'omapClear':
        object.omap.clear();
        object.header = EMPTY;
        break;
      case 'omapSetHeader':
        object.header = op.header;
        break;
      case 'touch':
        break;
    }
  }
}

function copyObject({ data, written, attrs, omap, header }: ModelObject, oid: HObject): ModelObject {
  return { oid, data, written, attrs: new Map(attrs), omap: new Map(omap), header };
}

function patched(data: Bytes, offset: number, patch: Bytes): Bytes {
  const result = new Uint8Array(Math.max(data.length, offset + patch.length));
  result.set(data);
  result.set(patch, offset);
  return result;
}

function equalMaps(a: ReadonlyMap<RawString, Bytes>, b: ReadonlyMap<RawString, Bytes>): boolean {
  if (a.size !== b.size) return false;
  for (const [key, value] of b) if (!equalBytes(a.get(key) ?? EMPTY, value)) return false;
  return [...a.keys()].every((key) => b.has(key));
}
