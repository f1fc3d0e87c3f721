import { KvOverlay } from '@spirula/world';

/** What a daemon stores in memory. Whoever holds it may start the daemon again after a crash, as with a disk. */
export class MemoryDisk {
  readonly table = new KvOverlay('stands-alone');
  /** Blocks written, by number. */
  readonly blocks = new Map<number, Uint8Array>();
}
