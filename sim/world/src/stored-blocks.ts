import { type Bytes, equalBytes } from '@spirula/encoding';
import type { WriteFate } from './disk-faults.ts';
import type { Extent } from './disk-queue.ts';
import type { SeededRandom } from './random.ts';
import { SparseBlocks } from './sparse-blocks.ts';

interface Piece {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

interface UnflushedWrite {
  /** What arrives, where it arrives. */
  readonly pieces: readonly Piece[];
  /** Blocks that hold what they should, and that do not, once it is durable. */
  cured: readonly number[];
  readonly hurt: readonly number[];
  /** The pieces are where nobody wanted them. */
  readonly astray: boolean;
}

/**
 * The content of a block device: as a read sees it, and as a crash would leave it. Keeps account of the blocks that do not hold
 * what was last written to them and acknowledged.
 *
 *     write --> view, unflushed --flush--> durable
 */
export class StoredBlocks {
  readonly #random: SeededRandom;
  readonly #blockSize: number;
  readonly #sectorSize: number;
  readonly #sizeBytes: number;
  readonly #durable: SparseBlocks;
  readonly #view: SparseBlocks;
  #unflushed: UnflushedWrite[] = [];
  /** Numbers of blocks that are not as they should be, after a crash and now. */
  readonly #durableDamage = new Set<number>();
  #viewDamage = new Set<number>();

  constructor(random: SeededRandom, sizeBytes: number, blockSize: number, sectorSize: number) {
    this.#random = random;
    this.#sizeBytes = sizeBytes;
    this.#blockSize = blockSize;
    this.#sectorSize = sectorSize;
    this.#durable = new SparseBlocks(blockSize);
    this.#view = new SparseBlocks(blockSize);
  }

  get usedBytes(): number {
    return this.#view.blockCount * this.#blockSize;
  }

  /** Offsets, in order. */
  get written(): readonly number[] {
    return this.#view.blockNumbers().map((number) => number * this.#blockSize);
  }

  /** Bytes of blocks in a stretch that were never written. */
  newBytes({ offset, length }: Extent): number {
    return this.#blocksIn(offset, length).filter((number) => !this.#view.has(number)).length * this.#blockSize;
  }

  /** Blocks that do not hold what they should, in order, neighbours joined. */
  damaged(): Extent[] {
    const damaged: Extent[] = [];
    for (const number of [...this.#viewDamage].sort((a, b) => a - b)) {
      const offset = number * this.#blockSize;
      const last = damaged.at(-1);
      if (last === undefined || last.offset + last.length < offset) damaged.push({ offset, length: this.#blockSize });
      else damaged[damaged.length - 1] = { offset: last.offset, length: last.length + this.#blockSize };
    }
    return damaged;
  }

  read(offset: number, length: number): Bytes {
    return this.#view.read(offset, length);
  }

  write(offset: number, bytes: Bytes, fate: WriteFate | undefined): void {
    if (fate === undefined) {
      const isSound = this.#viewDamage.size + this.#durableDamage.size === 0;
      const cured = isSound ? [] : this.#blocksIn(offset, bytes.length);
      this.#keep({ pieces: [{ offset, bytes: bytes.slice() }], cured, hurt: [], astray: false });
      return;
    }
    const arriving = fate === 'torn' ? this.#tear(offset, bytes) : [];
    const expected = this.#view.read(offset, bytes.length);
    for (const piece of arriving) expected.set(piece.bytes, piece.offset - offset);
    const cured: number[] = [];
    const hurt: number[] = [];
    for (const number of this.#blocksIn(offset, bytes.length)) {
      const at = number * this.#blockSize - offset;
      const isRight = equalBytes(expected.subarray(at, at + this.#blockSize), bytes.subarray(at, at + this.#blockSize));
      (isRight ? cured : hurt).push(number);
    }
    this.#keep({ pieces: arriving, cured, hurt, astray: false });
    if (fate === 'misdirected') this.#misdirect(offset, bytes);
  }

  /** Where the oldest so many writes go. */
  unflushed(count: number): Extent[] {
    return this.#unflushed
      .slice(0, count)
      .flatMap(({ pieces }) => pieces.map(({ offset, bytes: { length } }) => ({ offset, length })));
  }

  get unflushedCount(): number {
    return this.#unflushed.length;
  }

  /** The oldest so many writes are durable. */
  flush(count: number): void {
    for (const { pieces, cured, hurt, astray } of this.#unflushed.splice(0, count)) {
      for (const { offset, bytes } of pieces) this.#durable.write(offset, bytes);
      mark(this.#durableDamage, cured, hurt);
      if (astray) for (const piece of pieces) mark(this.#durableDamage, [], this.#blocksOf(piece));
    }
  }

  /** What was not flushed is there, or not, or each sector for itself. */
  crash(): void {
    const fate = this.#random.pick(['lost', 'there', 'torn', 'torn'] as const);
    const touched = this.#unflushed.flatMap(({ pieces }) => pieces);
    for (const { pieces, cured, astray } of this.#unflushed) {
      const arrived = new Set<number>();
      const lacking = new Set<number>();
      for (const { offset, bytes } of pieces) {
        for (let at = 0; at < bytes.length; at += this.#sectorSize) {
          const number = Math.floor((offset + at) / this.#blockSize);
          if (fate === 'lost' || (fate === 'torn' && this.#random.oneIn(2))) {
            lacking.add(number);
            continue;
          }
          this.#durable.write(offset + at, bytes.subarray(at, at + this.#sectorSize));
          arrived.add(number);
          if (astray) this.#durableDamage.add(number);
        }
      }
      for (const number of cured) if (arrived.has(number) && !lacking.has(number)) this.#durableDamage.delete(number);
    }
    for (const { offset, bytes } of touched) this.#view.write(offset, this.#durable.read(offset, bytes.length));
    this.#viewDamage = new Set(this.#durableDamage);
    this.#unflushed = [];
  }

  /** Flips bits of a block, wherever it is stored. One that was never written has nothing to flip. */
  flip(blockOffset: number, bits: readonly number[]): void {
    const number = blockOffset / this.#blockSize;
    if (!this.#view.has(number)) return;
    for (const bit of bits) {
      const offset = blockOffset + (bit >> 3);
      const flip = (blocks: SparseBlocks) =>
        blocks.write(offset, new Uint8Array([blocks.read(offset, 1)[0]! ^ (1 << (bit & 7))]));
      flip(this.#view);
      flip(this.#durable);
      for (const { pieces } of this.#unflushed) {
        for (const piece of pieces) {
          const at = offset - piece.offset;
          if (at >= 0 && at < piece.bytes.length) piece.bytes[at]! ^= 1 << (bit & 7);
        }
      }
    }
    for (const write of this.#unflushed) write.cured = write.cured.filter((each) => each !== number);
    this.#viewDamage.add(number);
    this.#durableDamage.add(number);
  }

  #keep(write: UnflushedWrite): void {
    this.#unflushed.push(write);
    for (const { offset, bytes } of write.pieces) this.#view.write(offset, bytes);
    mark(this.#viewDamage, write.cured, write.hurt);
    if (write.astray) for (const piece of write.pieces) mark(this.#viewDamage, [], this.#blocksOf(piece));
  }

  /** The sectors of a write that arrive: not all. */
  #tear(offset: number, bytes: Bytes): Piece[] {
    const sectors = bytes.length / this.#sectorSize;
    const missing = this.#random.below(sectors);
    const arriving: Piece[] = [];
    for (let sector = 0; sector < sectors; sector++) {
      const at = sector * this.#sectorSize;
      if (sector === missing || this.#random.oneIn(2)) continue;
      arriving.push({ offset: offset + at, bytes: bytes.slice(at, at + this.#sectorSize) });
    }
    return arriving;
  }

  #misdirect(offset: number, bytes: Bytes): void {
    const { length } = bytes;
    const places = this.written.filter(
      (at) => at > 0 && at + length <= this.#sizeBytes && (at + length <= offset || at >= offset + length),
    );
    // On a device with nothing else on it, it is lost.
    if (places.length === 0) return;
    const pieces = [{ offset: this.#random.pick(places), bytes: bytes.slice() }];
    this.#keep({ pieces, cured: [], hurt: [], astray: true });
  }

  #blocksOf({ offset, bytes }: Piece): number[] {
    return this.#blocksIn(offset, bytes.length);
  }

  #blocksIn(offset: number, length: number): number[] {
    const first = Math.floor(offset / this.#blockSize);
    const count = Math.ceil((offset + length) / this.#blockSize) - first;
    return Array.from({ length: count }, (_, i) => first + i);
  }
}

function mark(damage: Set<number>, cured: readonly number[], hurt: readonly number[]): void {
  for (const number of cured) damage.delete(number);
  for (const number of hurt) damage.add(number);
}
