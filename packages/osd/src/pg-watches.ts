/** The watches on objects of one PG, with what they need of it. */
import type { EVersion } from '@spirula/encoding';
import { type HObject, isBlocklisted } from '@spirula/maps';
import { NO_COUNTS, NO_REQUEST, type PgLogEntry, type WatchItem } from '@spirula/messages';
import { encodeObjectInfo, OBJECT_INFO_ATTR, type ObjectInfo } from './object-info.ts';
import { readObjectInfo } from './object-part.ts';
import type { PgCore } from './pg-core.ts';
import type { ObjectWrite } from './trim-object.ts';
import { Watches, watchKey } from './watches.ts';

export interface PgWatchesHost {
  /** Whether the object may be written to now. */
  isWriteable(oid: HObject): boolean;
  nextVersion(): EVersion;
  submit(write: ObjectWrite, onCommit: () => void): void;
}

export function watchesOf(pg: PgCore, host: PgWatchesHost): Watches {
  const { clock, config } = pg.host.world;
  const watches = new Watches({
    get now() {
      return clock.now();
    },
    maxReplyBytes: config.osd_client_message_size_cap,
    send: (session, message) => pg.host.reply(session, message),
    wakeAt: (at) => pg.host.wakeAt(pg.pgid, at),
    isBlocklisted: ({ addr }) => isBlocklisted(pg.map, addr),
    dropWatcher: (oid, watcher) => dropWatcher(pg, host, oid, watcher, () => watches.disconnect(oid, watcher, true)),
  });
  return watches;
}

/**
 * Takes a watcher that is silent from its object's info, as a write does (PrimaryLogPG::handle_watch_timeout). Returns false when
 * that cannot be now.
 */
function dropWatcher(
  pg: PgCore,
  host: PgWatchesHost,
  oid: HObject,
  watcher: WatchItem,
  onDropped: () => void,
): boolean {
  if (!host.isWriteable(oid)) return false;
  const before = readObjectInfo(pg.host.store, pg.cid, oid);
  const watchers = before?.watchers.filter((each) => watchKey(each) !== watchKey(watcher)) ?? [];
  // Already on its way out.
  if (!before || watchers.length === before.watchers.length) return true;
  const { userVersion, mtime, version: priorVersion } = before;
  const version = host.nextVersion();
  const info: ObjectInfo = { ...before, version, priorVersion, watchers };
  const entry: PgLogEntry = {
    ...{ kind: 'modify', oid, version, priorVersion, userVersion },
    ...{ reqid: NO_REQUEST, mtime, result: 0 },
  };
  const attrs = new Map([[OBJECT_INFO_ATTR, encodeObjectInfo(info)]]);
  const changes = [{ op: 'setAttrs', oid, attrs }] as const;
  host.submit({ head: oid, entries: [entry], changes, delta: NO_COUNTS }, onDropped);
  return true;
}
