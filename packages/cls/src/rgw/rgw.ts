/** The class `rgw` (cls/rgw/cls_rgw.cc): what the object gateway has OSDs do with the indexes of buckets, and beside them. */
import type { Decoder } from '@spirula/encoding';
import { MethodFlag, method, type ObjectClass } from '../object-class.ts';
import { listBilog, switchBilog, trimBilog } from './bilog.ts';
import { decodeBilogListInput, decodeBilogTrimInput } from './bilog-codec.ts';
import { complete, initIndex, prepare, setTagTimeout, suggestChanges, updateStats } from './bucket-change.ts';
import {
  decodeCompleteInput,
  decodePrepareInput,
  decodeSuggestInput,
  decodeTagTimeoutInput,
  decodeUpdateStatsInput,
} from './bucket-codec.ts';
import { bucketList, checkIndex, rebuildIndex } from './bucket-list.ts';
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

const { read, write } = MethodFlag;
const noInput = (_: Decoder) => undefined;

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
    dir_suggest_changes: method(read | write, decodeSuggestInput, suggestChanges),

    obj_remove: method(read | write, decodeRemoveObjectInput, removeObject),
    obj_store_pg_ver: method(write, decodeStorePgVersionInput, storePgVersion),
    obj_check_attrs_prefix: method(read, decodeCheckXattrsInput, checkXattrs),
    obj_check_mtime: method(read, decodeCheckMtimeInput, checkMtime),

    bi_log_list: method(read, decodeBilogListInput, listBilog),
    bi_log_trim: method(read | write, decodeBilogTrimInput, trimBilog),
    bi_log_resync: method(read | write, noInput, (object) => switchBilog(object, false)),
    bi_log_stop: method(read | write, noInput, (object) => switchBilog(object, true)),
  },
};
