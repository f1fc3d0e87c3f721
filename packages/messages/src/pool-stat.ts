import type { Decoder, Encoder } from '@spirula/encoding';
import type { ObjectStatSum, PoolStat } from './pg-stat.ts';

/** A pool_stat_t v7 as written here. */
export const POOL_STAT_BYTES = 440;

const KB = 1024;

/** object_stat_sum_t v20 (osd/osd_types.cc); what `ObjectStatSum` does not keep is zero. */
function encodeSum(encoder: Encoder, sum: ObjectStatSum): void {
  encoder.struct(20, 14, () => {
    encoder.u64(sum.bytes);
    encoder.u64(sum.objects);
    encoder.u64(sum.objectClones);
    encoder.u64(sum.objectCopies);
    encoder.u64(sum.objectsMissingOnPrimary);
    encoder.u64(sum.objectsDegraded);
    encoder.u64(sum.objectsUnfound);
    encoder.u64(sum.reads);
    encoder.u64(Math.ceil(sum.readBytes / KB));
    encoder.u64(sum.writes);
    encoder.u64(Math.ceil(sum.writeBytes / KB));
    encoder.u64(0); // num_scrub_errors
    encoder.u64(sum.objectsRecovered);
    encoder.u64(sum.bytesRecovered);
    skip(encoder, 3); // num_keys_recovered, num_shallow_scrub_errors, num_deep_scrub_errors
    encoder.u64(sum.objects); // num_objects_dirty: all, where there is no cache tier
    encoder.u64(sum.whiteouts);
    skip(encoder, 2); // num_objects_omap, num_objects_hit_set_archive
    encoder.u64(sum.objectsMisplaced);
    // num_bytes_hit_set_archive, flush, evict, promote (four of them i32), pinned, missing, legacy_snapsets,
    // num_large_omap_objects, num_objects_manifest
    skip(encoder, 13);
    encoder.u64(sum.omapBytes);
    encoder.u64(sum.omapKeys);
    encoder.u64(0); // num_objects_repaired
  });
}

function skip(encoder: Encoder, words: number): void {
  for (let i = 0; i < words; i++) encoder.u64(0);
}

function decodeSum(decoder: Decoder): ObjectStatSum {
  return decoder.struct('object_stat_sum', 20, () => {
    const next = (field: string) => decoder.u64(field);
    const bytes = next('num_bytes');
    const objects = next('num_objects');
    const objectClones = next('num_object_clones');
    const objectCopies = next('num_object_copies');
    const objectsMissingOnPrimary = next('num_objects_missing_on_primary');
    const objectsDegraded = next('num_objects_degraded');
    const objectsUnfound = next('num_objects_unfound');
    const reads = next('num_rd');
    const readBytes = next('num_rd_kb') * KB;
    const writes = next('num_wr');
    const writeBytes = next('num_wr_kb') * KB;
    next('num_scrub_errors');
    const objectsRecovered = next('num_objects_recovered');
    const bytesRecovered = next('num_bytes_recovered');
    decoder.raw(4 * 8, 'object_stat_sum');
    const whiteouts = next('num_whiteouts');
    decoder.raw(2 * 8, 'object_stat_sum');
    const objectsMisplaced = next('num_objects_misplaced');
    decoder.raw(13 * 8, 'object_stat_sum');
    return {
      bytes,
      objects,
      objectClones,
      whiteouts,
      objectCopies,
      objectsMissingOnPrimary,
      objectsDegraded,
      objectsUnfound,
      reads,
      readBytes,
      writes,
      writeBytes,
      objectsRecovered,
      bytesRecovered,
      objectsMisplaced,
      omapBytes: next('num_omap_bytes'),
      omapKeys: next('num_omap_keys'),
    };
  });
}

/** Bytes of all copies before the store rounds them: what `rados df` divides by the pool's size. */
function storedBytes(sum: ObjectStatSum): number {
  return sum.objects === 0 ? 0 : Math.round((sum.bytes / sum.objects) * sum.objectCopies);
}

/** pool_stat_t v7. */
export function encodePoolStat(encoder: Encoder, stat: PoolStat): void {
  encoder.struct(7, 5, () => {
    encoder.struct(2, 2, () => {
      encodeSum(encoder, stat.sum);
      encoder.u32(0); // categories
    });
    encoder.u64(stat.logSize);
    encoder.u64(stat.ondiskLogSize);
    encoder.i32(stat.up);
    encoder.i32(stat.acting);
    encoder.struct(1, 1, () => {
      skip(encoder, 3); // total, available, internally_reserved
      encoder.u64(stat.allocated);
      encoder.u64(storedBytes(stat.sum));
      skip(encoder, 3); // data_compressed, _allocated, _original
      encoder.u64(stat.sum.omapBytes);
      encoder.u64(0); // internal_metadata
    });
    encoder.u32(stat.numOsds);
  });
}

/** @throws MalformedInput */
export function decodePoolStat(decoder: Decoder): PoolStat {
  return decoder.struct('pool_stat', 7, () => {
    const sum = decoder.struct('object_stat_collection', 2, () => decodeSum(decoder));
    const logSize = decoder.u64('log_size');
    const ondiskLogSize = decoder.u64('ondisk_log_size');
    const up = decoder.i32('up');
    const acting = decoder.i32('acting');
    const allocated = decoder.struct('store_statfs', 1, () => {
      decoder.raw(3 * 8, 'store_statfs');
      return decoder.u64('allocated');
    });
    return { sum, logSize, ondiskLogSize, up, acting, allocated, numOsds: decoder.u32('num_store_stats') };
  });
}
