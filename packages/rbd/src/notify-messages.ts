/** What those who have an image open tell one another, by notifies of its header (librbd/WatchNotifyTypes.cc). */
import { type Bytes, Decoder, Encoder, MalformedInput } from '@spirula/encoding';

/** NOTIFY_OP_* */
const Op = {
  acquiredLock: 0,
  releasedLock: 1,
  requestLock: 2,
  headerUpdate: 3,
  asyncProgress: 4,
  asyncComplete: 5,
} as const;

/** The version of librbd 16.2; of others the front is the same. */
const NEWEST = 6;

/** Who says so: the number of the client, and the cookie of its watch. */
export interface ClientId {
  readonly gid: bigint;
  readonly handle: bigint;
}

export type ImageNotice =
  | { readonly kind: 'acquiredLock' | 'releasedLock' | 'requestLock'; readonly client: ClientId }
  | { readonly kind: 'headerUpdate' }
  /** Something that whoever holds the lock should do. */
  | { readonly kind: 'request' }
  /** How far something is that whoever holds the lock does. */
  | { readonly kind: 'news' };

export function encodeNotice(notice: Exclude<ImageNotice, { kind: 'request' | 'news' }>): Bytes {
  const encoder = new Encoder(32);
  encoder.struct(NEWEST, 1, () => {
    encoder.u32(Op[notice.kind]);
    if (notice.kind === 'headerUpdate') return;
    encoder.u64big(notice.client.gid);
    encoder.u64big(notice.client.handle);
    if (notice.kind === 'requestLock') encoder.bool(false);
  });
  return encoder.finish();
}

/** Undefined: it does not parse. */
export function decodeNotice(payload: Bytes): ImageNotice | undefined {
  // Older clients say that the header has changed without a word.
  if (payload.length === 0) return { kind: 'headerUpdate' };
  try {
    const from = new Decoder(payload);
    return from.struct('notice', NEWEST, () => decodeBody(from));
  } catch (error) {
    if (error instanceof MalformedInput) return undefined;
    throw error;
  }
}

function decodeBody(from: Decoder): ImageNotice {
  const op = from.u32('op');
  const client = () => ({ gid: from.u64big('gid'), handle: from.u64big('handle') });
  switch (op) {
    case Op.acquiredLock:
      return { kind: 'acquiredLock', client: client() };
    case Op.releasedLock:
      return { kind: 'releasedLock', client: client() };
    case Op.requestLock:
      return { kind: 'requestLock', client: client() };
    case Op.headerUpdate:
      return { kind: 'headerUpdate' };
    case Op.asyncProgress:
    case Op.asyncComplete:
      return { kind: 'news' };
    default:
      return { kind: 'request' };
  }
}

/** What whoever holds the lock answers (ResponseMessage). @param result 0 or a negative errno */
export function encodeResponse(result: number): Bytes {
  const encoder = new Encoder(16);
  encoder.struct(1, 1, () => encoder.i32(result));
  return encoder.finish();
}

/** Undefined: it is no answer of one who holds the lock. */
export function decodeResponse(reply: Bytes): number | undefined {
  if (reply.length === 0) return undefined;
  try {
    const from = new Decoder(reply);
    return from.struct('response', 1, () => from.i32('result'));
  } catch (error) {
    if (error instanceof MalformedInput) return undefined;
    throw error;
  }
}
