import { type Bytes, Decoder, Encoder } from '@spirula/encoding';

/** What a daemon says of itself, as it is stored. */
export function encodeMetadata(metadata: ReadonlyMap<string, string>): Bytes {
  const to = new Encoder(1024);
  to.list([...metadata], ([name, value]) => {
    to.string(name);
    to.string(value);
  });
  return to.finish();
}

export function decodeMetadata(bytes: Bytes): ReadonlyMap<string, string> {
  const from = new Decoder(bytes);
  return new Map(
    from.list('metadata', 8, () => [from.string('metadata.name'), from.string('metadata.value')] as const),
  );
}
