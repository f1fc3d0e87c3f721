import { type Bytes, Decoder, decodeAddr, EMPTY, Encoder, type EntityAddr, encodeAddr } from '@spirula/encoding';
import { Priority, type PublicCodec } from './public-codec.ts';

/**
 * What an OSD tells those who watch an object, and those who notify of it (MWatchNotify v3):
 *
 *     notifier --notify op--> OSD --notify--> each watcher --notifyAck op--> OSD --notifyComplete--> notifier
 *
 * A watcher that is no longer one is told by `disconnect`.
 */
export interface WatchNotify {
  readonly type: 'watch_notify';
  readonly event: WatchEvent;
  /** Of the watch; of the notifier's wait, when the notify is complete. */
  readonly cookie: bigint;
  /** User version of the object. */
  readonly version: number;
  readonly notifyId: bigint;
  /** What the notifier has to say. */
  readonly payload: Bytes;
  /** Of a complete notify: 0, or ETIMEDOUT when some watchers did not answer. */
  readonly result: number;
  /** Global id of the notifier. */
  readonly notifierGid: bigint;
  /** Of a complete notify: `NotifyOutcome`. */
  readonly data: Bytes;
}

/** CEPH_WATCH_EVENT_*, from 1. */
const EVENTS = ['notify', 'notifyComplete', 'disconnect'] as const;
type WatchEvent = (typeof EVENTS)[number];

export const watchNotifyCodec: PublicCodec<WatchNotify> = {
  code: 44,
  version: 3,
  compat: 1,
  priority: Priority.normal,
  encodeFront(front, { event, cookie, version, notifyId, payload, result, notifierGid }) {
    front.u8(1);
    front.u8(EVENTS.indexOf(event) + 1);
    front.u64big(cookie);
    front.u64(version);
    front.u64big(notifyId);
    front.blob(payload);
    front.i32(result);
    front.u64big(notifierGid);
  },
  data: ({ data }) => (data.length === 0 ? [] : [data]),
  decode(front, { data }) {
    front.u8('version of watch_notify');
    const code = front.u8('watch event');
    const event = EVENTS[code - 1] ?? front.fail('watch event', `is ${code}`);
    const cookie = front.u64big('cookie');
    const version = front.u64('version');
    const notifyId = front.u64big('notify id');
    const payload = front.blob('payload');
    const result = front.i32('return code');
    const notifierGid = front.u64big('notifier gid');
    return { type: 'watch_notify', event, cookie, version, notifyId, payload, result, notifierGid, data };
  },
};

/** What a notify op carries. */
export interface NotifyRequest {
  /** 0 takes the OSD's default. */
  readonly timeoutSeconds: number;
  readonly payload: Bytes;
}

export function encodeNotifyRequest({ timeoutSeconds, payload }: NotifyRequest): Bytes {
  const input = new Encoder(12 + payload.length);
  // A version, of which nothing depends any more.
  input.u32(1);
  input.u32(timeoutSeconds);
  input.blob(payload);
  return input.finish();
}

/** @throws MalformedInput */
export function decodeNotifyRequest(input: Bytes): NotifyRequest {
  const decoder = new Decoder(input);
  decoder.u32('notify version');
  const timeoutSeconds = decoder.u32('notify timeout');
  return { timeoutSeconds, payload: decoder.blob('notify payload') };
}

/** A watcher's answer to a notify. */
export interface NotifyAck {
  readonly notifyId: bigint;
  /** Of the watch; 0: of whichever watches the client has. */
  readonly cookie: bigint;
  readonly reply: Bytes;
}

export function encodeNotifyAck({ notifyId, cookie, reply }: NotifyAck): Bytes {
  const input = new Encoder(20 + reply.length);
  input.u64big(notifyId);
  input.u64big(cookie);
  input.blob(reply);
  return input.finish();
}

/** @throws MalformedInput */
export function decodeNotifyAck(input: Bytes): NotifyAck {
  const decoder = new Decoder(input);
  const notifyId = decoder.u64big('notify id');
  const cookie = decoder.u64big('watch cookie');
  return { notifyId, cookie, reply: decoder.remaining > 0 ? decoder.blob('reply') : EMPTY };
}

/** A watch, as it is named among those of an object. */
export interface WatcherName {
  /** Global id of the client. */
  readonly gid: bigint;
  readonly cookie: bigint;
}

/** What has become of a notify. */
export interface NotifyOutcome {
  readonly acks: readonly (WatcherName & { readonly reply: Bytes })[];
  /** Those that did not answer in time. */
  readonly timedOut: readonly WatcherName[];
}

const WATCHER_NAME_BYTES = 16;

export function encodeNotifyOutcome({ acks, timedOut }: NotifyOutcome): Bytes {
  const output = new Encoder(64);
  output.list(acks, ({ gid, cookie, reply }) => {
    output.u64big(gid);
    output.u64big(cookie);
    output.blob(reply);
  });
  output.list(timedOut, ({ gid, cookie }) => {
    output.u64big(gid);
    output.u64big(cookie);
  });
  return output.finish();
}

/** @throws MalformedInput */
export function decodeNotifyOutcome(bytes: Bytes): NotifyOutcome {
  const decoder = new Decoder(bytes);
  const name = () => ({ gid: decoder.u64big('gid'), cookie: decoder.u64big('cookie') });
  const acks = decoder.list('acks', WATCHER_NAME_BYTES + 4, () => ({ ...name(), reply: decoder.blob('reply') }));
  return { acks, timedOut: decoder.list('timed out', WATCHER_NAME_BYTES, name) };
}

/** One who watches an object, as listWatchers shows it (watch_item_t). */
export interface WatchItem {
  readonly entityType: number;
  readonly entityNum: bigint;
  readonly cookie: bigint;
  readonly timeoutSeconds: number;
  readonly addr: EntityAddr;
}

const WATCH_ITEM_BYTES = 40;

export function encodeWatchItems(items: readonly WatchItem[]): Bytes {
  const output = new Encoder(64);
  output.struct(1, 1, () =>
    output.list(items, ({ entityType, entityNum, cookie, timeoutSeconds, addr }) =>
      output.struct(2, 1, () => {
        output.u8(entityType);
        output.u64big(entityNum);
        output.u64big(cookie);
        output.u32(timeoutSeconds);
        encodeAddr(output, addr);
      }),
    ),
  );
  return output.finish();
}

/** @throws MalformedInput */
export function decodeWatchItems(bytes: Bytes): readonly WatchItem[] {
  const decoder = new Decoder(bytes);
  return decoder.struct('watchers', 1, () =>
    decoder.list('watchers', WATCH_ITEM_BYTES, () =>
      decoder.struct('watcher', 2, () => ({
        entityType: decoder.u8('entity type'),
        entityNum: decoder.u64big('entity'),
        cookie: decoder.u64big('cookie'),
        timeoutSeconds: decoder.u32('timeout'),
        addr: decodeAddr(decoder, 'watcher address'),
      })),
    ),
  );
}
