/** The class `rgw` (cls/rgw/cls_rgw.cc): what the object gateway has OSDs do with the indexes of buckets, and beside them. */
import type { Decoder } from '@spirula/encoding';
import { MethodFlag, method, type ObjectClass } from '../object-class.ts';
import { getBi, listBi, putBi } from './bi.ts';
import { decodeBiEntry, decodeBiGetInput, decodeBiListInput } from './bi-codec.ts';
import { listBilog, switchBilog, trimBilog } from './bilog.ts';
import { decodeBilogListInput, decodeBilogTrimInput } from './bilog-codec.ts';
import { complete, initIndex, prepare, setTagTimeout, suggestChanges, updateStats } from './bucket-change.ts';
import { changeMany, decodeChangesInput } from './bucket-changes.ts';
import {
  decodeCompleteInput,
  decodePrepareInput,
  decodeSuggestInput,
  decodeTagTimeoutInput,
  decodeUpdateStatsInput,
} from './bucket-codec.ts';
import { bucketList, checkIndex, rebuildIndex } from './bucket-list.ts';
import { deferGcEntry, listGc, removeGcEntries, setGcEntry } from './gc.ts';
import { decodeGcDeferInput, decodeGcListInput, decodeGcRemoveInput, decodeGcSetInput } from './gc-codec.ts';
import {
  getLifecycleEntry,
  getLifecycleHead,
  getNextLifecycleEntry,
  listLifecycle,
  putLifecycleHead,
  removeLifecycleEntry,
  setLifecycleEntry,
} from './lifecycle.ts';
import {
  decodeLifecycleEntryInput,
  decodeLifecycleHeadReply,
  decodeLifecycleListInput,
  decodeLifecycleMarkerInput,
} from './lifecycle-codec.ts';
import {
  checkMtime,
  checkXattrs,
  decodeCheckMtimeInput,
  decodeCheckXattrsInput,
  decodeRemoveObjectInput,
  decodeStorePgVersionInput,
  removeObject,
  storePgVersion,
} from './object-checks.ts';
import { decodeClearOlhInput, decodeLinkOlhInput, decodeOlhLogInput, decodeUnlinkInstanceInput } from './olh-codec.ts';
import {
  addReshard,
  clearResharding,
  getReshard,
  getResharding,
  guardResharding,
  listReshard,
  removeReshard,
  setResharding,
} from './reshard.ts';
import {
  decodeReshardEntryReply,
  decodeReshardListInput,
  decodeReshardRemoveInput,
  decodeReshardStateReply,
} from './reshard-codec.ts';
import { decodeAddUsageInput, decodeReadUsageInput, decodeTrimUsageInput } from './usage-codec.ts';
import { addUsage, clearUsage, readUsage, trimUsage } from './usage-log.ts';
import { clearOlh, linkOlh, readOlhLog, trimOlhLog, unlinkInstance } from './versioning.ts';

const { read, write } = MethodFlag;
const noInput = (_: Decoder) => undefined;
const emptyInput = (decoder: Decoder) => decoder.struct('input', 1, () => undefined);

export const rgwClass: ObjectClass = {
  name: 'rgw',
  methods: {
    bucket_init_index: method(read | write, noInput, initIndex),
    bucket_set_tag_timeout: method(read | write, decodeTagTimeoutInput, setTagTimeout),
    bucket_list: bucketList,
    bucket_check_index: method(read, noInput, checkIndex),
    bucket_rebuild_index: method(read | write, noInput, rebuildIndex),
    bucket_update_stats: method(read | write, decodeUpdateStatsInput, updateStats),
    bucket_prepare_op: method(read | write, decodePrepareInput, prepare),
    bucket_complete_op: method(read | write, decodeCompleteInput, complete),
    bucket_change_many: method(read | write, decodeChangesInput, changeMany),
    dir_suggest_changes: method(read | write, decodeSuggestInput, suggestChanges),

    bucket_link_olh: method(read | write, decodeLinkOlhInput, linkOlh),
    bucket_unlink_instance: method(read | write, decodeUnlinkInstanceInput, unlinkInstance),
    bucket_read_olh_log: method(read, decodeOlhLogInput, readOlhLog),
    bucket_trim_olh_log: method(read | write, decodeOlhLogInput, trimOlhLog),
    bucket_clear_olh: method(read | write, decodeClearOlhInput, clearOlh),

    obj_remove: method(read | write, decodeRemoveObjectInput, removeObject),
    obj_store_pg_ver: method(write, decodeStorePgVersionInput, storePgVersion),
    obj_check_attrs_prefix: method(read, decodeCheckXattrsInput, checkXattrs),
    obj_check_mtime: method(read, decodeCheckMtimeInput, checkMtime),

    bi_get: method(read, decodeBiGetInput, getBi),
    bi_put: method(read | write, decodeBiEntry, putBi),
    bi_list: method(read, decodeBiListInput, listBi),
    bi_log_list: method(read, decodeBilogListInput, listBilog),
    bi_log_trim: method(read | write, decodeBilogTrimInput, trimBilog),
    bi_log_resync: method(read | write, noInput, (object) => switchBilog(object, false)),
    bi_log_stop: method(read | write, noInput, (object) => switchBilog(object, true)),

    user_usage_log_add: method(read | write, decodeAddUsageInput, addUsage),
    user_usage_log_read: method(read, decodeReadUsageInput, readUsage),
    user_usage_log_trim: method(read | write, decodeTrimUsageInput, trimUsage),
    usage_log_clear: method(write, noInput, clearUsage),

    gc_set_entry: method(read | write, decodeGcSetInput, setGcEntry),
    gc_defer_entry: method(read | write, decodeGcDeferInput, deferGcEntry),
    gc_list: method(read, decodeGcListInput, listGc),
    gc_remove: method(read | write, decodeGcRemoveInput, removeGcEntries),

    lc_get_entry: method(read, decodeLifecycleMarkerInput, getLifecycleEntry),
    lc_set_entry: method(read | write, decodeLifecycleEntryInput, setLifecycleEntry),
    lc_rm_entry: method(read | write, decodeLifecycleEntryInput, removeLifecycleEntry),
    lc_get_next_entry: method(read, decodeLifecycleMarkerInput, getNextLifecycleEntry),
    lc_put_head: method(read | write, decodeLifecycleHeadReply, putLifecycleHead),
    lc_get_head: method(read, noInput, getLifecycleHead),
    lc_list_entries: method(read, decodeLifecycleListInput, listLifecycle),

    reshard_add: method(read | write, decodeReshardEntryReply, addReshard),
    reshard_list: method(read, decodeReshardListInput, listReshard),
    reshard_get: method(read, decodeReshardEntryReply, getReshard),
    reshard_remove: method(read | write, decodeReshardRemoveInput, removeReshard),
    set_bucket_resharding: method(read | write, decodeReshardStateReply, setResharding),
    clear_bucket_resharding: method(read | write, emptyInput, clearResharding),
    guard_bucket_resharding: guardResharding,
    get_bucket_resharding: method(read, emptyInput, getResharding),
  },
};
