/** What daemons are: versions, features, hosts, what they say of themselves (mon/Monitor.cc, mon/MgrMonitor.cc). */
import { Errno } from '@spirula/encoding';
import { CEPH_VERSION_TEXT, osdUp } from '@spirula/maps';
import type { ConnectedPeers } from '@spirula/messages';
import type { Metadata } from '../mon-metadata.ts';
import {
  alike,
  type CommandArgs,
  type CommandContext,
  type CommandOutcome,
  flagged,
  jsonAlways,
  type MonCommandEntry,
  output,
  refuse,
  succeed,
  text,
} from './command.ts';
import { ALL_FEATURES, featureMap } from './feature-map.ts';
import { osdsOf } from './osd-arguments.ts';

/** In descriptions: each monitor answers for itself (MonCommand::FLAG_TELL). */
const TELL = 33;
/** What stands for a value that is not said. */
const UNKNOWN = 'unknown';
export const daemonCommands: readonly MonCommandEntry[] = [
  ...flagged(
    alike(['r version'], 'show the version of the monitor asked', (args) =>
      output(args, { version: CEPH_VERSION_TEXT }, `${CEPH_VERSION_TEXT}\n`, '\n'),
    ),
    TELL,
  ),
  ...alike(['r versions'], 'count the versions of all daemons', versions),
  ...alike(['r features'], 'count the features of who is connected', features),
  ...alike(['r node ls [type:all|osd|mon|mds|mgr]'], 'list the hosts, and who is on them', nodeLs),
  ...alike(['r mon metadata [id]'], 'show what monitors say of themselves', monMetadata),
  ...alike(
    ['r mon count-metadata <property>'],
    'count what monitors say of themselves, value by value',
    (args, context) => jsonAlways(args, count(mons(context), text(args, 'property') ?? '')),
  ),
  ...alike(['r mon versions'], 'count the versions of the monitors', (args, context) =>
    jsonAlways(args, count(mons(context), 'ceph_version')),
  ),
  ...alike(
    ['r osd count-metadata <property>'],
    'count what OSDs say of themselves, value by value',
    (args, context) => jsonAlways(args, count(upOsds(context), text(args, 'property') ?? '')),
    'osd',
  ),
  ...alike(
    ['r osd versions'],
    'count the versions of the OSDs',
    (args, context) => jsonAlways(args, count(upOsds(context), 'ceph_version')),
    'osd',
  ),
  ...alike(['r mgr metadata [who]'], 'show what managers say of themselves', mgrMetadata, 'mgr'),
  ...alike(
    ['r mgr count-metadata <property>'],
    'count what managers say of themselves, value by value',
    (args, context) => jsonAlways(args, count(mgrs(context), text(args, 'property') ?? '')),
    'mgr',
  ),
  ...alike(
    ['r mgr versions'],
    'count the versions of the managers',
    (args, context) => jsonAlways(args, count(mgrs(context), 'ceph_version')),
    'mgr',
  ),
];

/** Monitors of the map that were in quorum at some time. */
function mons({ monmap, monMetadata }: CommandContext): Map<string, Metadata> {
  return known(monmap.ranks.map((name) => [name, monMetadata.of(name)]));
}

/** The active manager, and those that stand by. */
function mgrs({ mgr }: CommandContext): Map<string, Metadata> {
  const { activeName, standbys } = mgr.map;
  const names = [...(activeName === '' ? [] : [activeName]), ...[...standbys.values()].map(({ name }) => name)];
  return known(names.map((name) => [name, mgr.metadata(name)]));
}

function known<K>(entries: readonly (readonly [K, Metadata])[]): Map<K, Metadata> {
  return new Map(entries.filter(([, metadata]) => metadata.size > 0));
}

function osds({ osd }: CommandContext): Map<number, Metadata> {
  return known(osdsOf(osd.map).map((id) => [id, osd.metadata(id)]));
}

function upOsds(context: CommandContext): Map<number, Metadata> {
  return new Map([...osds(context)].filter(([id]) => osdUp(context.osd.map, id)));
}

/** Value -> how many daemons say it, by value. */
function count(daemons: ReadonlyMap<unknown, Metadata>, property: string): Record<string, number> {
  const counts = new Map<string, number>();
  for (const metadata of daemons.values()) {
    const value = metadata.get(property) ?? UNKNOWN;
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function sorted(metadata: Metadata): Record<string, string> {
  return Object.fromEntries([...metadata].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function versions(args: CommandArgs, context: CommandContext): CommandOutcome {
  const groups = { mon: mons(context), mgr: mgrs(context), osd: upOsds(context), mds: new Map<string, Metadata>() };
  const all = Object.values(groups).flatMap((daemons) => [...daemons.values()]);
  const counted = Object.entries(groups).map(([type, daemons]) => [type, count(daemons, 'ceph_version')]);
  return jsonAlways(args, {
    ...Object.fromEntries(counted),
    overall: count(new Map(all.entries()), 'ceph_version'),
  });
}

/** Every monitor of the quorum counts itself and those that are connected to it. */
function features(args: CommandArgs, { quorum, connected }: CommandContext): CommandOutcome {
  const self: ConnectedPeers = { type: 'mon', features: ALL_FEATURES, count: quorum.ranks.length };
  return jsonAlways(args, featureMap([self, ...connected()]));
}

/** Host -> who is there (MonCap's `node ls`, Monitor::print_nodes); daemons that name no host are left out. */
function nodeLs(args: CommandArgs, context: CommandContext): CommandOutcome {
  const byHost = {
    mon: hostsOf(mons(context)),
    osd: hostsOf(osds(context)),
    mgr: hostsOf(mgrs(context)),
  };
  const type = text(args, 'type') ?? 'all';
  // As in 16.2: where no metadata server ever was, nothing at all is said of them.
  if (type === 'mds') return succeed('');
  return jsonAlways(args, type === 'all' ? byHost : byHost[type as keyof typeof byHost], '\n');
}

function hostsOf<K>(daemons: ReadonlyMap<K, Metadata>): Record<string, K[]> {
  const hosts = new Map<string, K[]>();
  for (const [daemon, metadata] of daemons) {
    const host = metadata.get('hostname') ?? '';
    if (host !== '') hosts.set(host, [...(hosts.get(host) ?? []), daemon]);
  }
  return Object.fromEntries([...hosts].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function monMetadata(args: CommandArgs, context: CommandContext): CommandOutcome {
  const id = text(args, 'id');
  const all = mons(context);
  if (id === undefined)
    return jsonAlways(
      args,
      [...all].map(([name, metadata]) => ({ name, ...sorted(metadata) })),
      '\n',
    );
  if (!context.monmap.mons.has(id)) return refuse(Errno.ENOENT, 'requested mon not found');
  return jsonAlways(args, sorted(context.monMetadata.of(id)), '\n');
}

function mgrMetadata(args: CommandArgs, context: CommandContext): CommandOutcome {
  const who = text(args, 'who');
  const all = mgrs(context);
  if (who === undefined)
    return jsonAlways(
      args,
      [...all].map(([name, metadata]) => ({ name, ...sorted(metadata) })),
    );
  const metadata = all.get(who);
  if (metadata === undefined) return refuse(Errno.ENOENT, `mgr.${who} does not exist`);
  return jsonAlways(args, { name: who, ...sorted(metadata) });
}
