import type { ToolIo } from '../osdmaptool.ts';

/** What the tool reads and writes. `readFile`, `readStdin` and `writeFile` throw Node's errors. */
export interface CrushToolIo extends ToolIo {
  readStdin(): Uint8Array;
  readonly stdinIsTerminal: boolean;
  writeFile(path: string, bytes: Uint8Array): void;
}

/** Ends the tool: what it says on stderr, and its exit status. A negative errno ends it as C's `exit` does. */
export class Ending extends Error {
  readonly status: number;

  constructor(message: string, status = 1) {
    super(message);
    this.status = status & 0xff;
  }
}
