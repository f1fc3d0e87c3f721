/**
 * The class `rgw_gc` (cls/rgw_gc/cls_rgw_gc.cc): garbage collection by queue. Entries that were deferred meanwhile stand in the
 * head's urgent data, and where that is full in an xattr: the older time of such a tag in the queue does not count.
 */
import {
  type Bytes,
  compareUTimes,
  Decoder,
  Encoder,
  Errno,
  encodeUTime,
  MalformedInput,
  type RawString,
  type UTime,
} from '@spirula/encoding';
import type { MethodContext } from '../method-context.ts';
import { ClassError, MethodFlag, method, type ObjectClass } from '../object-class.ts';
import { enqueue, initQueue, listQueue, readQueueHead, removeFromQueue, writeQueueHead } from '../queue/queue.ts';
import { encodeV1, type QueueEntry, type QueueHead } from '../queue/queue-codec.ts';
import { decodeRealTime } from '../real-time.ts';
import {
  decodeGcEntry,
  decodeGcListInput,
  decodeGcSetInput,
  encodeGcEntry,
  encodeGcListReply,
  type GcEntry,
  type GcListInput,
  type GcSetInput,
} from './gc-codec.ts';

const XATTR: RawString = 'cls_queue_urgent_data';
const DEFAULT_MAX = 128;
/** rgw_gc_max_deferred_entries_size, of OSDs. */
const MAX_DEFERRED_BYTES = 3072;
/** Least bytes of a tag and its time. */
const DEFERRED_BYTES = 4 + 8;

type Deferred = ReadonlyMap<RawString, UTime>;

/** cls_rgw_gc_urgent_data. */
interface UrgentData {
  /** The order is that of their deferral; Ceph's is that of a hash table. */
  readonly deferred: Deferred;
  /** How many there may be. */
  readonly max: number;
  readonly inHead: number;
  readonly inXattr: number;
}

/** rgw_gc_queue_init's: cls_rgw_gc_queue_init_op. */
interface InitInput {
  readonly queueSize: number;
  readonly maxDeferred: number;
}

/** @param maxDeferred entries that may be deferred at a time */
export function encodeGcQueueInitInput(queueSize: number, maxDeferred: number): Bytes {
  return encodeV1((encoder) => {
    encoder.u64(queueSize);
    encoder.u64(maxDeferred);
  });
}

function decodeInitInput(decoder: Decoder): InitInput {
  return decoder.struct('gc queue init', 1, () => ({
    queueSize: decoder.u64('size'),
    maxDeferred: decoder.u64('deferred entries'),
  }));
}

/** cls_rgw_gc_queue_remove_entries_op. */
export function encodeGcQueueRemoveInput(entries: number): Bytes {
  return encodeV1((encoder) => encoder.u64(entries));
}

function decodeRemoveInput(decoder: Decoder): number {
  return decoder.struct('gc queue remove', 1, () => decoder.u64('entries'));
}

function encodeDeferred(encoder: Encoder, deferred: Deferred): void {
  encoder.map(
    deferred,
    (tag) => encoder.rawString(tag),
    (time) => encodeUTime(encoder, time),
  );
}

function decodeDeferred(decoder: Decoder): Deferred {
  return decoder.map(
    'deferred',
    DEFERRED_BYTES,
    () => decoder.rawString('tag'),
    () => decodeRealTime(decoder, 'time'),
  );
}

function encodeUrgentData({ deferred, max, inHead, inXattr }: UrgentData): Bytes {
  return encodeV1((encoder) => {
    encodeDeferred(encoder, deferred);
    for (const count of [max, inHead, inXattr]) encoder.u32(count);
  });
}

function decodeUrgentData(decoder: Decoder): UrgentData {
  return decoder.struct('urgent data', 1, () => ({
    deferred: decodeDeferred(decoder),
    max: decoder.u32('urgent data entries'),
    inHead: decoder.u32('head entries'),
    inXattr: decoder.u32('xattr entries'),
  }));
}

/** @throws ClassError EINVAL when it does not parse */
function decodeOwn<T>(bytes: Bytes, decode: (decoder: Decoder) => T): T {
  try {
    return decode(new Decoder(bytes));
  } catch (error) {
    throw error instanceof MalformedInput ? new ClassError(Errno.EINVAL) : error;
  }
}

function readUrgentData({ urgentData }: QueueHead): UrgentData {
  if (urgentData.length === 0) return { deferred: new Map(), max: 0, inHead: 0, inXattr: 0 };
  return decodeOwn(urgentData, decodeUrgentData);
}

function readXattr(object: MethodContext): Deferred {
  const stored = object.getXattr(XATTR);
  return stored ? decodeOwn(stored, decodeDeferred) : new Map();
}

function later({ sec, nsec }: UTime, seconds: number): UTime {
  return { sec: (sec + seconds) >>> 0, nsec };
}

function init(object: MethodContext, { queueSize, maxDeferred }: InitInput): void {
  const urgentData = encodeUrgentData({ deferred: new Map(), max: maxDeferred >>> 0, inHead: 0, inXattr: 0 });
  initQueue(object, { queueSize, maxUrgentDataSize: MAX_DEFERRED_BYTES, urgentData });
}

function add(object: MethodContext, { expirationSec, entry }: GcSetInput): void {
  const time = later(object.now(), expirationSec);
  const head = readQueueHead(object);
  writeQueueHead(object, enqueue(object, head, [encodeGcEntry({ ...entry, time })]));
}

/** When an entry of a tag was deferred to, and where that stands. */
function deferredTo(
  object: MethodContext,
  urgent: UrgentData,
  tag: RawString,
): [time: UTime | undefined, isInHead: boolean] {
  const time = urgent.deferred.get(tag);
  if (time || urgent.inXattr === 0) return [time, true];
  return [readXattr(object).get(tag), false];
}

/** Entries that were deferred are left out. */
function list(object: MethodContext, { marker, max: asked, expiredOnly }: GcListInput): Bytes {
  const head = readQueueHead(object);
  const urgent = readUrgentData(head);
  const max = asked === 0 ? DEFAULT_MAX : asked;
  const entries: GcEntry[] = [];
  let [next, truncated, count] = [marker, true, 0];
  while (truncated && count < max) {
    const page = listQueue(object, head, { max: max - count, marker: next });
    ({ next, truncated } = page);
    if (page.entries.length === 0) break;
    for (const { data } of page.entries) {
      const entry = decodeOwn(data, decodeGcEntry);
      const [deferred] = deferredTo(object, urgent, entry.tag);
      if (deferred && compareUTimes(deferred, entry.time) > 0) continue;
      count += 1;
      if (!expiredOnly || compareUTimes(entry.time, object.now()) <= 0) entries.push(entry);
    }
  }
  return encodeGcListReply({ entries, next: truncated ? next : '', truncated });
}

/** Removes so many entries (0: 128), and deferred ones among them. */
function remove(object: MethodContext, asked: number): void {
  const head = readQueueHead(object);
  let urgent = readUrgentData(head);
  // The entry behind the last one tells where that ends.
  const max = (asked === 0 ? DEFAULT_MAX : asked) + 1;
  let [marker, truncated, count, end] = ['', true, 0, ''];
  while (truncated && end === '') {
    const page = listQueue(object, head, { max: max - count, marker });
    ({ truncated, next: marker } = page);
    if (page.entries.length === 0) break;
    for (const each of page.entries) {
      const [isCounted, after] = settle(object, urgent, each);
      if (isCounted) count += 1;
      urgent = after;
    }
    if (count >= max) end = page.entries.at(-1)!.marker;
    else if (!truncated) end = marker;
  }
  const removed = end === '' ? head : removeFromQueue(object, head, end);
  writeQueueHead(object, { ...removed, urgentData: encodeUrgentData(urgent) });
}

/** Whether an entry counts, and the deferred ones without it. 16.2.15 leaves it in the xattr, and only counts one less. */
function settle(
  object: MethodContext,
  urgent: UrgentData,
  { data }: QueueEntry,
): [isCounted: boolean, after: UrgentData] {
  const { tag, time } = decodeOwn(data, decodeGcEntry);
  const [deferred, isInHead] = deferredTo(object, urgent, tag);
  const order = deferred ? compareUTimes(deferred, time) : -1;
  if (order > 0) return [false, urgent];
  if (order < 0) return [true, urgent];
  if (!isInHead) return [true, { ...urgent, inXattr: urgent.inXattr - 1 }];
  const left = new Map([...urgent.deferred].filter(([each]) => each !== tag));
  return [true, { ...urgent, deferred: left, inHead: urgent.inHead - 1 }];
}

/** Defers an entry. ENOSPC: too many are. */
function update(object: MethodContext, { expirationSec, entry: { tag } }: GcSetInput): void {
  const time = later(object.now(), expirationSec);
  const head = readQueueHead(object);
  const urgent = decodeOwn(head.urgentData, decodeUrgentData);
  const after = defer(object, head, urgent, tag, time);
  if (after.inHead + after.inXattr > after.max) throw new ClassError(Errno.ENOSPC);
  writeQueueHead(object, { ...head, urgentData: encodeUrgentData(after) });
}

function defer(object: MethodContext, head: QueueHead, urgent: UrgentData, tag: RawString, time: UTime): UrgentData {
  const inHead = { ...urgent, deferred: new Map([...urgent.deferred, [tag, time] as const]) };
  if (urgent.deferred.has(tag)) return inHead;
  const inXattr = readXattr(object);
  if (inXattr.has(tag)) {
    writeXattr(object, new Map([...inXattr, [tag, time]]));
    return urgent;
  }
  const more = { ...inHead, inHead: urgent.inHead + 1 };
  if (encodeUrgentData(more).length <= head.maxUrgentDataSize) return more;
  writeXattr(object, new Map([...inXattr, [tag, time]]));
  return { ...urgent, inXattr: urgent.inXattr + 1 };
}

function writeXattr(object: MethodContext, deferred: Deferred): void {
  const encoder = new Encoder(256);
  encodeDeferred(encoder, deferred);
  object.setXattr(XATTR, encoder.finish());
}

const { read, write } = MethodFlag;

export const rgwGcClass: ObjectClass = {
  name: 'rgw_gc',
  methods: {
    rgw_gc_queue_init: method(read | write, decodeInitInput, init),
    rgw_gc_queue_enqueue: method(read | write, decodeGcSetInput, add),
    rgw_gc_queue_list_entries: method(read, decodeGcListInput, list),
    rgw_gc_queue_remove_entries: method(read | write, decodeRemoveInput, remove),
    rgw_gc_queue_update_entry: method(read | write, decodeGcSetInput, update),
  },
};
