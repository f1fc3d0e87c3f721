import { type Decoder, type Encoder, Errno, type RawString } from '@spirula/encoding';
import { assertVerOp } from '@spirula/messages';
import { type IoCtx, ObjectOperation, RadosError } from '@spirula/rados';
import { encoded } from '../formats/encoded.ts';
import { decodeStored } from './meta-object.ts';

const MAX_TRIES = 20;

/** One structure that says what a zone or a zonegroup is, as it is stored (RGWSystemMetaObj). */
export class ZoneObject<T> {
  readonly #io: IoCtx;
  readonly #oid: RawString;
  readonly #codec: { readonly encode: (to: Encoder, value: T) => void; readonly decode: (from: Decoder) => T };

  /** @param io of the root pool */
  constructor(
    io: IoCtx,
    oid: RawString,
    codec: { readonly encode: (to: Encoder, value: T) => void; readonly decode: (from: Decoder) => T },
  ) {
    this.#io = io;
    this.#oid = oid;
    this.#codec = codec;
  }

  /** @throws RadosError */
  async read(): Promise<T> {
    return decodeStored(this.#oid, await this.#io.read(this.#oid), this.#codec.decode);
  }

  /**
   * Makes it something else, from what it is: `change` is called again when somebody else was first, a radosgw-admin of Ceph's too.
   *
   * @returns what it is then
   * @throws RadosError, and what `change` throws: nothing has changed then
   */
  async change(change: (before: T) => T): Promise<T> {
    for (let tries = 1; ; tries++) {
      const { result, ops, userVersion } = await this.#io.submit(this.#oid, new ObjectOperation().read());
      if (result < 0) throw new RadosError(result, this.#oid);
      const after = change(decodeStored(this.#oid, ops[0]!.output, this.#codec.decode));
      const operation = new ObjectOperation()
        .add(assertVerOp(userVersion), 'read')
        .writeFull(encoded(this.#codec.encode, after));
      const written = await this.#io.submit(this.#oid, operation);
      if (written.result >= 0) return after;
      const isOvertaken = written.result === Errno.ERANGE || written.result === Errno.EOVERFLOW;
      if (!isOvertaken || tries >= MAX_TRIES) throw new RadosError(written.result, this.#oid);
    }
  }
}
