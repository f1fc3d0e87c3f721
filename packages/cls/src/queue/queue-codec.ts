/**
 * A queue in the data of one object (cls_queue_types.h): a head of fixed size, and behind it entries in a ring.
 *
 *   0xDEAD u16, length u64, cls_queue_head          up to `maxHeadSize`
 *   0xBEEF u16, length u64, data                    each entry; one may go on at the begin of the ring
 */
import { type Bytes, type Decoder, Encoder, type RawString } from '@spirula/encoding';

/** Where an entry begins; the generation counts how often the ring came round. */
export interface QueueMarker {
  readonly offset: number;
  readonly gen: number;
}

/** cls_queue_head. */
export interface QueueHead {
  readonly maxHeadSize: number;
  /** The oldest entry. */
  readonly front: QueueMarker;
  /** Where the next one comes. Empty: as `front`. Full: the same offset, one generation later. */
  readonly tail: QueueMarker;
  /** With the head. */
  readonly queueSize: number;
  readonly maxUrgentDataSize: number;
  /** What an application keeps beside the entries. */
  readonly urgentData: Bytes;
}

export interface QueueEntry {
  readonly data: Bytes;
  readonly marker: RawString;
}

const HEAD_START = 0xdead;
/** Before the head's struct: its mark and length. */
export const HEAD_OVERHEAD = 2 + 8;

export function encodeV1(body: (encoder: Encoder) => void): Bytes {
  const encoder = new Encoder(128);
  encoder.struct(1, 1, () => body(encoder));
  return encoder.finish();
}

export function formatMarker({ gen, offset }: QueueMarker): RawString {
  return `${gen}/${offset}`;
}

/** What does not parse is 0: the begin of the queue. */
export function parseMarker(text: RawString): QueueMarker {
  const [, gen = '0', offset = '0'] = /^(\d+)(?:\/(\d+))?/.exec(text) ?? [];
  return { gen: Number(gen), offset: Number(offset) };
}

function encodeMarker(encoder: Encoder, { gen, offset }: QueueMarker): void {
  encoder.struct(1, 1, () => {
    encoder.u64(gen);
    encoder.u64(offset);
  });
}

function decodeMarker(decoder: Decoder): QueueMarker {
  return decoder.struct('marker', 1, () => {
    const gen = decoder.u64('gen');
    return { gen, offset: decoder.u64('offset') };
  });
}

export function encodeQueueHead(head: QueueHead): Bytes {
  const body = encodeV1((encoder) => {
    encoder.u64(head.maxHeadSize);
    encodeMarker(encoder, head.front);
    encodeMarker(encoder, head.tail);
    encoder.u64(head.queueSize);
    encoder.u64(head.maxUrgentDataSize);
    encoder.blob(head.urgentData);
  });
  const encoder = new Encoder(HEAD_OVERHEAD + body.length);
  encoder.u16(HEAD_START);
  encoder.u64(body.length);
  encoder.raw(body);
  return encoder.finish();
}

/** How long the head's struct is. @throws MalformedInput: there is no head */
export function decodeHeadLength(decoder: Decoder): number {
  if (decoder.u16('head start') !== HEAD_START) decoder.fail('head start', 'is none of a queue');
  return decoder.u64('head length');
}

/** Behind its length. @throws MalformedInput */
export function decodeQueueHead(decoder: Decoder): QueueHead {
  return decoder.struct('queue head', 1, () => ({
    maxHeadSize: decoder.u64('max head size'),
    front: decodeMarker(decoder),
    tail: decodeMarker(decoder),
    queueSize: decoder.u64('queue size'),
    maxUrgentDataSize: decoder.u64('max urgent data size'),
    urgentData: decoder.blob('urgent data'),
  }));
}

/** cls_queue_init_op. */
export interface QueueInitInput {
  /** For entries. */
  readonly queueSize: number;
  readonly maxUrgentDataSize: number;
  readonly urgentData: Bytes;
}

export function decodeQueueInitInput(decoder: Decoder): QueueInitInput {
  return decoder.struct('queue init', 1, () => ({
    queueSize: decoder.u64('queue size'),
    maxUrgentDataSize: decoder.u64('max urgent data size'),
    urgentData: decoder.blob('urgent data'),
  }));
}

export function decodeEnqueueInput(decoder: Decoder): readonly Bytes[] {
  return decoder.struct('enqueue', 1, () => decoder.list('data', 4, () => decoder.blob('data')));
}

/** cls_queue_list_op. */
export interface QueueListInput {
  readonly max: number;
  /** '': from the oldest. */
  readonly marker: RawString;
}

export function decodeQueueListInput(decoder: Decoder): QueueListInput {
  return decoder.struct('queue list', 1, () => ({
    max: decoder.u64saturating('max'),
    marker: decoder.rawString('start marker'),
  }));
}

/** cls_queue_list_ret. */
export interface QueueList {
  readonly truncated: boolean;
  readonly next: RawString;
  readonly entries: readonly QueueEntry[];
}

export function encodeQueueList({ truncated, next, entries }: QueueList): Bytes {
  return encodeV1((encoder) => {
    encoder.bool(truncated);
    encoder.rawString(next);
    encoder.list(entries, ({ data, marker }) =>
      encoder.struct(1, 1, () => {
        encoder.blob(data);
        encoder.rawString(marker);
      }),
    );
  });
}

/** @throws MalformedInput */
export function decodeQueueList(decoder: Decoder): QueueList {
  return decoder.struct('queue list', 1, () => ({
    truncated: decoder.bool('truncated'),
    next: decoder.rawString('next marker'),
    // Least bytes of an entry: its struct, a length, a marker's length.
    entries: decoder.list('entries', 6 + 4 + 4, () =>
      decoder.struct('queue entry', 1, () => ({ data: decoder.blob('data'), marker: decoder.rawString('marker') })),
    ),
  }));
}

export function decodeQueueRemoveInput(decoder: Decoder): RawString {
  return decoder.struct('queue remove', 1, () => decoder.rawString('end marker'));
}
