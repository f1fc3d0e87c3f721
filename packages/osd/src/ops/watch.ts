/** Ops of those who watch an object and of those who notify of it (PrimaryLogPG::do_osd_ops). */
import { Encoder, Errno, MalformedInput } from '@spirula/encoding';
import {
  decodeNotifyAck,
  decodeNotifyRequest,
  encodeWatchItems,
  type NotifyAck,
  notifyArgs,
  type OsdOp,
  OsdOpCode,
  type WatchItem,
  WatchOp,
  watchArgs,
} from '@spirula/messages';
import { answered, DONE, failed, type OpContext, type OpHandler, type OpOutcome } from './op-context.ts';

/** Those who watch one object: they stand in its info, which is written with every change of it. */
const MAX_WATCHERS = 4096;

/** A watcher that says it is there. */
export function isWatchPing(op: OsdOp): boolean {
  return op.code === OsdOpCode.watch && watchArgs(op).op === WatchOp.ping;
}

function watch(context: OpContext, op: OsdOp): OpOutcome {
  if (!context.draft.exists) return failed(Errno.ENOENT);
  const { cookie, op: kind, timeout } = watchArgs(op);
  const { entityType, entityNum, addr } = context.client;
  const timeoutSeconds = timeout === 0 ? context.environment.config.osd_client_watch_timeout : timeout;
  const item: WatchItem = { cookie, entityType, entityNum, timeoutSeconds, addr };
  const isKnown = context.watchers.some((each) => isSame(each, item));
  switch (kind) {
    case WatchOp.watch:
    case WatchOp.legacyWatch:
      if (!isKnown) {
        if (context.watchers.length >= MAX_WATCHERS) return failed(Errno.EBUSY);
        setWatchers(context, [...context.watchers, item].sort(compareWatchers));
      }
      context.effects.push({ kind: 'connect', item, pings: kind === WatchOp.watch });
      return DONE;
    case WatchOp.reconnect:
      if (!isKnown) return failed(Errno.ENOTCONN);
      context.effects.push({ kind: 'connect', item, pings: true });
      return DONE;
    case WatchOp.ping:
      if (!isKnown) return failed(Errno.ENOTCONN);
      // The client is to connect again.
      if (!context.isConnected(item)) return failed(Errno.ETIMEDOUT);
      context.effects.push({ kind: 'ping', watcher: item });
      return DONE;
    case WatchOp.unwatch:
      if (!isKnown) return DONE;
      setWatchers(
        context,
        context.watchers.filter((each) => !isSame(each, item)),
      );
      context.effects.push({ kind: 'disconnect', watcher: item, tell: false });
      return DONE;
    default:
      return DONE;
  }
}

/** The info is written with any change to the object. */
function setWatchers(context: OpContext, watchers: readonly WatchItem[]): void {
  context.watchers = watchers;
  context.draft.create();
}

function isSame(a: WatchItem, b: WatchItem): boolean {
  return a.cookie === b.cookie && a.entityNum === b.entityNum && a.entityType === b.entityType;
}

function compareWatchers(a: WatchItem, b: WatchItem): number {
  if (a.cookie !== b.cookie) return a.cookie < b.cookie ? -1 : 1;
  if (a.entityType !== b.entityType) return a.entityType - b.entityType;
  return a.entityNum < b.entityNum ? -1 : 1;
}

/** The object goes: those who watch it are told. */
export function disconnectWatchers(context: OpContext): void {
  for (const watcher of context.watchers) context.effects.push({ kind: 'disconnect', watcher, tell: true });
  context.watchers = [];
}

/** Answers the number of the notify; that it is complete comes in a message of its own. */
function notify(context: OpContext, op: OsdOp): OpOutcome {
  if (!context.draft.exists) return failed(Errno.ENOENT);
  const { timeoutSeconds, payload } = readRequest(op);
  const id = context.nextNotifyId();
  context.effects.push({
    kind: 'notify',
    id,
    cookie: notifyArgs(op).cookie,
    timeoutSeconds: timeoutSeconds === 0 ? context.environment.config.osd_default_notify_timeout : timeoutSeconds,
    payload,
  });
  const output = new Encoder(8);
  output.u64big(id);
  return answered(output.finish());
}

/** What does not parse is as if it were not there. */
function readRequest({ input }: OsdOp) {
  try {
    return decodeNotifyRequest(input);
  } catch (error) {
    if (!(error instanceof MalformedInput)) throw error;
    return { timeoutSeconds: 0, payload: new Uint8Array() };
  }
}

function notifyAck(context: OpContext, op: OsdOp): OpOutcome {
  if (!context.draft.exists) return failed(Errno.ENOENT);
  context.effects.push({ kind: 'ack', ack: readAck(op) });
  return DONE;
}

/** Clients of old name the notify in the op itself. */
function readAck(op: OsdOp): NotifyAck {
  try {
    return decodeNotifyAck(op.input);
  } catch (error) {
    if (!(error instanceof MalformedInput)) throw error;
    return { notifyId: notifyArgs(op).cookie, cookie: 0n, reply: new Uint8Array() };
  }
}

function listWatchers({ watchers }: OpContext): OpOutcome {
  return answered(encodeWatchItems(watchers));
}

export const watchOps: readonly (readonly [code: number, handler: OpHandler])[] = [
  [OsdOpCode.watch, watch],
  [OsdOpCode.notify, notify],
  [OsdOpCode.notifyAck, notifyAck],
  [OsdOpCode.listWatchers, listWatchers],
];
