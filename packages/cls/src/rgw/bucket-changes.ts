/**
 * Announcements and completions of many objects of a shard at once, in order. Ceph's class has no such method, and calls of its
 * methods in one request do not see one another's changes: there each change is a request of its own.
 */
import { type Bytes, Decoder, Encoder } from '@spirula/encoding';
import type { MethodContext } from '../method-context.ts';
import { complete, prepare } from './bucket-change.ts';
import { type CompleteInput, decodeCompleteInput, decodePrepareInput, type PrepareInput } from './bucket-codec.ts';
import { entryKey } from './index-key.ts';
import { OmapOverlay } from './omap-overlay.ts';

const KINDS = ['prepare', 'complete'] as const;

/** `input` as the method of its kind takes it. */
export interface EncodedChange {
  readonly kind: (typeof KINDS)[number];
  readonly input: Bytes;
}

type Change =
  | { readonly kind: 'prepare'; readonly input: PrepareInput }
  | { readonly kind: 'complete'; readonly input: CompleteInput };

export function encodeChangesInput(changes: readonly EncodedChange[]): Bytes {
  const encoder = new Encoder(512);
  encoder.struct(1, 1, () =>
    encoder.list(changes, ({ kind, input }) => {
      encoder.u8(KINDS.indexOf(kind));
      encoder.blob(input);
    }),
  );
  return encoder.finish();
}

export function decodeChangesInput(decoder: Decoder): readonly Change[] {
  return decoder.struct('changes', 1, () => decoder.list('changes', 5, () => decodeChange(decoder)));
}

function decodeChange(decoder: Decoder): Change {
  const kind = KINDS[decoder.u8('kind')] ?? decoder.fail('kind', 'neither an announcement nor a completion');
  const input = new Decoder(decoder.blob('input'));
  return kind === 'prepare' ? { kind, input: decodePrepareInput(input) } : { kind, input: decodeCompleteInput(input) };
}

/** Fails with what the first of them that fails does: none is made then. */
export function changeMany(object: MethodContext, changes: readonly Change[]): void {
  const overlay = new OmapOverlay(object, new Set(changes.map(({ input }) => entryKey(input.key))));
  for (const { kind, input } of changes) {
    if (kind === 'prepare') prepare(overlay, input);
    else complete(overlay, input);
    overlay.endCall();
  }
  overlay.apply();
}
