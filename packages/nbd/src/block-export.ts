import type { Bytes } from '@spirula/encoding';

/** A stretch that holds data, or one of zeros that takes no room. */
export interface ExportExtent {
  readonly length: number;
  readonly isHole: boolean;
}

/** A device as a connection has it open. What fails rejects, with an `errno` where it has one. */
export interface BlockExport {
  /** Bytes. */
  readonly size: number;
  readonly isReadOnly: boolean;
  /** Whether what one connection has flushed others see. */
  readonly isShared: boolean;
  /** Nobody else uses what it gives. */
  read(offset: number, length: number): Promise<Bytes>;
  /** Resolves when the bytes are there; durable, unless `flush` makes them so. */
  write(offset: number, data: Bytes): Promise<void>;
  /** These bytes are zero from then on. @param mayFree whether they may stop taking room */
  writeZeroes(offset: number, length: number, mayFree: boolean): Promise<void>;
  trim(offset: number, length: number): Promise<void>;
  /** What was written before it was called is durable. */
  flush(): Promise<void>;
  /** From `offset` on; together at least one byte, and not more than `length`. */
  extents(offset: number, length: number): Promise<readonly ExportExtent[]>;
  close(): Promise<void>;
}

export interface ExportName {
  readonly name: string;
  readonly description: string;
}

export interface ExportList {
  list(): Promise<readonly ExportName[]>;
  /** Undefined: there is none of this name. '' is the one that clients get who name none. */
  open(name: string): Promise<BlockExport | undefined>;
}
