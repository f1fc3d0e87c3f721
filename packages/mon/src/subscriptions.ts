/** What subscribers of a monitor are sent: maps, their own options, lines of the cluster log (Monitor::handle_subscribe). */
import { encodeMgrMap, encodeMonMap, type MonMap } from '@spirula/maps';
import type { LogEntry, Message, OsdMapMessage } from '@spirula/messages';
import { priorityOf } from '@spirula/messages';
import type { ConfigMonitor } from './config-monitor.ts';
import type { LogMonitor } from './log-monitor.ts';
import type { MgrMonitor } from './mgr-monitor.ts';
import type { OsdMonitor } from './osd-monitor.ts';
import type { MonSession } from './session.ts';

/** Most maps in one message (osd_map_message_max). */
const MAX_MAPS = 40;

export interface Published {
  readonly monmap: MonMap;
  readonly config: ConfigMonitor;
  readonly mgr: MgrMonitor;
  readonly osd: OsdMonitor;
  readonly log: LogMonitor;
  /** Says to who was away for long that these versions of the log are gone. */
  skipped(from: number, to: number): LogEntry;
}

/** Sends a message; tells whether there is room for more. */
type Send = (message: Message) => boolean;

/** Sends what the session subscribed to and has not been sent yet. */
export function serveSubscriptions(session: MonSession, published: Published, send: Send): void {
  const { monmap, config, mgr, osd } = published;
  serveConfig(session, config, osd, send);
  serveIfNewer(session, 'monmap', monmap.epoch, () => send({ type: 'mon_map', monmap: encodeMonMap(monmap) }));
  const mgrmap = mgr.map;
  if (mgrmap.epoch > 0) {
    serveIfNewer(session, 'mgrmap', mgrmap.epoch, () => send({ type: 'mgr_map', mgrmap: encodeMgrMap(mgrmap) }));
  }
  serveOsdMap(session, osd, published.monmap, send);
  serveLog(session, published, send);
}

/** The options set for the peer: once, and again when what holds for it has changed (ConfigMonitor::maybe_send_config). */
function serveConfig(session: MonSession, config: ConfigMonitor, { map }: OsdMonitor, send: Send): void {
  if (session.wanted('config') === undefined) return;
  const stamp = `${config.version} ${map.epoch}`;
  if (session.config?.stamp === stamp) return;
  const values = config.valuesFor(session.peer.entity, map, session.host);
  const isNew = session.config === undefined || !sameEntries(session.config.values, values);
  session.config = { stamp, values };
  if (isNew) send({ type: 'config', config: values });
  session.sent('config', 0);
}

function sameEntries(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  return a.size === b.size && [...a].every(([key, value]) => b.get(key) === value);
}

function serveIfNewer(session: MonSession, name: string, version: number, send: () => void): void {
  const wanted = session.wanted(name);
  if (wanted === undefined || wanted > version) return;
  send();
  session.sent(name, version);
}

function serveOsdMap(session: MonSession, osd: OsdMonitor, monmap: MonMap, send: Send): void {
  for (;;) {
    const wanted = session.wanted('osdmap');
    const newest = osd.map.epoch;
    if (wanted === undefined || newest === 0 || wanted > newest) return;
    const message = osdMaps(osd, monmap, wanted);
    const room = send(message);
    session.sent('osdmap', Math.max(...message.fulls.keys(), ...message.incrementals.keys()));
    // A peer that reads slowly gets the rest when it has read this.
    if (!room) return;
  }
}

/** From epoch `start`: incrementals where the receiver holds the epoch before, else a whole map first. */
function osdMaps(osd: OsdMonitor, { fsid }: MonMap, start: number): OsdMapMessage {
  const newest = osd.map.epoch;
  const base = { type: 'osd_map', fsid, oldest: osd.first, newest, gapRemovedSnaps: new Map() } as const;
  const incrementals = new Map<number, Uint8Array>();
  const fulls = new Map<number, Uint8Array>();
  let epoch = start;
  if (start === 0 || start <= osd.first) {
    epoch = start === 0 ? newest : osd.first;
    const full = osd.full(epoch);
    if (full !== undefined) fulls.set(epoch, full);
    epoch += 1;
  }
  for (; epoch <= newest && incrementals.size < MAX_MAPS; epoch++) {
    const inc = osd.incremental(epoch);
    if (inc !== undefined) incrementals.set(epoch, inc);
  }
  return { ...base, incrementals, fulls };
}

function serveLog(session: MonSession, { log, monmap, skipped }: Published, send: Send): void {
  const { version } = log;
  for (const name of session.subscribed('log-')) {
    const priority = priorityOf(name.slice('log-'.length));
    const wanted = session.wanted(name)!;
    if (priority < 0 || version === 0 || wanted > version) continue;
    // A new subscriber hears the newest line, and what comes.
    const newest = wanted === 0 ? log.newest(priority) : undefined;
    const entries = wanted === 0 ? [...(newest ? [newest] : [])] : [...log.since(wanted, priority)];
    if (wanted > 0 && wanted < log.first) entries.unshift(skipped(wanted, log.first));
    if (entries.length > 0) send({ type: 'log', fsid: monmap.fsid, version, entries });
    session.sent(name, version);
  }
}
