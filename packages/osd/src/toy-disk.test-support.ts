/** A disk of memory for the tests of whole OSDs: what was not flushed when power fails may be there, or not, or in part. */
import { type Bytes, bytesFromRaw, type RawString, rawFromBytes } from '@spirula/encoding';
import {
  type Batch,
  type BlockDevice,
  type Instant,
  type KeyValue,
  type KvRange,
  OrderedTable,
  type Token,
  type WorldEvent,
} from '@spirula/world';
import type { ToyNetwork, ToyNode } from './toy-network.test-support.ts';

const BLOCK = 4096;
const SIZE = 64 << 20;

export class ToyDisk {
  readonly #network: ToyNetwork;
  readonly #latency: Instant;
  #node: ToyNode | undefined;
  #table = new OrderedTable<Bytes>();
  #durable = new OrderedTable<Bytes>();
  #batches: Batch[] = [];
  #blocks = new Map<number, Bytes>();
  /** As they were before writes that are not flushed. */
  readonly #before = new Map<number, Bytes | undefined>();
  #lastDone = 0;

  /** @param latency microseconds that a commit or flush takes at least; twice that at most */
  constructor(network: ToyNetwork, latency: Instant) {
    this.#network = network;
    this.#latency = latency;
  }

  attach(node: ToyNode): { readonly kv: KeyValue; readonly block: BlockDevice } {
    this.#node = node;
    this.#lastDone = 0;
    return { kv: this.#kv(node), block: this.#block(node) };
  }

  /** Power fails. */
  crash(): void {
    this.#node = undefined;
    const batches = this.#batches.splice(0);
    for (const batch of batches.slice(0, this.#network.below(batches.length + 1))) apply(this.#durable, batch);
    this.#table = copy(this.#durable);
    for (const [at, bytes] of this.#before) {
      if (this.#network.below(2) === 0) continue;
      if (bytes) this.#blocks.set(at, bytes);
      else this.#blocks.delete(at);
    }
    this.#before.clear();
  }

  /** One in `oneIn` of the blocks that were ever written turns bad, but not the first, which says whose disk it is. */
  damage(oneIn: number): void {
    for (const [at, bytes] of this.#blocks) {
      if (at > 0 && this.#network.below(oneIn) === 0) bytes[this.#network.below(BLOCK)]! ^= 1 << this.#network.below(8);
    }
  }

  #later(node: ToyNode, done: () => WorldEvent): void {
    this.#lastDone = Math.max(this.#lastDone, this.#network.now + this.#latency + this.#network.below(this.#latency));
    this.#network.at(this.#lastDone, () => {
      if (this.#node === node) node.deliver(done() as never);
    });
  }

  #kv(node: ToyNode): KeyValue {
    return {
      get: (key) => this.#table.get(rawFromBytes(key)),
      range: (range) => this.#range(range),
      submit: (batch, token) => {
        apply(this.#table, batch);
        this.#batches.push(batch);
        this.#later(node, () => {
          apply(this.#durable, this.#batches.shift()!);
          return { kind: 'committed', token };
        });
      },
    };
  }

  #range({ start, end, reverse, limit }: KvRange): Iterable<readonly [Bytes, Bytes]> {
    const [first, last] = [rawFromBytes(start), rawFromBytes(end)];
    const found: (readonly [Bytes, Bytes])[] = [];
    for (const key of reverse ? this.#table.keysReverse(first, last) : this.#table.keys(first, last)) {
      if (limit !== undefined && found.length >= limit) break;
      found.push([bytesFromRaw(key), this.#table.get(key)!]);
    }
    return found;
  }

  #block(node: ToyNode): BlockDevice {
    return {
      size: SIZE,
      blockSize: BLOCK,
      sectorSize: BLOCK,
      read: (offset, length) => {
        const bytes = new Uint8Array(length);
        for (let at = 0; at < length; at += BLOCK) {
          const block = this.#blocks.get(offset + at);
          if (block) bytes.set(block, at);
        }
        return bytes;
      },
      write: (offset, bytes) => {
        for (let at = 0; at < bytes.length; at += BLOCK) {
          if (!this.#before.has(offset + at)) this.#before.set(offset + at, this.#blocks.get(offset + at));
          this.#blocks.set(offset + at, bytes.slice(at, at + BLOCK));
        }
      },
      flush: (token: Token) => {
        const flushed = [...this.#before.keys()].map((at) => [at, this.#blocks.get(at)] as const);
        this.#later(node, () => {
          // What was written again since is still open.
          for (const [at, bytes] of flushed) {
            if (this.#blocks.get(at) === bytes) this.#before.delete(at);
            else this.#before.set(at, bytes);
          }
          return { kind: 'flushed', token };
        });
      },
    };
  }
}

function apply(table: OrderedTable<Bytes>, batch: Batch): void {
  for (const op of batch) {
    if (op.op === 'put') table.set(rawFromBytes(op.key), op.value);
    else if (op.op === 'del') table.delete(rawFromBytes(op.key));
    else table.deleteRange(rawFromBytes(op.start), rawFromBytes(op.end));
  }
}

function copy(table: OrderedTable<Bytes>): OrderedTable<Bytes> {
  const all = new OrderedTable<Bytes>();
  const last: RawString = '\xff'.repeat(1025);
  for (const key of table.keys('', last)) all.set(key, table.get(key)!);
  return all;
}
