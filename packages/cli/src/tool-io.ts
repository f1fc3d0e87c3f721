/** What an offline tool reads and writes. `readFile` throws Node's errors. */
export interface ToolIo {
  stdout(text: string): void;
  stderr(text: string): void;
  readFile(path: string): Uint8Array;
}
