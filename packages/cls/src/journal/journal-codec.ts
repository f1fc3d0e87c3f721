/** What a journal's header keeps of its clients and tags (cls/journal/cls_journal_types.cc). */
import type { Bytes, Decoder, Encoder, RawString } from '@spirula/encoding';

/** Where in a journal an entry is (ObjectPosition). */
export interface ObjectPosition {
  readonly objectNumber: bigint;
  readonly tagTid: bigint;
  readonly entryTid: bigint;
}

/** The newest entries of each object that a client is done with, newest first (ObjectSetPosition). */
export type CommitPosition = readonly ObjectPosition[];

function encodeCommitPosition(encoder: Encoder, positions: CommitPosition): void {
  encoder.struct(1, 1, () =>
    encoder.list(positions, ({ objectNumber, tagTid, entryTid }) =>
      encoder.struct(1, 1, () => {
        encoder.u64big(objectNumber);
        encoder.u64big(tagTid);
        encoder.u64big(entryTid);
      }),
    ),
  );
}

/** @throws MalformedInput */
export function decodeCommitPosition(decoder: Decoder): CommitPosition {
  return decoder.struct('commit position', 1, () =>
    decoder.list('object positions', 6 + 3 * 8, () =>
      decoder.struct('object position', 1, () => ({
        objectNumber: decoder.u64big('object number'),
        tagTid: decoder.u64big('tag tid'),
        entryTid: decoder.u64big('entry tid'),
      })),
    ),
  );
}

export function sameCommitPosition(a: CommitPosition, b: CommitPosition): boolean {
  return (
    a.length === b.length &&
    a.every(
      ({ objectNumber, tagTid, entryTid }, i) =>
        objectNumber === b[i]!.objectNumber && tagTid === b[i]!.tagTid && entryTid === b[i]!.entryTid,
    )
  );
}

/** CLIENT_STATE_*: one that is disconnected holds nothing back. */
export const ClientState = { connected: 0, disconnected: 1 } as const;

/** Client. */
export interface JournalClient {
  readonly id: RawString;
  readonly data: Bytes;
  readonly commitPosition: CommitPosition;
  readonly state: number;
}

export function encodeClient(encoder: Encoder, { id, data, commitPosition, state }: JournalClient): void {
  encoder.struct(1, 1, () => {
    encoder.rawString(id);
    encoder.blob(data);
    encodeCommitPosition(encoder, commitPosition);
    encoder.u8(state);
  });
}

/** @throws MalformedInput */
export function decodeClient(decoder: Decoder): JournalClient {
  return decoder.struct('client', 1, () => ({
    id: decoder.rawString('id'),
    data: decoder.blob('data'),
    commitPosition: decodeCommitPosition(decoder),
    state: decoder.u8('state'),
  }));
}

/** Tag. */
export interface JournalTag {
  readonly tid: bigint;
  readonly tagClass: bigint;
  readonly data: Bytes;
}

export function encodeTag(encoder: Encoder, { tid, tagClass, data }: JournalTag): void {
  encoder.struct(1, 1, () => {
    encoder.u64big(tid);
    encoder.u64big(tagClass);
    encoder.blob(data);
  });
}

/** @throws MalformedInput */
export function decodeTag(decoder: Decoder): JournalTag {
  return decoder.struct('tag', 1, () => ({
    tid: decoder.u64big('tid'),
    tagClass: decoder.u64big('tag class'),
    data: decoder.blob('data'),
  }));
}
