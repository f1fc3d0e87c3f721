/**
 * The header and objects of a journal, as librbd writes changes of an image to before it makes them
 * (cls/journal/cls_journal.cc).
 */
import { type Bytes, type Decoder, Errno, type RawString } from '@spirula/encoding';
import type { MethodContext } from '../method-context.ts';
import { ClassError, type ClassMethod, decodeStored, MethodFlag, method, type ObjectClass } from '../object-class.ts';
import { encodeWith, writeKey } from '../stored-key.ts';
import {
  ClientState,
  type CommitPosition,
  decodeClient,
  decodeCommitPosition,
  decodeTag,
  encodeClient,
  encodeTag,
  type JournalClient,
  type ObjectPosition,
  sameCommitPosition,
} from './journal-codec.ts';
import { CLIENT_PREFIX, requireKey, requireNumber, tagKey, writeNumber } from './journal-keys.ts';
import { expireTags, type TagListInput, tagCreate, tagList } from './tags.ts';

const READ = MethodFlag.read;
const READ_WRITE = MethodFlag.read | MethodFlag.write;
/** JOURNAL_MAX_RETURN. */
const BATCH = 256;
/** CEPH_OSD_OP_FLAG_FADVISE_DONTNEED. */
const DONT_NEED = 0x20;
/** From this release on clients skip what fills an object up (ceph_release_t::octopus). */
const OCTOPUS = 15;

interface CreateInput {
  readonly order: number;
  readonly splayWidth: number;
  readonly poolId: bigint;
}

function create(object: MethodContext, { order, splayWidth, poolId }: CreateInput): void {
  if (object.omapGet('order') !== undefined) throw new ClassError(Errno.EEXIST);
  writeKey(object, 'order', (encoder) => encoder.u8(order));
  writeKey(object, 'splay_width', (encoder) => encoder.u8(splayWidth));
  writeNumber(object, 'pool_id', poolId);
  for (const key of ['active_set', 'minimum_set', 'next_tag_tid', 'next_tag_class']) writeNumber(object, key, 0n);
}

/** The object sets in use are those from the minimum to the active one: both only grow. */
function setMinimumSet(object: MethodContext, set: bigint): void {
  if (requireNumber(object, 'active_set') < set) throw new ClassError(Errno.EINVAL);
  advance(object, 'minimum_set', set);
}

function setActiveSet(object: MethodContext, set: bigint): void {
  if (requireNumber(object, 'minimum_set') > set) throw new ClassError(Errno.EINVAL);
  advance(object, 'active_set', set);
}

/** @throws ClassError ESTALE: it is further already */
function advance(object: MethodContext, key: RawString, value: bigint): void {
  const before = requireNumber(object, key);
  if (value < before) throw new ClassError(Errno.ESTALE);
  if (value > before) writeNumber(object, key, value);
}

function readClient(object: MethodContext, id: RawString): JournalClient {
  return requireKey(object, CLIENT_PREFIX + id, decodeClient);
}

function writeClient(object: MethodContext, client: JournalClient): void {
  writeKey(object, CLIENT_PREFIX + client.id, (encoder) => encodeClient(encoder, client));
}

/** By their ids. */
function clientsAfter(object: MethodContext, after: RawString, max: number): JournalClient[] {
  const { entries } = object.omapList({ after: after && CLIENT_PREFIX + after, prefix: CLIENT_PREFIX, max });
  return Array.from(entries.values(), (value) => decodeStored(value, decodeClient));
}

/** Where the client is that is furthest behind: a new one begins there. */
function leastCommitPosition(object: MethodContext): CommitPosition {
  let least: CommitPosition = [];
  let leastFirst: ObjectPosition | undefined;
  for (let after = ''; ; ) {
    const batch = clientsAfter(object, after, BATCH);
    for (const { commitPosition } of batch) {
      const [first] = commitPosition;
      if (first === undefined) {
        // One that has not begun: the rest of these need not be looked at.
        least = [];
        break;
      }
      if (leastFirst && !isBefore(first, leastFirst)) continue;
      [least, leastFirst] = [commitPosition, first];
    }
    if (batch.length < BATCH) return least;
    after = batch.at(-1)!.id;
  }
}

function isBefore(a: ObjectPosition, b: ObjectPosition): boolean {
  return a.tagTid === b.tagTid ? a.entryTid < b.entryTid : a.tagTid < b.tagTid;
}

interface ClientInput {
  readonly id: RawString;
  readonly data: Bytes;
}

function clientRegister(object: MethodContext, { id, data }: ClientInput): void {
  requireKey(object, 'order', (decoder) => decoder.u8('order'));
  if (object.omapGet(CLIENT_PREFIX + id) !== undefined) throw new ClassError(Errno.EEXIST);
  const commitPosition = leastCommitPosition(object);
  writeClient(object, { id, data, commitPosition, state: ClientState.connected });
}

function clientUnregister(object: MethodContext, id: RawString): void {
  if (object.omapGet(CLIENT_PREFIX + id) === undefined) throw new ClassError(Errno.ENOENT);
  object.omapRemove([CLIENT_PREFIX + id]);
  expireTags(object, id);
}

interface CommitInput {
  readonly id: RawString;
  readonly position: CommitPosition;
}

function clientCommit(object: MethodContext, { id, position }: CommitInput): void {
  const splayWidth = requireKey(object, 'splay_width', (decoder) => decoder.u8('splay width'));
  if (position.length > splayWidth) throw new ClassError(Errno.EINVAL);
  const client = readClient(object, id);
  if (sameCommitPosition(client.commitPosition, position)) return;
  writeClient(object, { ...client, commitPosition: position });
}

/** Undefined: there is no object. */
function sizeOf(object: MethodContext): number | undefined {
  try {
    return object.stat().size;
  } catch (error) {
    if (error instanceof ClassError && error.code === Errno.ENOENT) return undefined;
    throw error;
  }
}

/** @throws ClassError EOVERFLOW: the object is as large as it may become */
function checkSize(size: number, softMaxSize: bigint): void {
  if (BigInt(size) >= softMaxSize) throw new ClassError(Errno.EOVERFLOW);
}

/** Where clients know how to skip what is no entry, the object is filled up to what the store allocates anyway. */
function append(object: MethodContext, { softMaxSize, data }: { softMaxSize: bigint; data: Bytes }): void {
  const size = sizeOf(object) ?? 0;
  checkSize(size, softMaxSize);
  object.write(size, data, DONT_NEED);
  if (object.minCompatibleClient < OCTOPUS) return;
  const end = size + data.length;
  const full = Math.ceil(end / object.allocationUnit) * object.allocationUnit;
  if (full !== end) object.truncate(full);
}

const noInput = () => undefined;
const idInput = (input: Decoder) => input.rawString('id');
const clientInput = (input: Decoder): ClientInput => ({ id: idInput(input), data: input.blob('data') });
const setInput = (input: Decoder) => input.u64big('object set');

function getNumber(key: RawString): ClassMethod {
  return method(READ, noInput, (object) => {
    const value = requireNumber(object, key);
    return encodeWith((encoder) => encoder.u64big(value));
  });
}

function getByte(key: RawString): ClassMethod {
  return method(READ, noInput, (object) => {
    const value = requireKey(object, key, (decoder) => decoder.u8(key));
    return encodeWith((encoder) => encoder.u8(value));
  });
}

export const journalClass: ObjectClass = {
  name: 'journal',
  methods: {
    create: method(
      READ_WRITE,
      (input): CreateInput => ({
        order: input.u8('order'),
        splayWidth: input.u8('splay width'),
        poolId: input.i64big('pool'),
      }),
      create,
    ),
    get_order: getByte('order'),
    get_splay_width: getByte('splay_width'),
    get_pool_id: getNumber('pool_id'),
    get_minimum_set: getNumber('minimum_set'),
    set_minimum_set: method(READ_WRITE, setInput, setMinimumSet),
    get_active_set: getNumber('active_set'),
    set_active_set: method(READ_WRITE, setInput, setActiveSet),
    get_client: method(READ, idInput, (object, id) => {
      const client = readClient(object, id);
      return encodeWith((encoder) => encodeClient(encoder, client));
    }),
    client_register: method(READ_WRITE, clientInput, clientRegister),
    client_update_data: method(READ_WRITE, clientInput, (object, { id, data }) =>
      writeKey(object, CLIENT_PREFIX + id, (encoder) => encodeClient(encoder, { ...readClient(object, id), data })),
    ),
    client_update_state: method(
      READ_WRITE,
      (input) => ({ id: idInput(input), state: input.u8('state') }),
      (object, { id, state }) =>
        writeKey(object, CLIENT_PREFIX + id, (encoder) => encodeClient(encoder, { ...readClient(object, id), state })),
    ),
    client_unregister: method(READ_WRITE, idInput, clientUnregister),
    client_commit: method(
      READ_WRITE,
      (input): CommitInput => ({ id: idInput(input), position: decodeCommitPosition(input) }),
      clientCommit,
    ),
    client_list: method(
      READ,
      (input) => ({ after: input.rawString('start after'), max: input.u64saturating('max') }),
      (object, { after, max }) => {
        const clients = clientsAfter(object, after, Math.min(max, Number.MAX_SAFE_INTEGER));
        return encodeWith((encoder) => encoder.list(clients, (client) => encodeClient(encoder, client)));
      },
    ),
    get_next_tag_tid: getNumber('next_tag_tid'),
    get_tag: method(
      READ,
      (input) => input.u64big('tag tid'),
      (object, tid) => {
        const tag = requireKey(object, tagKey(tid), decodeTag);
        return encodeWith((encoder) => encodeTag(encoder, tag));
      },
    ),
    tag_create: method(
      READ_WRITE,
      (input) => ({ tid: input.u64big('tag tid'), tagClass: input.u64big('tag class'), data: input.blob('data') }),
      tagCreate,
    ),
    tag_list: method(
      READ,
      (input): TagListInput => ({
        after: input.u64big('start after'),
        max: input.u64big('max'),
        clientId: input.rawString('client id'),
        tagClass: input.optional('tag class', () => input.u64big('tag class')),
      }),
      tagList,
    ),
    guard_append: method(
      READ_WRITE,
      (input) => input.u64big('soft max size'),
      (object, softMaxSize) => {
        const size = sizeOf(object);
        if (size !== undefined) checkSize(size, softMaxSize);
      },
    ),
    append: method(
      READ_WRITE,
      (input) => ({ softMaxSize: input.u64big('soft max size'), data: input.blob('data') }),
      append,
    ),
  },
};
