/** The class `queue`, and what others that are made of queues use of it (cls/queue/cls_queue_src.cc). */
import { type Bytes, concatBytes, Decoder, Encoder, Errno, MalformedInput, type RawString } from '@spirula/encoding';
import type { MethodContext } from '../method-context.ts';
import { ClassError, MethodFlag, method, type ObjectClass } from '../object-class.ts';
import {
  decodeEnqueueInput,
  decodeHeadLength,
  decodeQueueHead,
  decodeQueueInitInput,
  decodeQueueListInput,
  decodeQueueRemoveInput,
  encodeQueueHead,
  encodeQueueList,
  encodeV1,
  formatMarker,
  HEAD_OVERHEAD,
  parseMarker,
  type QueueEntry,
  type QueueHead,
  type QueueInitInput,
  type QueueList,
  type QueueListInput,
  type QueueMarker,
} from './queue-codec.ts';
import { RingReader } from './ring-reader.ts';

/** Without urgent data. */
const HEAD_SIZE = 1024;
const ENTRY_START = 0xbeef;

function sameMarker(a: QueueMarker, b: QueueMarker): boolean {
  return a.offset === b.offset && a.gen === b.gen;
}

/** @throws ClassError EINVAL: it is no queue */
export function readQueueHead(object: MethodContext): QueueHead {
  try {
    let bytes = object.read(0, HEAD_SIZE);
    const missing = decodeHeadLength(new Decoder(bytes)) + HEAD_OVERHEAD - HEAD_SIZE;
    if (missing > 0) bytes = concatBytes([bytes, object.read(HEAD_SIZE, missing)]);
    const decoder = new Decoder(bytes);
    decodeHeadLength(decoder);
    return decodeQueueHead(decoder);
  } catch (error) {
    throw error instanceof MalformedInput ? new ClassError(Errno.EINVAL) : error;
  }
}

/** @throws ClassError EINVAL: there is no room for its urgent data */
export function writeQueueHead(object: MethodContext, head: QueueHead): void {
  const bytes = encodeQueueHead(head);
  if (bytes.length > head.maxHeadSize) throw new ClassError(Errno.EINVAL);
  object.write(0, bytes);
}

/** @throws ClassError EEXIST: it is a queue already */
export function initQueue(object: MethodContext, { queueSize, maxUrgentDataSize, urgentData }: QueueInitInput): void {
  if (isQueue(object)) throw new ClassError(Errno.EEXIST);
  const maxHeadSize = HEAD_SIZE + maxUrgentDataSize;
  const begin = { gen: 0, offset: maxHeadSize };
  const size = { maxHeadSize, queueSize: queueSize + maxHeadSize, maxUrgentDataSize };
  writeQueueHead(object, { ...size, front: begin, tail: begin, urgentData });
}

function isQueue(object: MethodContext): boolean {
  try {
    readQueueHead(object);
    return true;
  } catch (error) {
    if (error instanceof ClassError && error.code === Errno.EINVAL) return false;
    throw error;
  }
}

/** Writes entries; the head that then is to be written. @throws ClassError ENOSPC */
export function enqueue(object: MethodContext, head: QueueHead, all: readonly Bytes[]): QueueHead {
  const { front, queueSize, maxHeadSize } = head;
  let { tail } = head;
  if (front.offset === tail.offset && tail.gen === front.gen + 1) throw new ClassError(Errno.ENOSPC);
  for (const data of all) {
    const entry = encodeEntry(data);
    const untilEnd = queueSize - tail.offset;
    const isInOnePiece = tail.offset >= front.offset;
    const room = isInOnePiece ? untilEnd + front.offset - maxHeadSize : front.offset - tail.offset;
    if (entry.length > room) throw new ClassError(Errno.ENOSPC);
    if (isInOnePiece && entry.length > untilEnd) {
      object.write(tail.offset, entry.subarray(0, untilEnd));
      object.write(maxHeadSize, entry.subarray(untilEnd));
      tail = { gen: tail.gen + 1, offset: maxHeadSize + entry.length - untilEnd };
    } else {
      object.write(tail.offset, entry);
      tail = { gen: tail.gen, offset: tail.offset + entry.length };
    }
    if (tail.offset === queueSize) tail = { gen: tail.gen + 1, offset: maxHeadSize };
  }
  return { ...head, tail };
}

function encodeEntry(data: Bytes): Bytes {
  const encoder = new Encoder(HEAD_OVERHEAD + data.length);
  encoder.u16(ENTRY_START);
  encoder.u64(data.length);
  encoder.raw(data);
  return encoder.finish();
}

/** @throws ClassError EINVAL: at the marker is no entry */
export function listQueue(object: MethodContext, head: QueueHead, { max, marker }: QueueListInput): QueueList {
  const { front, tail } = head;
  if (sameMarker(front, tail)) return { truncated: false, next: formatMarker(front), entries: [] };
  const given = parseMarker(marker);
  const reader = new RingReader(object, head, given.offset === 0 ? front : given);
  const entries: QueueEntry[] = [];
  for (;;) {
    if (entries.length >= max && max > 0) {
      const next = reader.at;
      return { truncated: !sameMarker(next, tail), next: formatMarker(next), entries };
    }
    const { at } = reader;
    const start = reader.take(HEAD_OVERHEAD);
    const data = start && reader.take(decodeEntryLength(start));
    if (!data) return { truncated: false, next: formatMarker(tail), entries };
    entries.push({ data, marker: formatMarker(at) });
  }
}

function decodeEntryLength(start: Bytes): number {
  const decoder = new Decoder(start);
  if (decoder.u16('entry start') !== ENTRY_START) throw new ClassError(Errno.EINVAL);
  return decoder.u64saturating('entry length');
}

/** Removes entries before a marker; the head that then is to be written. @throws ClassError EINVAL: it is none of the queue */
export function removeFromQueue(object: MethodContext, head: QueueHead, marker: RawString): QueueHead {
  const { front, tail, queueSize, maxHeadSize } = head;
  if (sameMarker(front, tail)) return head;
  const end = parseMarker(marker);
  if (end.offset > front.offset && end.gen === front.gen) {
    object.zero(front.offset, end.offset - front.offset);
  } else if (front.offset >= end.offset && end.gen === front.gen + 1) {
    if (queueSize > front.offset) object.zero(front.offset, queueSize - front.offset);
    if (end.offset > maxHeadSize) object.zero(maxHeadSize, end.offset - maxHeadSize);
  } else if (!sameMarker(front, end)) throw new ClassError(Errno.EINVAL);
  const atEnd = end.offset === queueSize;
  return { ...head, front: atEnd ? { gen: end.gen + 1, offset: maxHeadSize } : end };
}

export function queueCapacity(object: MethodContext): Bytes {
  const { queueSize, maxHeadSize } = readQueueHead(object);
  return encodeV1((encoder) => encoder.u64(queueSize - maxHeadSize));
}

const { read, write } = MethodFlag;

export const queueClass: ObjectClass = {
  name: 'queue',
  methods: {
    queue_init: method(read | write, decodeQueueInitInput, initQueue),
    queue_get_capacity: method(read, () => undefined, queueCapacity),
    queue_enqueue: method(read | write, decodeEnqueueInput, (object, all) =>
      writeQueueHead(object, enqueue(object, readQueueHead(object), all)),
    ),
    queue_list_entries: method(read, decodeQueueListInput, (object, asked) =>
      encodeQueueList(listQueue(object, readQueueHead(object), asked)),
    ),
    queue_remove_entries: method(read | write, decodeQueueRemoveInput, (object, marker) =>
      writeQueueHead(object, removeFromQueue(object, readQueueHead(object), marker)),
    ),
  },
};
