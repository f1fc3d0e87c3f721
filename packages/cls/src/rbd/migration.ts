/** An image on its way from one place to another: the header says so at both ends (cls/rbd/cls_rbd.cc, migration_*). */
import { type Bytes, type Decoder, type Encoder, Errno, equalBytes, type RawString, utf8 } from '@spirula/encoding';
import type { MethodContext } from '../method-context.ts';
import { ClassError, type ClassMethod, MethodFlag, method } from '../object-class.ts';
import { encodeWith, readKey, writeKey } from '../stored-key.ts';
import { Feature } from './features.ts';
import { found, readNumber, removeKeys, writeNumber } from './header-keys.ts';
import { decodeSnapSeqs, encodeSnapSeqs } from './snapshot-codec.ts';

const READ = MethodFlag.read;
const READ_WRITE = MethodFlag.read | MethodFlag.write;
const KEY = 'migration';
/** MIGRATION_HEADER_TYPE_*. */
export const HeaderType = { source: 1, destination: 2 } as const;
/** MIGRATION_STATE_*. */
export const MigrationState = { error: 0, preparing: 1, prepared: 2, executing: 3, executed: 4, aborting: 5 } as const;
/** How the data of a header of the old format begins (RBD_HEADER_TEXT, RBD_MIGRATE_HEADER_TEXT), and with a NUL ends. */
const OLD_TEXT = utf8('<<< Rados Block Device Image >>>\n');
const OLD_MIGRATING_TEXT = utf8('<<< Migrating RBD Image      >>>\n');
const TEXT_BYTES = OLD_TEXT.length + 1;

/** MigrationSpec. */
export interface Migration {
  readonly headerType: number;
  /** Where the image is at the other end. */
  readonly poolId: bigint;
  readonly namespace: RawString;
  readonly imageName: RawString;
  readonly imageId: RawString;
  readonly snapSeqs: ReadonlyMap<bigint, bigint>;
  readonly overlap: bigint;
  readonly flatten: boolean;
  readonly mirroring: boolean;
  /** MIGRATION_STATE_*. */
  readonly state: number;
  readonly description: RawString;
  /** MIRROR_IMAGE_MODE_*. */
  readonly mirrorMode: number;
  /** Where it comes from, when that is no image of the cluster: JSON. */
  readonly sourceSpec: RawString;
}

export function encodeMigration(encoder: Encoder, migration: Migration): void {
  encoder.struct(3, migration.sourceSpec === '' ? 1 : 3, () => {
    encoder.u8(migration.headerType);
    encoder.u64big(migration.poolId);
    encoder.rawString(migration.namespace);
    encoder.rawString(migration.imageName);
    encoder.rawString(migration.imageId);
    encodeSnapSeqs(encoder, migration.snapSeqs);
    encoder.u64big(migration.overlap);
    encoder.bool(migration.flatten);
    encoder.bool(migration.mirroring);
    encoder.u8(migration.state);
    encoder.rawString(migration.description);
    encoder.u8(migration.mirrorMode);
    encoder.rawString(migration.sourceSpec);
  });
}

export function decodeMigration(decoder: Decoder): Migration {
  return decoder.struct('migration', 3, (version) => ({
    headerType: decoder.u8('header type'),
    poolId: decoder.i64big('pool'),
    namespace: decoder.rawString('namespace'),
    imageName: decoder.rawString('image name'),
    imageId: decoder.rawString('image id'),
    snapSeqs: decodeSnapSeqs(decoder),
    overlap: decoder.u64big('overlap'),
    flatten: decoder.bool('flatten'),
    mirroring: decoder.bool('mirroring'),
    state: decoder.u8('state'),
    description: decoder.rawString('description'),
    mirrorMode: version < 2 ? 0 : decoder.u8('mirror image mode'),
    sourceSpec: version < 3 ? '' : decoder.rawString('source spec'),
  }));
}

function writeMigration(object: MethodContext, migration: Migration): void {
  writeKey(object, KEY, (encoder) => encodeMigration(encoder, migration));
}

/** Whether a header of the old format says that its image migrates. @throws ClassError ENXIO: it is none */
function isOldMigrating(object: MethodContext): boolean {
  const text = object.read(0, TEXT_BYTES);
  if (text.length === TEXT_BYTES && text.at(-1) === 0) {
    if (equalBytes(text.subarray(0, -1), OLD_MIGRATING_TEXT)) return true;
    if (equalBytes(text.subarray(0, -1), OLD_TEXT)) return false;
  }
  throw new ClassError(Errno.ENXIO);
}

/** @throws ClassError EEXIST: it migrates already */
function set(object: MethodContext, migration: Migration): void {
  if (object.omapGet(KEY) !== undefined) throw new ClassError(Errno.EEXIST);
  const features = readNumber(object, 'features');
  if (features === undefined) {
    if (isOldMigrating(object)) throw new ClassError(Errno.EEXIST);
    if (migration.headerType !== HeaderType.source) throw new ClassError(Errno.EINVAL);
    object.write(0, OLD_MIGRATING_TEXT);
  } else if ((features & Feature.migrating) === 0n) {
    writeNumber(object, 'features', features | Feature.migrating);
  } else if (migration.headerType !== HeaderType.destination) {
    throw new ClassError(Errno.EEXIST);
  }
  writeMigration(object, migration);
}

/** @throws ClassError EINVAL: it does not migrate */
function read(object: MethodContext): Migration {
  const features = readNumber(object, 'features');
  const migrates = features === undefined ? isOldMigrating(object) : (features & Feature.migrating) !== 0n;
  if (!migrates) throw new ClassError(Errno.EINVAL);
  return found(readKey(object, KEY, decodeMigration));
}

function remove(object: MethodContext): void {
  removeKeys(object, KEY);
  const features = readNumber(object, 'features');
  if (features === undefined) {
    if (!isOldMigrating(object)) throw new ClassError(Errno.EINVAL);
    object.write(0, OLD_TEXT);
  } else if ((features & Feature.migrating) !== 0n) {
    writeNumber(object, 'features', features & ~Feature.migrating);
  }
}

const noInput = () => undefined;

export const migrationMethods: Readonly<Record<string, ClassMethod>> = {
  migration_set: method(READ_WRITE, decodeMigration, set),
  migration_set_state: method(
    READ_WRITE,
    (input) => ({ state: input.u8('state'), description: input.rawString('description') }),
    (object, { state, description }) => writeMigration(object, { ...read(object), state, description }),
  ),
  migration_get: method(READ, noInput, (object): Bytes => {
    const migration = read(object);
    return encodeWith((encoder) => encodeMigration(encoder, migration));
  }),
  migration_remove: method(READ_WRITE, noInput, remove),
};
