/**
 * An upload in parts that goes on (rgw_multi.h, multipart_upload_info of rgw_op.cc). Its meta object, in the extra pool, holds
 * where the object will be, and an omap value for each part that has come.
 */
import { type Decoder, decodeUTime, type Encoder, encodeUTime, type UTime } from '@spirula/encoding';
import { type Compression, decodeCompression, encodeCompression, NOT_COMPRESSED } from './compression.ts';
import { decodeManifest, encodeManifest, type Manifest } from './manifest.ts';
import { decodePlacementRule, encodePlacementRule, type PlacementRule } from './placement-rule.ts';

/** multipart_upload_info: the data of the meta object. */
export interface UploadInfo {
  readonly placement: PlacementRule;
}

/** RGWUploadPartInfo. */
export interface UploadPart {
  /** From 1 on. */
  readonly number: number;
  /** Bytes as stored. */
  readonly size: number;
  /** Bytes as sent. */
  readonly accountedSize: number;
  /** MD5 in hex. */
  readonly etag: string;
  readonly modified: UTime;
  readonly manifest: Manifest;
  readonly compression: Compression;
}

export function encodeUploadInfo(to: Encoder, { placement }: UploadInfo): void {
  to.struct(1, 1, () => encodePlacementRule(to, placement));
}

/** @throws MalformedInput */
export function decodeUploadInfo(from: Decoder): UploadInfo {
  return from.struct('upload info', 1, () => ({ placement: decodePlacementRule(from) }));
}

export function encodeUploadPart(to: Encoder, part: UploadPart): void {
  to.struct(4, 2, () => {
    to.u32(part.number);
    to.u64(part.size);
    to.string(part.etag);
    encodeUTime(to, part.modified);
    encodeManifest(to, part.manifest);
    encodeCompression(to, part.compression);
    to.u64(part.accountedSize);
  });
}

/** @throws MalformedInput */
export function decodeUploadPart(from: Decoder): UploadPart {
  return from.struct('upload part', 4, (version) => {
    if (version < 3) from.fail('upload part', `of version ${version}, from before manifests`);
    const number = from.u32('part number');
    const size = from.u64('part size');
    const etag = from.string('etag');
    const modified = decodeUTime(from, 'modified');
    const manifest = decodeManifest(from);
    const compression = version >= 4 ? decodeCompression(from) : NOT_COMPRESSED;
    return {
      number,
      size,
      etag,
      modified,
      manifest,
      compression,
      accountedSize: version >= 4 ? from.u64('accounted size') : size,
    };
  });
}
