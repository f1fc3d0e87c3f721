import type { UTime } from '@spirula/encoding';
import type { ToolIo } from '../tool-io.ts';

/** What the tool needs besides. All that touches files throws Node's errors. */
export interface OsdMapToolIo extends ToolIo {
  /** Makes the file, or writes it anew. */
  writeFile(path: string, bytes: Uint8Array | string): void;
  appendFile(path: string, text: string): void;
  exists(path: string): boolean;
  now(): UTime;
  /** Of a clock that only goes forward. */
  seconds(): number;
  /** A whole number from 0 to below-1. */
  random(below: number): number;
  /** Lets what was printed go out, and whoever reads it hang up. */
  pause(): Promise<void>;
  readonly env: Readonly<Record<string, string | undefined>>;
}
