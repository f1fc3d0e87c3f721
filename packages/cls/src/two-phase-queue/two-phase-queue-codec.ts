/** Structures of the class `2pc_queue` (cls_2pc_queue_types.h, cls_2pc_queue_ops.h). */
import { type Bytes, Decoder, type Encoder, encodeUTime, type RawString, type UTime } from '@spirula/encoding';
import { encodeV1 } from '../queue/queue-codec.ts';
import { decodeRealTime } from '../real-time.ts';
import { HashTable } from './hash-table.ts';

/** Room for entries that somebody will commit, or not. */
export interface QueueReservation {
  /** Bytes of the entries, without what stands before each. */
  readonly size: number;
  readonly made: UTime;
}

/** By their ids. */
export type QueueReservations = HashTable<QueueReservation>;

/** cls_2pc_urgent_data. */
export interface ReservationState {
  /** Bytes that all reservations hold. */
  readonly reservedSize: number;
  readonly lastId: number;
  readonly reservations: QueueReservations;
  /** Some stand in an xattr, or did. */
  readonly hasXattr: boolean;
}

/** Least bytes of an id and its reservation. */
const RESERVATION_BYTES = 4 + 6 + 8 + 8;

function encodeReservationTable(to: Encoder, reservations: QueueReservations): void {
  to.u32(reservations.count);
  for (const [id, { size, made }] of reservations.entries()) {
    to.u32(id);
    to.struct(1, 1, () => {
      to.u64(size);
      encodeUTime(to, made);
    });
  }
}

function decodeReservationTable(from: Decoder): QueueReservations {
  const table = new HashTable<QueueReservation>();
  const count = from.count('reservations', RESERVATION_BYTES);
  for (let i = 0; i < count; i++) {
    const id = from.u32('reservation id');
    const reservation = from.struct('reservation', 1, () => ({
      size: from.u64('reservation size'),
      made: decodeRealTime(from, 'reservation time'),
    }));
    if (table.has(id)) from.fail('reservation id', `comes twice: ${id}`);
    table.add(id, reservation);
  }
  return table;
}

export function encodeReservations(reservations: QueueReservations): Bytes {
  const bytes = encodeV1((to) => encodeReservationTable(to, reservations));
  // The xattr has the table alone.
  return bytes.subarray(6);
}

/** @throws MalformedInput */
export function decodeReservations(bytes: Bytes): QueueReservations {
  return decodeReservationTable(new Decoder(bytes));
}

export function encodeReservationState({ reservedSize, lastId, reservations, hasXattr }: ReservationState): Bytes {
  return encodeV1((to) => {
    // More may have been given back than was reserved: it comes round then.
    to.u64big(BigInt.asUintN(64, BigInt(reservedSize)));
    to.u32(lastId);
    encodeReservationTable(to, reservations);
    to.bool(hasXattr);
  });
}

/** @throws MalformedInput */
export function decodeReservationState(bytes: Bytes): ReservationState {
  const from = new Decoder(bytes);
  return from.struct('reservation state', 1, () => ({
    reservedSize: Number(BigInt.asIntN(64, from.u64big('reserved size'))),
    lastId: from.u32('last id'),
    reservations: decodeReservationTable(from),
    hasXattr: from.bool('has an xattr'),
  }));
}

export interface ReserveInput {
  /** Bytes of all entries together. */
  readonly size: number;
  readonly entries: number;
}

export function encodeReserveInput({ size, entries }: ReserveInput): Bytes {
  return encodeV1((to) => {
    to.u64(size);
    to.u32(entries);
  });
}

export function decodeReserveInput(from: Decoder): ReserveInput {
  return from.struct('reserve', 1, () => ({ size: from.u64saturating('size'), entries: from.u32('entries') }));
}

export function encodeReserveReply(id: number): Bytes {
  return encodeV1((to) => to.u32(id));
}

/** The id of a reservation. @throws MalformedInput */
export function decodeReserveReply(from: Decoder): number {
  return from.struct('reserved', 1, () => from.u32('reservation id'));
}

export interface CommitInput {
  readonly id: number;
  readonly entries: readonly Bytes[];
}

export function encodeCommitInput({ id, entries }: CommitInput): Bytes {
  return encodeV1((to) => {
    to.u32(id);
    to.list(entries, (entry) => to.blob(entry));
  });
}

export function decodeCommitInput(from: Decoder): CommitInput {
  return from.struct('commit', 1, () => ({
    id: from.u32('reservation id'),
    entries: from.list('entries', 4, () => from.blob('entry')),
  }));
}

export function encodeAbortInput(id: number): Bytes {
  return encodeV1((to) => to.u32(id));
}

export function decodeAbortInput(from: Decoder): number {
  return from.struct('abort', 1, () => from.u32('reservation id'));
}

/** @param before reservations that were made before */
export function encodeExpireInput(before: UTime): Bytes {
  return encodeV1((to) => encodeUTime(to, before));
}

export function decodeExpireInput(from: Decoder): UTime {
  return from.struct('expire', 1, () => decodeRealTime(from, 'stale time'));
}

export function encodeReservationsReply(reservations: QueueReservations): Bytes {
  return encodeV1((to) => encodeReservationTable(to, reservations));
}

/** cls_queue_init_op, as clients send it: how much room a queue has for entries. */
export function encodeQueueInitInput(queueSize: number): Bytes {
  return encodeV1((to) => {
    to.u64(queueSize);
    to.u64(0);
    to.blob(new Uint8Array(0));
  });
}

/** @param marker '': from the oldest */
export function encodeQueueListInput({ max, marker }: { readonly max: number; readonly marker: RawString }): Bytes {
  return encodeV1((to) => {
    to.u64(max);
    to.rawString(marker);
  });
}

/** @param end the first entry that stays */
export function encodeQueueRemoveInput(end: RawString): Bytes {
  return encodeV1((to) => to.rawString(end));
}
