/** Requests that make an object a copy of another: what they copy is read before they run. */
import { Errno, MalformedInput, type RawString } from '@spirula/encoding';
import type { HObject } from '@spirula/maps';
import {
  CopyFromFlag,
  copyFromArgs,
  copyFromInput,
  NOSNAP,
  type ObjectLocator,
  type OsdOp,
  OsdOpCode,
  type OsdOpMessage,
} from '@spirula/messages';
import { type CopiedObject, type Copies, type CopySource, NO_COPIES } from './object-copier.ts';
import type { PgCore } from './pg-core.ts';

const KNOWN_FLAGS = Object.values(CopyFromFlag).reduce<number>((all, flag) => all | flag, 0);

/** Whether the op makes its object a copy. */
export function isCopy({ code }: OsdOp): boolean {
  return code === OsdOpCode.copyFrom || code === OsdOpCode.copyFrom2;
}

/** A request whose sources are being read. */
interface Reading {
  readonly copies: Map<OsdOp, CopiedObject>;
  readonly cancels: (() => void)[];
  left: number;
  /** The first error. */
  code: number;
}

interface Request {
  readonly message: OsdOpMessage;
}

export class ObjectCopies<R extends Request> {
  readonly #pg: PgCore;
  readonly #onRead: (oid: HObject) => void;
  readonly #readings = new Map<R, Reading>();

  /** @param onRead all that a request on this object copies has been read: it can run */
  constructor(pg: PgCore, onRead: (oid: HObject) => void) {
    this.#pg = pg;
    this.#onRead = onRead;
  }

  isUnderWay(request: R): boolean {
    return this.#readings.has(request);
  }

  /** What the request copies; the negative errno of why not; undefined while it is being read. */
  take(request: R, oid: HObject): Copies | number | undefined {
    const { ops } = request.message;
    if (!ops.some(isCopy)) return NO_COPIES;
    const reading = this.#readings.get(request) ?? this.#begin(request, oid);
    if (typeof reading === 'number') return reading;
    if (reading.left > 0) return undefined;
    this.#readings.delete(request);
    return reading.code < 0 ? reading.code : reading.copies;
  }

  cancel(request: R): void {
    for (const cancel of this.#readings.get(request)?.cancels ?? []) cancel();
    this.#readings.delete(request);
  }

  cancelAll(): void {
    for (const request of [...this.#readings.keys()]) this.cancel(request);
  }

  #begin(request: R, oid: HObject): Reading | number {
    const sources = new Map<OsdOp, CopySource>();
    for (const op of request.message.ops) {
      if (!isCopy(op)) continue;
      const source = this.#sourceOf(op, oid);
      if (typeof source === 'number') return source;
      sources.set(op, source);
    }
    const reading: Reading = { copies: new Map(), cancels: [], left: sources.size, code: 0 };
    this.#readings.set(request, reading);
    let isBegun = false;
    for (const [op, source] of sources) {
      const cancel = this.#pg.host.copyObject(source, (result) => {
        reading.left -= 1;
        if (typeof result !== 'number') reading.copies.set(op, result);
        else if (reading.code === 0) reading.code = result;
        if (reading.left === 0 && isBegun) this.#onRead(oid);
      });
      reading.cancels.push(cancel);
    }
    isBegun = true;
    return reading;
  }

  #sourceOf(op: OsdOp, own: HObject): CopySource | number {
    try {
      const { snapid, sourceVersion, copyFlags } = copyFromArgs(op);
      const { oid, locator } = copyFromInput(op);
      if (op.code === OsdOpCode.copyFrom2 && (copyFlags & ~KNOWN_FLAGS) !== 0) return Errno.EINVAL;
      if (!this.#pg.map.pools.has(locator.pool)) return Errno.ENOENT;
      if (snapid === NOSNAP && isObject(own, oid, locator)) return Errno.EINVAL;
      return { oid, locator, snapid, version: Number(sourceVersion) };
    } catch (error) {
      if (error instanceof MalformedInput) return Errno.EINVAL;
      throw error;
    }
  }
}

function isObject(own: HObject, name: RawString, { pool, key, nspace }: ObjectLocator): boolean {
  return own.pool === pool && own.nspace === nspace && own.name === name && own.key === (key === name ? '' : key);
}
