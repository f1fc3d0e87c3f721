/** Changes of which version of an object is the current one, and the log by which the gateway follows them (BIOLHEntry). */
import type { RawString } from '@spirula/encoding';
import type { MethodContext } from '../method-context.ts';
import { readValue, writeValue } from './bucket-index.ts';
import { olhKey } from './index-key.ts';
import type { ObjectKey } from './object-key.ts';
import { decodeOlhEntry, encodeOlhEntry, NO_OLH, type OlhEntry } from './olh-codec.ts';

/** The first epoch of an OLH: 1 is that of objects from before versions. */
const FIRST_EPOCH = 2n;

export class Olh {
  readonly #object: MethodContext;
  readonly #at: RawString;
  entry: OlhEntry = NO_OLH;

  constructor(object: MethodContext, { name }: ObjectKey) {
    this.#object = object;
    this.#at = olhKey(name);
  }

  /** False: there is none. */
  read(): boolean {
    const entry = readValue(this.#object, this.#at, decodeOlhEntry);
    this.entry = entry ?? NO_OLH;
    return entry !== undefined;
  }

  change(change: Partial<OlhEntry>): void {
    this.entry = { ...this.entry, ...change };
  }

  /** Takes the epoch, or the next one when it is 0. False: it has had a later one. */
  begin(epoch: bigint): boolean {
    if (epoch !== 0n && epoch < this.entry.epoch) return false;
    const next = this.entry.epoch === 0n ? FIRST_EPOCH : this.entry.epoch + 1n;
    this.change({ epoch: epoch === 0n ? next : epoch });
    return true;
  }

  /** @param epoch that of the entry; without, or 0: the OLH's own */
  log(op: number, opTag: RawString, key: ObjectKey, deleteMarker: boolean, epoch = 0n): void {
    const { epoch: at, pendingLog } = this.entry;
    const logged = { epoch: epoch === 0n ? at : epoch, op, opTag, key, deleteMarker };
    const log = new Map([...pendingLog, [at, [...(pendingLog.get(at) ?? []), logged]] as const]);
    this.change({ pendingLog: new Map([...log].sort(([a], [b]) => (a < b ? -1 : 1))) });
  }

  write(): void {
    writeValue(this.#object, this.#at, encodeOlhEntry(this.entry));
  }
}
