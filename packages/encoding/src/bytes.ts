import { slabFor } from './slab.ts';

/** Raw bytes. Whoever receives one from another component treats it as immutable. */
export type Bytes = Uint8Array;

export const EMPTY: Bytes = new Uint8Array(0);

const utf8Encoder = new TextEncoder();
const utf8Decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** UTF-8 bytes of `text`. */
export function utf8(text: string): Bytes {
  return text.length < SHORT_TEXT ? asciiBytes(text) : utf8Encoder.encode(text);
}

/** Up to so many characters, keys and names mostly, a loop is quicker than the engine's call. */
const SHORT_TEXT = 64;

function asciiBytes(text: string): Bytes {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f) return utf8Encoder.encode(text);
    bytes[i] = code;
  }
  return bytes;
}

/** Text of UTF-8 `bytes`; invalid sequences become U+FFFD. */
export function fromUtf8(bytes: Bytes): string {
  return utf8Decoder.decode(bytes);
}

export function concatBytes(parts: readonly Bytes[]): Bytes {
  if (parts.length === 1) return parts[0]!;
  let length = 0;
  for (const part of parts) length += part.length;
  const all = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Lexicographic order of unsigned bytes, the order of every ordered key space here: negative, zero or positive. */
export function compareBytes(a: Bytes, b: Bytes): number {
  const n = Math.min(a.length, b.length);
  for (let i = 0; i < n; i++) {
    const difference = a[i]! - b[i]!;
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

export function equalBytes(a: Bytes, b: Bytes): boolean {
  return a.length === b.length && compareBytes(a, b) === 0;
}

export function toHex(bytes: Bytes): string {
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}

export function fromHex(text: string): Bytes {
  const bytes = new Uint8Array(text.length >> 1);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

/**
 * Text whose char codes are bytes, 0 to 255, one each. Object names, namespaces, locator keys, omap keys and xattr names
 * are arbitrary bytes in Ceph; as raw strings they lose nothing, and the order of JavaScript's `<` is Ceph's byte order.
 */
export type RawString = string;

/** From here on the engine's own loop is quicker. */
const LONG_BYTES = 256;

export function rawFromBytes(bytes: Bytes): RawString {
  let text = '';
  if (bytes.length >= LONG_BYTES) {
    for (let at = 0; at < bytes.length; at += 4096) {
      // `apply` takes a typed array as it is, five times faster than spreading it.
      text += String.fromCharCode.apply(null, bytes.subarray(at, at + 4096) as unknown as number[]);
    }
    return text;
  }
  const code = String.fromCharCode;
  const b = bytes;
  let i = 0;
  for (; i + 8 <= b.length; i += 8) {
    text += code(b[i]!, b[i + 1]!, b[i + 2]!, b[i + 3]!, b[i + 4]!, b[i + 5]!, b[i + 6]!, b[i + 7]!);
  }
  for (; i < b.length; i++) text += code(b[i]!);
  return text;
}

/** The result lies in memory shared with others made at the same time: who keeps it for long should copy it. */
export function bytesFromRaw(raw: RawString): Bytes {
  if (raw.length >= LONG_BYTES) {
    const bytes = new Uint8Array(raw.length);
    // Most are ASCII, of which UTF-8 has as many bytes; of others not all fit.
    if (utf8Encoder.encodeInto(raw, bytes).read < raw.length) {
      for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
    }
    return bytes;
  }
  const slab = slabFor(raw.length);
  const start = slab.used;
  const end = start + raw.length;
  const { bytes } = slab;
  for (let i = 0; i < raw.length; i++) bytes[start + i] = raw.charCodeAt(i);
  slab.used = end;
  return bytes.subarray(start, end);
}

/** The raw string of a text's UTF-8 bytes: at the edge, where people's text comes in. */
export function rawFromText(text: string): RawString {
  return rawFromBytes(utf8(text));
}

/** Text for people; invalid UTF-8 becomes U+FFFD. */
export function textFromRaw(raw: RawString): string {
  return fromUtf8(bytesFromRaw(raw));
}
