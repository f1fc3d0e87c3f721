/** Which site writes to the journal of an image (librbd/Journal.cc, is_tag_owner; journal/Types.cc). The journal itself is not read. */
import { Decoder, Encoder, Errno, MalformedInput, type RawString } from '@spirula/encoding';
import { type IoCtx, RadosError } from '@spirula/rados';

const CLASS = 'journal';
/** The image's own client of its journal. */
const OWN_CLIENT = '';
const LOCAL = '';
const ORPHAN = '<orphan>';
const PAGE = 64;

function journalObject(imageId: RawString): RawString {
  return `journal.${imageId}`;
}

/** @throws RadosError EIO: the journal does not parse */
export async function journalOwner(io: IoCtx, imageId: RawString): Promise<'primary' | 'non-primary' | 'orphan'> {
  try {
    const owner = await lastTagOwner(io, imageId);
    if (owner === LOCAL) return 'primary';
    return owner === ORPHAN ? 'orphan' : 'non-primary';
  } catch (error) {
    if (error instanceof MalformedInput) throw new RadosError(Errno.EIO, `the journal of image ${imageId}`);
    throw error;
  }
}

async function lastTagOwner(io: IoCtx, imageId: RawString): Promise<RawString> {
  const tagClass = await tagClassOf(io, imageId);
  let owner: RawString = ORPHAN;
  for (let after = 0n; ; ) {
    const tags = await tagsFrom(io, imageId, after, tagClass);
    const last = tags.at(-1);
    if (!last) return owner;
    owner = last.owner;
    if (tags.length < PAGE) return owner;
    after = last.tid;
  }
}

async function tagClassOf(io: IoCtx, imageId: RawString): Promise<bigint> {
  const encoder = new Encoder(16);
  encoder.rawString(OWN_CLIENT);
  const client = new Decoder(await io.exec(journalObject(imageId), CLASS, 'get_client', encoder.finish()));
  const data = client.struct('client', 1, () => {
    client.rawString('id');
    return client.blob('data');
  });
  const from = new Decoder(data);
  return from.struct('client data', 1, () => {
    from.u32('type');
    return from.u64big('tag class');
  });
}

/** Behind `after`; 0: all. */
async function tagsFrom(
  io: IoCtx,
  imageId: RawString,
  after: bigint,
  tagClass: bigint,
): Promise<readonly { readonly tid: bigint; readonly owner: RawString }[]> {
  const encoder = new Encoder(64);
  encoder.u64big(after);
  encoder.u64(PAGE);
  encoder.rawString(OWN_CLIENT);
  encoder.optional(tagClass, (each) => encoder.u64big(each));
  const from = new Decoder(await io.exec(journalObject(imageId), CLASS, 'tag_list', encoder.finish()));
  return from.list('tags', 26, () =>
    from.struct('tag', 1, () => {
      const tid = from.u64big('tid');
      from.u64big('class');
      const data = new Decoder(from.blob('data'));
      return { tid, owner: data.rawString('owner') };
    }),
  );
}
