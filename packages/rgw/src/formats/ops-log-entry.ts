/** An entry of the ops log (rgw_log_entry, rgw_log.h): one behind the other in the objects of an hour and a bucket. */
import { type Decoder, decodeUTime, type Encoder, encodeUTime, type RawString, type UTime } from '@spirula/encoding';
import { decodeUserId, encodeUserId, type UserId } from './user-id.ts';

export interface OpsLogEntry {
  readonly objectOwner: UserId;
  readonly bucketOwner: UserId;
  /** `name`, or `tenant/name`. */
  readonly bucket: RawString;
  readonly bucketId: RawString;
  /** When the request came. */
  readonly time: UTime;
  readonly remoteAddr: RawString;
  /** Who asked. */
  readonly user: RawString;
  readonly key: { readonly name: RawString; readonly instance: RawString; readonly ns: RawString };
  /** As in the usage log. */
  readonly operation: RawString;
  /** `GET /photos/cat HTTP/1.1` */
  readonly uri: RawString;
  readonly httpStatus: RawString;
  readonly errorCode: RawString;
  readonly bytesSent: bigint;
  readonly bytesReceived: bigint;
  readonly objectSize: bigint;
  /** How long it took. */
  readonly totalTime: UTime;
  readonly userAgent: RawString;
  readonly referrer: RawString;
  readonly headers: ReadonlyMap<RawString, RawString>;
  readonly requestId: RawString;
  readonly tokenClaims: readonly RawString[];
  /** RGWIdentityType. */
  readonly identityType: number;
  readonly accessKey: RawString;
  readonly subuser: RawString;
  readonly temporaryUrl: boolean;
}

const TEXT_BYTES = 4;

export function encodeOpsLogEntry(to: Encoder, entry: OpsLogEntry): void {
  const texts = (...all: readonly RawString[]) => {
    for (const each of all) to.rawString(each);
  };
  to.struct(14, 5, () => {
    texts(entry.objectOwner.id, entry.bucketOwner.id, entry.bucket);
    encodeUTime(to, entry.time);
    texts(entry.remoteAddr, entry.user, entry.key.name, entry.operation, entry.uri, entry.httpStatus, entry.errorCode);
    to.u64big(entry.bytesSent);
    to.u64big(entry.objectSize);
    encodeUTime(to, entry.totalTime);
    texts(entry.userAgent, entry.referrer);
    to.u64big(entry.bytesReceived);
    texts(entry.bucketId);
    to.struct(2, 1, () => texts(entry.key.name, entry.key.instance, entry.key.ns));
    encodeUserId(to, entry.objectOwner);
    encodeUserId(to, entry.bucketOwner);
    to.map(
      entry.headers,
      (name) => to.rawString(name),
      (value) => to.rawString(value),
    );
    texts(entry.requestId);
    to.list(entry.tokenClaims, (claim) => to.rawString(claim));
    to.u32(entry.identityType);
    texts(entry.accessKey, entry.subuser);
    to.bool(entry.temporaryUrl);
    // What became of the objects of one removal of many: how many went, how many did not, which.
    to.struct(1, 1, () => {
      for (let i = 0; i < 3; i++) to.u32(0);
    });
  });
}

/** @throws MalformedInput */
export function decodeOpsLogEntry(from: Decoder): OpsLogEntry {
  const nobody = (id: RawString): UserId => ({ tenant: '', ns: '', id });
  return from.struct('entry of the ops log', 14, (version) => {
    if (version < 7) from.fail('entry of the ops log', `of version ${version}, which had no key`);
    const text = (field: string) => from.rawString(field);
    const objectOwner = nobody(text('object owner'));
    const bucketOwner = nobody(text('bucket owner'));
    const bucket = text('bucket');
    const time = decodeUTime(from, 'time');
    const [remoteAddr, user] = [text('remote address'), text('user')];
    text('object');
    const [operation, uri, httpStatus, errorCode] = [text('operation'), text('uri'), text('status'), text('error')];
    const bytesSent = from.u64big('bytes sent');
    const objectSize = from.u64big('object size');
    const totalTime = decodeUTime(from, 'total time');
    const [userAgent, referrer] = [text('user agent'), text('referrer')];
    const bytesReceived = from.u64big('bytes received');
    const bucketId = text('bucket id');
    const key = from.struct('key', 2, (keyVersion) => ({
      name: text('name'),
      instance: text('instance'),
      ns: keyVersion >= 2 ? text('namespace') : '',
    }));
    return {
      bucket,
      time,
      remoteAddr,
      user,
      operation,
      uri,
      httpStatus,
      errorCode,
      bytesSent,
      objectSize,
      totalTime,
      userAgent,
      referrer,
      bytesReceived,
      bucketId,
      key,
      objectOwner: version >= 8 ? decodeUserId(from) : objectOwner,
      bucketOwner: version >= 8 ? decodeUserId(from) : bucketOwner,
      headers:
        version >= 9
          ? from.map(
              'headers',
              2 * TEXT_BYTES,
              () => text('header'),
              () => text('value'),
            )
          : new Map<RawString, RawString>(),
      requestId: version >= 10 ? text('request id') : '',
      tokenClaims: version >= 11 ? from.list('claims', TEXT_BYTES, () => text('claim')) : [],
      identityType: version >= 12 ? from.u32('identity type') : 0,
      accessKey: version >= 13 ? text('access key') : '',
      subuser: version >= 13 ? text('subuser') : '',
      temporaryUrl: version >= 13 && from.bool('temporary url'),
    };
  });
}
