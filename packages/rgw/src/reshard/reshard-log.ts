/** Which buckets wait to be resharded: the class `rgw` in the objects `reshard.NNNNNNNNNN` (RGWReshard). */
import {
  decodeReshardEntryReply,
  decodeReshardListReply,
  encodeReshardEntryInput,
  encodeReshardListInput,
  encodeReshardRemoveInput,
  type ReshardEntry,
} from '@spirula/cls';
import { Errno, type RawString } from '@spirula/encoding';
import { strHashLinux } from '@spirula/maps';
import { type IoCtx, ObjectOperation, RadosError } from '@spirula/rados';
import { decodeStored } from '../store/meta-object.ts';

const CLASS = 'rgw';
const PRIME = 7877;
const PAGE = 1000;
const NUMBER_DIGITS = 10;

export type WaitingBucket = Pick<ReshardEntry, 'tenant' | 'bucketName'>;

export class ReshardLog {
  readonly #io: IoCtx;
  readonly #count: number;

  /** @param count rgw_reshard_num_logs */
  constructor(io: IoCtx, count: number) {
    this.#io = io;
    this.#count = count;
  }

  get oids(): readonly RawString[] {
    return Array.from({ length: this.#count }, (_, i) => oidOf(i));
  }

  /** In place of what is there for the bucket. @throws RadosError */
  async add(entry: ReshardEntry): Promise<void> {
    await this.#write(entry, 'reshard_add', encodeReshardEntryInput(entry));
  }

  /** Undefined: the bucket does not wait. @throws RadosError */
  async get({ tenant, bucketName }: WaitingBucket): Promise<ReshardEntry | undefined> {
    const asked = { ...NO_ENTRY, tenant, bucketName };
    const oid = this.#oidOf(asked);
    try {
      const output = await this.#io.exec(oid, CLASS, 'reshard_get', encodeReshardEntryInput(asked));
      return decodeStored(oid, output, decodeReshardEntryReply);
    } catch (error) {
      if (error instanceof RadosError && error.code === Errno.ENOENT) return undefined;
      throw error;
    }
  }

  /** Nothing happens when the bucket does not wait. @param bucketId only of this instance; '': of any. @throws RadosError */
  async remove(bucket: WaitingBucket, bucketId: RawString = ''): Promise<void> {
    try {
      await this.#write(bucket, 'reshard_remove', encodeReshardRemoveInput({ ...bucket, bucketId }));
    } catch (error) {
      if (!(error instanceof RadosError) || error.code !== Errno.ENOENT) throw error;
    }
  }

  /** Those of one object. @throws RadosError */
  async *list(oid: RawString): AsyncGenerator<ReshardEntry> {
    for (let marker = '', more = true; more; ) {
      const input = encodeReshardListInput({ max: PAGE, marker });
      const reply = await this.#io.submit(oid, new ObjectOperation().exec(CLASS, 'reshard_list', input));
      if (reply.result === Errno.ENOENT) return;
      if (reply.result < 0) throw new RadosError(reply.result, oid);
      const { entries, truncated } = decodeStored(oid, reply.ops[0]!.output, decodeReshardListReply);
      yield* entries;
      const last = entries.at(-1);
      more = truncated && last !== undefined;
      if (last) marker = keyOf(last);
    }
  }

  async #write(bucket: WaitingBucket, method: string, input: Uint8Array): Promise<void> {
    await this.#io.operate(this.#oidOf(bucket), new ObjectOperation().exec(CLASS, method, input, 'write'));
  }

  #oidOf(bucket: WaitingBucket): RawString {
    const hash = strHashLinux(keyOf(bucket));
    const mixed = (hash ^ ((hash & 0xff) << 24)) >>> 0;
    return oidOf((mixed % PRIME) % this.#count);
  }
}

const NO_ENTRY: ReshardEntry = {
  time: { sec: 0, nsec: 0 },
  tenant: '',
  bucketName: '',
  bucketId: '',
  newInstanceId: '',
  oldShards: 0,
  newShards: 0,
};

function oidOf(index: number): RawString {
  return `reshard.${String(index).padStart(NUMBER_DIGITS, '0')}`;
}

function keyOf({ tenant, bucketName }: WaitingBucket): RawString {
  return `${tenant}:${bucketName}`;
}
