import { invariant } from '@spirula/world';

/** A run of device blocks. */
export interface Run {
  readonly first: number;
  readonly count: number;
}

/**
 * Which blocks of the device are taken: a bitmap, with a count of free blocks a group so that full stretches are passed
 * over. Next-fit, so that what is written together lies together. A block may have several owners: objects that were cloned
 * share what neither has written since. Rebuilt from the onodes at mount.
 */
export class Allocator {
  readonly blockCount: number;
  readonly #taken: Uint8Array;
  readonly #freeInGroup: Uint32Array;
  /** Owners beyond the first, of blocks that have more than one. */
  readonly #sharers = new Map<number, number>();
  #free: number;
  #cursor = 0;

  constructor(blockCount: number) {
    this.blockCount = blockCount;
    this.#taken = new Uint8Array(blockCount);
    this.#freeInGroup = new Uint32Array(Math.ceil(blockCount / GROUP_BLOCKS)).fill(GROUP_BLOCKS);
    const tail = blockCount % GROUP_BLOCKS;
    if (tail !== 0) this.#freeInGroup[this.#freeInGroup.length - 1] = tail;
    this.#free = blockCount;
  }

  get freeBlocks(): number {
    return this.#free;
  }

  isTaken(block: number): boolean {
    return this.#taken[block] === 1;
  }

  /** How many onodes refer to a block, or did in transactions that have not committed. 0: it is free. */
  ownersOf(block: number): number {
    return this.isTaken(block) ? 1 + (this.#sharers.get(block) ?? 0) : 0;
  }

  /** Whether any block has several owners. */
  get isSharing(): boolean {
    return this.#sharers.size > 0;
  }

  /** One more onode refers to a block that is taken. */
  share(block: number): void {
    invariant(this.isTaken(block), 'a block that is shared has an owner');
    this.#sharers.set(block, (this.#sharers.get(block) ?? 0) + 1);
  }

  /** Marks a block that an onode refers to; false when it was taken before or does not exist. */
  claim(block: number): boolean {
    if (block >= this.blockCount || this.#taken[block] === 1) return false;
    this.#take(block);
    return true;
  }

  /** Takes `count` blocks, in as few runs as next-fit gives. There must be so many. */
  allocate(count: number): Run[] {
    invariant(count <= this.#free, 'no more blocks are allocated than are free');
    const runs: Run[] = [];
    let left = count;
    while (left > 0) {
      const first = this.#nextFree(this.#cursor);
      let end = first;
      while (end < this.blockCount && end - first < left && this.#taken[end] === 0) {
        this.#take(end);
        end += 1;
      }
      runs.push({ first, count: end - first });
      left -= end - first;
      this.#cursor = end;
    }
    return runs;
  }

  /** One owner less; without any the block is free. */
  release(block: number): void {
    invariant(this.#taken[block] === 1, 'a block is released once by each owner');
    const sharers = this.#sharers.get(block);
    if (sharers !== undefined) {
      if (sharers > 1) this.#sharers.set(block, sharers - 1);
      else this.#sharers.delete(block);
      return;
    }
    this.#taken[block] = 0;
    this.#free += 1;
    this.#freeInGroup[Math.floor(block / GROUP_BLOCKS)]! += 1;
  }

  /** Goes on from the first block: what came free last is soon taken again. */
  startOver(): void {
    this.#cursor = 0;
  }

  #take(block: number): void {
    this.#taken[block] = 1;
    this.#free -= 1;
    this.#freeInGroup[Math.floor(block / GROUP_BLOCKS)]! -= 1;
  }

  /** The first free block from `at` on, around the end. */
  #nextFree(at: number): number {
    let block = at % this.blockCount;
    for (;;) {
      if (block % GROUP_BLOCKS === 0 && this.#freeInGroup[block / GROUP_BLOCKS] === 0) block += GROUP_BLOCKS;
      else if (this.#taken[block] === 0) return block;
      else block += 1;
      if (block >= this.blockCount) block = 0;
    }
  }
}

const GROUP_BLOCKS = 1024;
