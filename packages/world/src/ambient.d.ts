/**
 * The few globals of every JavaScript host that daemon code may use. Packages below the edge compile without
 * DOM or Node types, so nothing else resolves there: no timers, no process, no Buffer.
 */
declare class TextEncoder {
  encode(text?: string): Uint8Array;
  /** Stops where the next character does not fit: `read` are the chars that did. */
  encodeInto(text: string, bytes: Uint8Array): { readonly read: number; readonly written: number };
}
declare class TextDecoder {
  constructor(label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean });
  decode(bytes?: Uint8Array): string;
}
