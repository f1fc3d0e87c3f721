/**
 * What the front of a private message looks like. A schema turns a value into plain msgpack data (numbers, bigints,
 * strings, bytes, arrays) and back, and refuses what does not fit:
 *
 *     export const privateCodecs = {
 *       pg_ping: privateMessage(0x8101, { pgid, epoch: u32, from: list(u32), since: optional(eversion), data: payload }),
 *     } satisfies PrivateCodecs<OsdToOsdMessage>;
 *
 * An object travels as the array of its fields in the schema's order, a map as the array of its keys and values. A
 * `payload` travels uncopied in the message's data segment; the front holds its length.
 */
import {
  type AddrVec,
  type Bytes,
  type EntityAddr,
  type EntityName,
  EntityType,
  type EntityTypeName,
  type EVersion,
  MalformedInput,
  type PgId,
  type RawString,
  type UTime,
  type Uuid,
} from '@spirula/encoding';
import type { HObject } from '@spirula/maps';
import type { WireMessage } from '@spirula/world';

/** Where payloads go while a message is packed. */
export interface PackContext {
  readonly payloads: Bytes[];
  /** The object named last: when it comes again, null stands for it. */
  lastObject: HObject | undefined;
  /** Encodes a message carried inside another: its plain form, and its data pushed to `payloads`. */
  packMessage(message: WireMessage): unknown;
}

/** Where payloads come from while a message is unpacked. */
export interface UnpackContext {
  lastObject: HObject | undefined;
  /** The next `length` bytes of the data segment, a view. */
  takePayload(length: number, field: string): Bytes;
  unpackMessage(plain: unknown, field: string): WireMessage;
}

/** One type of value. The members are properties, not methods, so that a schema fits its TypeScript type exactly. */
export interface Schema<T> {
  readonly pack: (value: T, context: PackContext) => unknown;
  /** @throws MalformedInput naming `field` when `plain` is no such value. */
  readonly unpack: (plain: unknown, field: string, context: UnpackContext) => T;
}

function refuse(field: string, expected: string): never {
  throw new MalformedInput(field, 0, `not ${expected}`);
}

/** A value that msgpack carries as it is, when `fits`. */
function plainly<T>(expected: string, fits: (plain: unknown) => plain is T): Schema<T> {
  return {
    pack: (value) => value,
    unpack: (plain, field) => (fits(plain) ? plain : refuse(field, expected)),
  };
}

function integerBetween(least: number, most: number): Schema<number> {
  return plainly(
    `an integer in ${least} .. ${most}`,
    (plain): plain is number => Number.isInteger(plain) && (plain as number) >= least && (plain as number) <= most,
  );
}

export const u8 = integerBetween(0, 0xff);
const u16 = integerBetween(0, 0xffff);
export const u32 = integerBetween(0, 0xffff_ffff);
export const i32 = integerBetween(-0x8000_0000, 0x7fff_ffff);
/** A non-negative integer below 2^53. */
export const uint = integerBetween(0, Number.MAX_SAFE_INTEGER);
/** An integer of magnitude below 2^53. */
export const int = integerBetween(-Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
/** Any finite double. */
export const float = plainly('a finite number', (plain): plain is number => Number.isFinite(plain));
export const bool = plainly('a boolean', (plain): plain is boolean => typeof plain === 'boolean');
export const string = plainly('a string', (plain): plain is string => typeof plain === 'string');
/** Bytes inside the front, for small ones; see `payload`. */
export const bytes = plainly('bytes', (plain): plain is Bytes => plain instanceof Uint8Array);
/** -2^63 .. 2^64-1. */
export const bigint: Schema<bigint> = {
  pack: (value) => value,
  unpack: (plain, field) => {
    if (typeof plain === 'bigint') return plain;
    return Number.isSafeInteger(plain) ? BigInt(plain as number) : refuse(field, 'a 64-bit integer');
  },
};

/** One char, one byte. */
export const rawString: Schema<RawString> = {
  pack: (value) => value,
  unpack: (plain, field) => {
    if (typeof plain !== 'string') refuse(field, 'a string of bytes');
    for (let i = 0; i < plain.length; i++) if (plain.charCodeAt(i) > 0xff) refuse(field, 'a string of bytes');
    return plain;
  },
};

/** Bytes that travel in the data segment, uncopied: object data, encoded logs. Unpacked it is a view. */
export const payload: Schema<Bytes> = {
  pack: (value, context) => {
    context.payloads.push(value);
    return value.length;
  },
  unpack: (plain, field, context) => context.takePayload(uint.unpack(plain, field, context), field),
};

/** A whole message, public or private, inside another: what a monitor forwards. It may not hold a third. */
export const anyMessage: Schema<WireMessage> = {
  pack: (value, context) => context.packMessage(value),
  unpack: (plain, field, context) => context.unpackMessage(plain, field),
};

export function literal<const T extends string | number | boolean>(...values: readonly T[]): Schema<T> {
  return plainly(`one of ${values.join(', ')}`, (plain): plain is T => values.includes(plain as T));
}

/** The value or undefined. */
export function optional<T>(item: Schema<T>): Schema<T | undefined> {
  return {
    pack: (value, context) => (value === undefined ? null : item.pack(value, context)),
    unpack: (plain, field, context) => (plain === null ? undefined : item.unpack(plain, field, context)),
  };
}

function array(plain: unknown, field: string): readonly unknown[] {
  return Array.isArray(plain) ? plain : refuse(field, 'an array');
}

/**
 * The fields of an object whose schema is written out: those on the way of every write are, it makes them quicker.
 *
 * @param most when the last may be left out
 */
export function fieldsOf(plain: unknown, field: string, count: number, most = count): readonly unknown[] {
  const values = array(plain, field);
  return values.length >= count && values.length <= most ? values : refuse(field, `${count} fields`);
}

export function list<T>(item: Schema<T>): Schema<readonly T[]> {
  return {
    pack: (value, context) => value.map((each) => item.pack(each, context)),
    unpack: (plain, field, context) => array(plain, field).map((each) => item.unpack(each, field, context)),
  };
}

/** A ReadonlyMap; keys that compare by value (numbers, bigints, strings). */
export function map<K extends string | number | bigint, V>(
  key: Schema<K>,
  value: Schema<V>,
): Schema<ReadonlyMap<K, V>> {
  return {
    pack: (entries, context) => {
      const flat: unknown[] = [];
      for (const [k, v] of entries) flat.push(key.pack(k, context), value.pack(v, context));
      return flat;
    },
    unpack: (plain, field, context) => {
      const flat = array(plain, field);
      if (flat.length % 2 !== 0) refuse(field, 'pairs of key and value');
      const entries = new Map<K, V>();
      for (let i = 0; i < flat.length; i += 2) {
        entries.set(key.unpack(flat[i], field, context), value.unpack(flat[i + 1], field, context));
      }
      return entries;
    },
  };
}

export function set<T extends string | number | bigint>(item: Schema<T>): Schema<ReadonlySet<T>> {
  const items = list(item);
  return {
    pack: (value, context) => items.pack([...value], context),
    unpack: (plain, field, context) => new Set(items.unpack(plain, field, context)),
  };
}

export function tuple<const T extends readonly unknown[]>(
  ...items: { readonly [I in keyof T]: Schema<T[I]> }
): Schema<Readonly<T>> {
  const schemas = items as readonly Schema<unknown>[];
  return {
    pack: (value, context) => schemas.map((item, i) => item.pack(value[i], context)),
    unpack: (plain, field, context) => {
      const values = array(plain, field);
      if (values.length !== schemas.length) refuse(field, `${schemas.length} values`);
      return schemas.map((item, i) => item.unpack(values[i], field, context)) as unknown as T;
    },
  };
}

/** The schemas of the fields of an F. */
export type Shape<F> = { readonly [K in keyof F]: Schema<F[K]> };

/** An object: the array of its fields, in this order. */
export function object<F>(shape: Shape<F>): Schema<Readonly<F>> {
  const fields = Object.entries(shape) as unknown as readonly (readonly [string, Schema<unknown>])[];
  return {
    pack: (value, context) =>
      fields.map(([name, item]) => item.pack((value as Readonly<Record<string, unknown>>)[name], context)),
    unpack: (plain, field, context) => {
      const values = array(plain, field);
      if (values.length !== fields.length) refuse(field, `${fields.length} fields`);
      const result: Record<string, unknown> = {};
      for (let i = 0; i < fields.length; i++) {
        const [name, item] = fields[i]!;
        result[name] = item.unpack(values[i], name, context);
      }
      return result as Readonly<F>;
    },
  };
}

/** The union whose members have their name in C as `Tag`, and the fields C gives them. */
export type Tagged<Tag extends string, C> = {
  [K in keyof C & string]: { readonly [T in Tag]: K } & Readonly<C[K]>;
}[keyof C & string];

/** One of several objects, told apart by the string in `tag` (a discriminated union): name and fields. */
export function union<const Tag extends string, C>(
  tag: Tag,
  cases: { readonly [K in keyof C]: Shape<C[K]> },
): Schema<Tagged<Tag, C>> {
  const schemas = new Map<string, Schema<unknown>>();
  for (const [name, shape] of Object.entries(cases)) {
    schemas.set(name, object(shape as Shape<unknown>) as Schema<unknown>);
  }
  return {
    pack: (value, context) => {
      const name = (value as Readonly<Record<string, string>>)[tag]!;
      return [name, schemas.get(name)!.pack(value, context)];
    },
    unpack: (plain, field, context) => {
      const [name, fields] = array(plain, field);
      const schema = schemas.get(name as string) ?? refuse(tag, `one of ${[...schemas.keys()].join(', ')}`);
      const value = schema.unpack(fields, field, context);
      return { [tag]: name, ...(value as object) } as unknown as Tagged<Tag, C>;
    },
  };
}

/** An object used as a dictionary of strings. */
export function record<V>(value: Schema<V>): Schema<Readonly<Record<string, V>>> {
  const entries = map(string, value);
  return {
    pack: (dictionary, context) => entries.pack(new Map(Object.entries(dictionary)), context),
    unpack: (plain, field, context) => Object.fromEntries(entries.unpack(plain, field, context)),
  };
}

/** A string, or something that does not travel as one. */
export function stringOr<T>(other: Schema<T>): Schema<string | T> {
  return {
    pack: (value, context) => (typeof value === 'string' ? value : other.pack(value, context)),
    unpack: (plain, field, context) => (typeof plain === 'string' ? plain : other.unpack(plain, field, context)),
  };
}

// The domain's own small types.

export const pgid: Schema<PgId> = {
  pack: ({ pool, seed }) => [pool, seed],
  unpack: (plain, field, context) => {
    const [pool, seed] = fieldsOf(plain, field, 2);
    return { pool: uint.unpack(pool, 'pool', context), seed: u32.unpack(seed, 'seed', context) };
  },
};
export const eversion: Schema<EVersion> = {
  pack: ({ epoch, version }) => [epoch, version],
  unpack: (plain, field, context) => {
    const [epoch, version] = fieldsOf(plain, field, 2);
    return { epoch: u32.unpack(epoch, 'epoch', context), version: uint.unpack(version, 'version', context) };
  },
};
export const utime: Schema<UTime> = {
  pack: ({ sec, nsec }) => [sec, nsec],
  unpack: (plain, field, context) => {
    const [sec, nsec] = fieldsOf(plain, field, 2);
    return { sec: u32.unpack(sec, 'sec', context), nsec: u32.unpack(nsec, 'nsec', context) };
  },
};
// The position before every object has no pool: minus infinity.
const objectPool = plainly(
  'a pool',
  (plain): plain is number => Number.isSafeInteger(plain) || plain === Number.NEGATIVE_INFINITY,
);
/** Null: the object that came before it in the same message. */
export const hobject: Schema<HObject> = {
  pack: (value, context) => {
    if (value === context.lastObject) return null;
    context.lastObject = value;
    return [value.pool, value.nspace, value.key, value.name, value.snap, value.hash, value.max];
  },
  unpack: (plain, field, context) => {
    if (plain === null) return context.lastObject ?? refuse(field, 'an object');
    const [pool, nspace, key, name, snap, hash, max] = fieldsOf(plain, field, 7);
    context.lastObject = {
      pool: objectPool.unpack(pool, 'pool', context),
      nspace: rawString.unpack(nspace, 'nspace', context),
      key: rawString.unpack(key, 'key', context),
      name: rawString.unpack(name, 'name', context),
      snap: bigint.unpack(snap, 'snap', context),
      hash: u32.unpack(hash, 'hash', context),
      max: bool.unpack(max, 'max', context),
    };
    return context.lastObject;
  },
};
export const entityAddr: Schema<EntityAddr> = object({
  type: u32,
  nonce: u32,
  family: literal(0, 2, 10),
  ip: string,
  port: u16,
});
export const addrVec: Schema<AddrVec> = list(entityAddr);
export const entityType: Schema<EntityTypeName> = literal(...(Object.keys(EntityType) as EntityTypeName[]));
export const entityName: Schema<EntityName> = object({
  type: entityType,
  id: string,
});
export const uuid: Schema<Uuid> = {
  pack: (value) => value,
  unpack: (plain, field) => (plain instanceof Uint8Array && plain.length === 16 ? plain : refuse(field, '16 bytes')),
};

/** The codec of one private message: its type number and the schema of all its fields but `type`. */
export interface PrivateCodec<T> {
  readonly code: number;
  readonly schema: Schema<T>;
}

/**
 * Declares a private message. Ranges of `code`: 0x8000 mon to mon, 0x8080 OSD and monitor, 0x8100 OSD to OSD, 0x8200
 * manager.
 */
export function privateMessage<F>(code: number, shape: Shape<F>): PrivateCodec<Readonly<F>> {
  return { code, schema: object(shape) };
}

type Distributed<M, T> = M extends { readonly type: T } ? Omit<M, 'type'> : never;

/** A codec for each message of a union, by its `type`: `satisfies PrivateCodecs<TheUnion>`. */
export type PrivateCodecs<M extends WireMessage> = {
  readonly [T in M['type']]: PrivateCodec<Distributed<M, T>>;
};
