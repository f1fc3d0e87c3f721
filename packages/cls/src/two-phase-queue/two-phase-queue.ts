/**
 * The class `2pc_queue` (cls/2pc_queue/cls_2pc_queue.cc): a queue in which room is reserved before it is known whether an entry
 * will come.
 *
 *   reserve ──> commit     the entry is in the queue
 *          └──> abort      the room is free again; so after a while, of whoever never came back (expire)
 *
 * Reservations stand in the urgent data of the queue's head; those for which that has no room, in an xattr.
 */
import { type Bytes, compareUTimes, Errno, MalformedInput, type RawString } from '@spirula/encoding';
import type { MethodContext } from '../method-context.ts';
import { ClassError, MethodFlag, method, type ObjectClass } from '../object-class.ts';
import {
  enqueue,
  initQueue,
  listQueue,
  queueCapacity,
  readQueueHead,
  removeFromQueue,
  writeQueueHead,
} from '../queue/queue.ts';
import {
  decodeQueueInitInput,
  decodeQueueListInput,
  decodeQueueRemoveInput,
  encodeQueueList,
  HEAD_OVERHEAD,
  type QueueHead,
} from '../queue/queue-codec.ts';
import { HashTable } from './hash-table.ts';
import {
  type CommitInput,
  decodeAbortInput,
  decodeCommitInput,
  decodeExpireInput,
  decodeReservationState,
  decodeReservations,
  decodeReserveInput,
  encodeReservationState,
  encodeReservations,
  encodeReservationsReply,
  encodeReserveReply,
  type QueueReservation,
  type QueueReservations,
  type ReservationState,
  type ReserveInput,
} from './two-phase-queue-codec.ts';

const XATTR: RawString = 'cls_queue_urgent_data';
/** The head is of 24 KiB then. */
const MAX_URGENT_BYTES = 23_552;

function newState(): ReservationState {
  return { reservedSize: 0, lastId: 0, reservations: new HashTable(), hasXattr: false };
}

/** @throws ClassError EINVAL: it does not parse */
function parsed<T>(bytes: Bytes, decode: (bytes: Bytes) => T): T {
  try {
    return decode(bytes);
  } catch (error) {
    throw error instanceof MalformedInput ? new ClassError(Errno.EINVAL) : error;
  }
}

function stateOf({ urgentData }: QueueHead): ReservationState {
  return parsed(urgentData, decodeReservationState);
}

function writeState(object: MethodContext, head: QueueHead, state: ReservationState): void {
  writeQueueHead(object, { ...head, urgentData: encodeReservationState(state) });
}

/** Undefined: there are none. */
function readXattr(object: MethodContext): QueueReservations | undefined {
  const bytes = object.getXattr(XATTR);
  return bytes && parsed(bytes, decodeReservations);
}

function writeXattr(object: MethodContext, reservations: QueueReservations): void {
  object.setXattr(XATTR, encodeReservations(reservations));
}

/** @throws ClassError ENOSPC: less is free than that */
function reserve(object: MethodContext, { size, entries }: ReserveInput): Bytes {
  if (size === 0 || entries === 0) throw new ClassError(Errno.EINVAL);
  const head = readQueueHead(object);
  const { front, tail, queueSize, maxHeadSize, maxUrgentDataSize } = head;
  const { reservations, reservedSize, lastId, hasXattr } = stateOf(head);
  const room =
    tail.offset >= front.offset ? queueSize - tail.offset + front.offset - maxHeadSize : front.offset - tail.offset;
  const overhead = entries * HEAD_OVERHEAD;
  if (size + reservedSize + overhead > room) throw new ClassError(Errno.ENOSPC);
  const id = (lastId + 1) >>> 0;
  if (reservations.has(id)) throw new ClassError(Errno.EAGAIN);
  const reservation = { size, made: object.now() };
  reservations.add(id, reservation);
  const state = { reservedSize: reservedSize + size + overhead, lastId: id, reservations, hasXattr };
  if (encodeReservationState(state).length <= maxUrgentDataSize) writeState(object, head, state);
  else {
    const others = readXattr(object) ?? new HashTable<QueueReservation>();
    if (others.has(id)) throw new ClassError(Errno.EAGAIN);
    others.add(id, reservation);
    writeXattr(object, others);
    reservations.delete(id);
    writeState(object, head, { ...state, hasXattr: true });
  }
  return encodeReserveReply(id);
}

/** Where a reservation stands. */
interface Found {
  readonly reservation: QueueReservation;
  /** Takes it away there. */
  readonly remove: () => void;
}

function find(object: MethodContext, { reservations, hasXattr }: ReservationState, id: number): Found | undefined {
  const inHead = reservations.get(id);
  if (inHead) return { reservation: inHead, remove: () => reservations.delete(id) };
  const others = hasXattr ? readXattr(object) : undefined;
  const reservation = others?.get(id);
  if (!others || !reservation) return undefined;
  const remove = () => {
    others.delete(id);
    writeXattr(object, others);
  };
  return { reservation, remove };
}

/** @throws ClassError ENOENT: there is no such reservation; EINVAL: it is of less */
function commit(object: MethodContext, { id, entries }: CommitInput): void {
  const head = readQueueHead(object);
  const state = stateOf(head);
  const found = find(object, state, id);
  if (!found) throw new ClassError(Errno.ENOENT);
  const { size } = found.reservation;
  if (entries.reduce((sum, { length }) => sum + length, 0) > size) throw new ClassError(Errno.EINVAL);
  const after = enqueue(object, head, entries);
  found.remove();
  // 16.2.15 keeps what stands before each entry reserved, here and below.
  writeState(object, after, { ...state, reservedSize: state.reservedSize - size });
}

function abort(object: MethodContext, id: number): void {
  const head = readQueueHead(object);
  const state = stateOf(head);
  const found = find(object, state, id);
  if (!found) return;
  found.remove();
  writeState(object, head, { ...state, reservedSize: state.reservedSize - found.reservation.size });
}

function listReservations(object: MethodContext): Bytes {
  const { reservations, hasXattr } = stateOf(readQueueHead(object));
  const others = hasXattr ? readXattr(object) : undefined;
  for (const [id, reservation] of others?.entries() ?? []) if (!reservations.has(id)) reservations.add(id, reservation);
  return encodeReservationsReply(reservations);
}

function expire(object: MethodContext, before: QueueReservation['made']): void {
  const head = readQueueHead(object);
  const state = stateOf(head);
  const ofHead = removeStale(state.reservations, before);
  const others = state.hasXattr ? readXattr(object) : undefined;
  const ofXattr = others ? removeStale(others, before) : undefined;
  if (others && ofXattr !== undefined) writeXattr(object, others);
  if (ofHead === undefined && ofXattr === undefined) return;
  writeState(object, head, { ...state, reservedSize: state.reservedSize - (ofHead ?? 0) - (ofXattr ?? 0) });
}

/** Bytes of those that went; undefined: none did. */
function removeStale(reservations: QueueReservations, before: QueueReservation['made']): number | undefined {
  const stale = reservations.entries().filter(([, { made }]) => compareUTimes(made, before) < 0);
  for (const [id] of stale) reservations.delete(id);
  return stale.length === 0 ? undefined : stale.reduce((sum, [, { size }]) => sum + size, 0);
}

const { read, write } = MethodFlag;
const nothing = () => undefined;

export const twoPhaseQueueClass: ObjectClass = {
  name: '2pc_queue',
  methods: {
    '2pc_queue_init': method(read | write, decodeQueueInitInput, (object, { queueSize }) =>
      initQueue(object, {
        queueSize,
        maxUrgentDataSize: MAX_URGENT_BYTES,
        urgentData: encodeReservationState(newState()),
      }),
    ),
    '2pc_queue_get_capacity': method(read, nothing, queueCapacity),
    '2pc_queue_reserve': method(read | write, decodeReserveInput, reserve),
    '2pc_queue_commit': method(read | write, decodeCommitInput, commit),
    '2pc_queue_abort': method(read | write, decodeAbortInput, abort),
    '2pc_queue_list_reservations': method(read, nothing, listReservations),
    '2pc_queue_list_entries': method(read, decodeQueueListInput, (object, asked) =>
      encodeQueueList(listQueue(object, readQueueHead(object), asked)),
    ),
    '2pc_queue_remove_entries': method(read | write, decodeQueueRemoveInput, (object, marker) =>
      writeQueueHead(object, removeFromQueue(object, readQueueHead(object), marker)),
    ),
    '2pc_queue_expire_reservations': method(read | write, decodeExpireInput, expire),
  },
};
