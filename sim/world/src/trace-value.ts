/** Makes what goes into a trace short and JSON: enough to see what a message says, of bounded size whatever it holds. */
import { type EVersion, formatPgId, formatVersion, MalformedInput, type PgId } from '@spirula/encoding';
import { extentArgs, type OsdOp, OsdOpCode, type OsdOpResult, xattrArgs } from '@spirula/messages';
import type { TraceValue } from './trace.ts';

/** Bytes and characters shown of what is longer. */
const HEAD_BYTES = 16;
const MAX_TEXT = 240;
/** Items shown of a longer list. */
const MAX_ITEMS = 12;
const MAX_DEPTH = 8;
/** Values in all: what comes after them is left out. */
const MAX_VALUES = 400;

const OP_NAMES: ReadonlyMap<number, string> = new Map(Object.entries(OsdOpCode).map(([name, code]) => [code, name]));
const EXTENT_OPS: ReadonlySet<number> = new Set([
  OsdOpCode.read,
  OsdOpCode.sparseRead,
  OsdOpCode.write,
  OsdOpCode.writefull,
  OsdOpCode.append,
  OsdOpCode.truncate,
  OsdOpCode.zero,
]);
const XATTR_OPS: ReadonlySet<number> = new Set([OsdOpCode.getxattr, OsdOpCode.setxattr, OsdOpCode.rmxattr]);

/**
 * A copy that JSON can hold. Bytes become their length, a hash and the first 16; a PG id, a version and an operation on an object
 * become what Ceph prints; long texts, lists and depths are cut, and say so.
 */
export function toTraceValue(value: unknown): TraceValue {
  return new Shortening().visit(value, 0);
}

class Shortening {
  #left = MAX_VALUES;

  visit(value: unknown, depth: number): TraceValue {
    this.#left -= 1;
    switch (typeof value) {
      case 'string':
        return value.length > MAX_TEXT ? `${value.slice(0, MAX_TEXT)}… (${value.length} characters)` : value;
      case 'number':
        return Number.isFinite(value) ? value : String(value);
      case 'boolean':
        return value;
      case 'object':
        if (value === null) return null;
        return depth >= MAX_DEPTH || this.#left <= 0 ? '…' : this.#visitObject(value, depth + 1);
      default:
        return String(value);
    }
  }

  #visitObject(value: object, depth: number): TraceValue {
    if (value instanceof Uint8Array) return describeBytes(value);
    if (Array.isArray(value)) return this.#visitItems(value, value.length, depth);
    if (value instanceof Set) return this.#visitItems(value, value.size, depth);
    if (value instanceof Map) return this.#visitFields(value, value.size, depth);
    if (isPgId(value)) return formatPgId(value);
    if (isVersion(value)) return formatVersion(value);
    if (isOp(value)) return describeOp(value);
    if (isResult(value)) return describeResult(value);
    const fields = Object.entries(value).filter(([, item]) => item !== undefined && typeof item !== 'function');
    return this.#visitFields(fields, fields.length, depth, MAX_VALUES);
  }

  #visitItems(items: Iterable<unknown>, count: number, depth: number): TraceValue {
    const shown: TraceValue[] = [];
    for (const item of items) {
      if (shown.length === MAX_ITEMS) {
        shown.push(`… ${count - MAX_ITEMS} more`);
        break;
      }
      shown.push(this.visit(item, depth));
    }
    return shown;
  }

  #visitFields(
    fields: Iterable<readonly [unknown, unknown]>,
    count: number,
    depth: number,
    most = MAX_ITEMS,
  ): TraceValue {
    const shown: Record<string, TraceValue> = {};
    let visited = 0;
    for (const [name, item] of fields) {
      if (visited === most) {
        shown['…'] = `${count - most} more`;
        break;
      }
      visited += 1;
      const key = this.visit(name, depth);
      shown[typeof key === 'string' ? key : JSON.stringify(key)] = this.visit(item, depth);
    }
    return shown;
  }
}

function describeBytes(bytes: Uint8Array): TraceValue {
  const { length } = bytes;
  if (length <= HEAD_BYTES) return { bytes: length, hex: toHex(bytes) };
  return { bytes: length, hash: hashBytes(bytes), head: toHex(bytes.subarray(0, HEAD_BYTES)) };
}

/** 32 bits that tell byte strings apart (FNV-1a). Not a crc: of a value that ends with its own crc, that is a constant. */
function hashBytes(bytes: Uint8Array): string {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, '0');
}

function toHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}

function describeOp(op: OsdOp): TraceValue {
  const described: Record<string, TraceValue> = { op: nameOfOp(op.code) };
  if (EXTENT_OPS.has(op.code)) {
    const { offset, length } = extentArgs(op);
    described['extent'] = `${offset}~${length}`;
  }
  if (XATTR_OPS.has(op.code)) described['name'] = xattrName(op);
  if (op.input.length > 0) described['input'] = describeBytes(op.input);
  return described;
}

function describeResult({ code, rval, output }: OsdOpResult): TraceValue {
  return { op: nameOfOp(code), rval, ...(output.length > 0 && { output: describeBytes(output) }) };
}

function nameOfOp(code: number): string {
  return OP_NAMES.get(code) ?? `0x${code.toString(16)}`;
}

/** A client may send anything. */
function xattrName(op: OsdOp): string {
  try {
    return xattrArgs(op).name;
  } catch (error) {
    if (!(error instanceof MalformedInput)) throw error;
    return `(${error.message})`;
  }
}

function isPgId(value: object): value is PgId {
  return hasOnly(value, 'pool', 'seed');
}

function isVersion(value: object): value is EVersion {
  return hasOnly(value, 'epoch', 'version');
}

function isOp(value: object): value is OsdOp {
  return 'code' in value && 'args' in value && 'input' in value && value.input instanceof Uint8Array;
}

function isResult(value: object): value is OsdOpResult {
  return 'code' in value && 'rval' in value && 'output' in value && value.output instanceof Uint8Array;
}

function hasOnly(value: object, a: string, b: string): boolean {
  return a in value && b in value && Object.keys(value).length === 2;
}
