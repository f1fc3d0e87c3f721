/** Commands of radosgw-admin about the ops log (rgw_admin.cc; rgw_format_ops_log_entry, rgw_log.cc). */
import { Errno, formatUTime, type RawString, rawFromText, textFromRaw } from '@spirula/encoding';
import { RadosError } from '@spirula/rados';
import type { OpsLogEntry } from '../formats/ops-log-entry.ts';
import { formatUserId } from '../formats/user-id.ts';
import { readOpsLog } from '../ops-log/ops-log.ts';
import type { CommandTable } from './admin.ts';
import { AdminCode, AdminError } from './admin-error.ts';
import { type AdminOptions, flagOf } from './command-options.ts';
import { RawName } from './json-text.ts';
import { timeText } from './user-json.ts';

/** RGWIdentityType, as the log says it. */
const AUTHENTICATIONS: ReadonlyMap<number, string> = new Map([
  [1, 'Local'],
  [2, 'Keystone'],
  [3, 'LDAP'],
  [4, 'STS'],
  [5, 'OIDC Provider'],
]);
const NSEC_PER_MSEC = 1_000_000;
const MSEC_PER_SEC = 1000;
const NO_FILE = '(2) No such file or directory';

export const logCommands: CommandTable = {
  'log list': async ({ store }, options) => {
    const date = options.get('date') ?? '';
    const names: RawName[] = [];
    for await (const { oid } of store.zone.system('log').listObjects()) {
      if (oid.startsWith(date)) names.push(new RawName(oid));
    }
    return names;
  },
  'log show': async ({ store }, options) => {
    const oid = nameOf(options);
    const entries = await readOpsLog(store.zone.system('log'), oid);
    const [first] = entries ?? [];
    if (!entries || !first) {
      throw new AdminError(AdminCode.ENOENT, `error reading log ${textFromRaw(oid)}: ${NO_FILE}`);
    }
    const shown = options.has('skip-zero-entries')
      ? entries.filter(({ bytesSent, bytesReceived }) => bytesSent !== 0n || bytesReceived !== 0n)
      : entries;
    return {
      bucket_id: textFromRaw(first.bucketId),
      bucket_owner: textFromRaw(formatUserId(first.bucketOwner)),
      bucket: new RawName(first.bucket),
      ...(flagOf(options, 'show-log-entries') !== false && { log_entries: shown.map(entryJson) }),
      ...(flagOf(options, 'show-log-sum') !== false && { log_sum: sumOf(entries) }),
    };
  },
  'log rm': async ({ store }, options) => {
    const oid = nameOf(options);
    try {
      await store.zone.system('log').remove(oid);
    } catch (error) {
      if (!(error instanceof RadosError) || error.code !== Errno.ENOENT) throw error;
      throw new AdminError(AdminCode.ENOENT, `error removing log ${textFromRaw(oid)}: ${NO_FILE}`);
    }
  },
};

/** @throws AdminError 1: it is not said which */
function nameOf(options: AdminOptions): RawString {
  const given = (name: string) => options.get(name) ?? '';
  const [object, date, bucket, id] = [given('object'), given('date'), given('bucket'), given('bucket-id')];
  if (object !== '') return rawFromText(object);
  if (date === '' || bucket === '' || id === '') {
    throw new AdminError(1, 'specify an object or a date, bucket and bucket-id');
  }
  return rawFromText(`${date}-${id}-${bucket}`);
}

function milliseconds({ totalTime: { sec, nsec } }: OpsLogEntry): number {
  return sec * MSEC_PER_SEC + Math.floor(nsec / NSEC_PER_MSEC);
}

function entryJson(entry: OpsLogEntry) {
  const owner = textFromRaw(formatUserId(entry.objectOwner));
  const authentication = AUTHENTICATIONS.get(entry.identityType);
  const text = textFromRaw;
  return {
    bucket: new RawName(entry.bucket),
    time: timeText(entry.time),
    time_local: formatUTime(entry.time),
    remote_addr: text(entry.remoteAddr),
    ...(owner !== '' && { object_owner: owner }),
    user: text(entry.user),
    operation: text(entry.operation),
    uri: new RawName(entry.uri),
    http_status: text(entry.httpStatus),
    error_code: text(entry.errorCode),
    bytes_sent: entry.bytesSent,
    bytes_received: entry.bytesReceived,
    object_size: entry.objectSize,
    total_time: milliseconds(entry),
    user_agent: new RawName(entry.userAgent),
    referrer: new RawName(entry.referrer),
    ...(entry.headers.size > 0 && {
      http_x_headers: [...entry.headers].map(([name, value]) => ({ [text(name)]: new RawName(value) })),
    }),
    trans_id: text(entry.requestId),
    ...(authentication !== undefined && { authentication_type: authentication }),
    ...(entry.accessKey !== '' && { access_key_id: text(entry.accessKey) }),
    ...(entry.subuser !== '' && { subuser: text(entry.subuser) }),
    temp_url: entry.temporaryUrl,
  };
}

function sumOf(entries: readonly OpsLogEntry[]) {
  return {
    bytes_sent: entries.reduce((sum, { bytesSent }) => sum + bytesSent, 0n),
    bytes_received: entries.reduce((sum, { bytesReceived }) => sum + bytesReceived, 0n),
    total_time: entries.reduce((sum, entry) => sum + milliseconds(entry), 0),
    total_entries: entries.length,
  };
}
