/** What a bucket's index keeps of versions, and how it is told of them: the methods of the class `rgw` for OLHs. */
import {
  BiType,
  type DirEntry,
  decodeBiEntry,
  decodeDirEntry,
  decodeOlhEntry,
  decodeOlhLogReply,
  EntryFlag,
  type EntryMeta,
  encodeBiGetInput,
  encodeClearOlhInput,
  encodeLinkOlhInput,
  encodeOlhLogInput,
  encodeUnlinkInstanceInput,
  NO_META,
  type OlhEntry,
  type OlhLogReply,
} from '@spirula/cls';
import { type Bytes, type Decoder, Errno, type RawString } from '@spirula/encoding';
import { RadosError } from '@spirula/rados';
import type { ObjectKey } from '../formats/object.ts';
import { keyToIndexName } from './layout.ts';
import { decodeStored } from './meta-object.ts';
import { type IndexGuard, indexKey, type ObjectIndex } from './object-index.ts';

const NO_LOG = { logOp: false, bilogFlags: 0, zonesTrace: [] };
const NO_CONDITION = { unmodifiedSince: { sec: 0, nsec: 0 }, highPrecision: false };
/** The next one. */
const NEXT_EPOCH = 0n;
/** The omap keys of version null: as a delete marker, as an object (cls_rgw.cc, encode_obj_versioned_data_key). */
const nullKeys = (name: RawString): readonly RawString[] => [`\x801000_${name}\0i\0d`, `\x801000_${name}\0i`];

/** The omap key of a name's OLH (encode_olh_data_key). */
const olhOmapKey = (name: RawString): RawString => `\x801001_${name}`;

/** A change of an OLH: of which one, and by what it is known. */
export interface OlhChange {
  readonly olhTag: RawString;
  readonly opTag: RawString;
}

export class OlhIndex {
  readonly #index: ObjectIndex;

  constructor(index: ObjectIndex) {
    this.#index = index;
  }

  /**
   * Makes a version the current one. `deleteMarker`: it is one, which this makes.
   *
   * @param epoch of a version that was linked before: it stays where it is among the others, and listings are told of it anew
   * @throws RadosError ECANCELED: the name's OLH is another one; ENOENT: there is no such version, or a delete marker is current
   */
  async link(
    key: ObjectKey,
    { olhTag, opTag }: OlhChange,
    deleteMarker: EntryMeta | undefined,
    guard?: IndexGuard,
    epoch = NEXT_EPOCH,
  ): Promise<void> {
    const meta = deleteMarker ?? NO_META;
    const isMarker = deleteMarker !== undefined;
    const what = { key: indexKey(key), olhTag, opTag, deleteMarker: isMarker, meta, olhEpoch: epoch };
    const input = encodeLinkOlhInput({ ...what, ...NO_LOG, ...NO_CONDITION });
    await this.#index.change(key, 'bucket_link_olh', input, guard);
  }

  /** A version goes. @throws RadosError ECANCELED: the name's OLH is another one */
  async unlink(key: ObjectKey, { olhTag, opTag }: OlhChange, guard?: IndexGuard): Promise<void> {
    const input = { key: indexKey(key), olhTag, opTag, olhEpoch: NEXT_EPOCH, ...NO_LOG };
    await this.#index.change(key, 'bucket_unlink_instance', encodeUnlinkInstanceInput(input), guard);
  }

  /** What is to be done with the objects of the data pool, since it was last trimmed. @throws RadosError ECANCELED */
  async readLog(key: ObjectKey, olhTag: RawString): Promise<OlhLogReply> {
    const input = encodeOlhLogInput({ olh: olhKeyOf(key), epoch: 0n, olhTag });
    const { oid, output } = await this.#index.ask(key, 'bucket_read_olh_log', input);
    return decodeStored(oid, output, decodeOlhLogReply);
  }

  /** It was done, up to this epoch. @throws RadosError ECANCELED */
  async trimLog(key: ObjectKey, olhTag: RawString, epoch: bigint): Promise<void> {
    const input = encodeOlhLogInput({ olh: olhKeyOf(key), epoch, olhTag });
    await this.#index.change(key, 'bucket_trim_olh_log', input);
  }

  /** There is no version any more, nor a head object. @throws RadosError ECANCELED */
  async clear(key: ObjectKey, olhTag: RawString): Promise<void> {
    await this.#index.change(key, 'bucket_clear_olh', encodeClearOlhInput({ olh: olhKeyOf(key), olhTag }));
  }

  /** What the index says of the name. Undefined: nothing. */
  async read(key: ObjectKey): Promise<OlhEntry | undefined> {
    return (await this.#stored(key, { key: olhKeyOf(key), type: BiType.olh }, decodeOlhEntry))?.entry;
  }

  /** The same, and what holds as long as nobody changes it. */
  async readGuarded(key: ObjectKey): Promise<{ readonly entry: OlhEntry | undefined; readonly guard: IndexGuard }> {
    const found = await this.#stored(key, { key: olhKeyOf(key), type: BiType.olh }, decodeOlhEntry);
    return { entry: found?.entry, guard: { key: olhOmapKey(keyToIndexName(key)), value: found?.value } };
  }

  /** The entry of a version. Undefined: there is none. */
  async readVersion(key: ObjectKey): Promise<DirEntry | undefined> {
    if (indexKey(key).instance === '') {
      for (const name of nullKeys(keyToIndexName(key))) {
        const found = await this.#stored(key, { key: { name, instance: '' }, type: BiType.plain }, decodeDirEntry);
        if (found) return found.entry;
      }
    }
    const found = await this.#stored(key, { key: indexKey(key), type: BiType.instance }, decodeDirEntry);
    // That there are versions, it says of a name without version null.
    return found && (found.entry.flags & EntryFlag.versionMarker) !== 0 ? undefined : found?.entry;
  }

  async #stored<T>(
    key: ObjectKey,
    asked: Parameters<typeof encodeBiGetInput>[0],
    decode: (from: Decoder) => T,
  ): Promise<{ readonly entry: T; readonly value: Bytes } | undefined> {
    let found: { readonly oid: RawString; readonly output: Bytes };
    try {
      found = await this.#index.ask(key, 'bi_get', encodeBiGetInput(asked));
    } catch (error) {
      if (error instanceof RadosError && error.code === Errno.ENOENT) return undefined;
      throw error;
    }
    const value = decodeStored(found.oid, found.output, (from) => decodeBiEntry(from).data);
    return { entry: decodeStored(found.oid, value, decode), value };
  }
}

function olhKeyOf(key: ObjectKey) {
  return { name: keyToIndexName(key), instance: '' };
}
