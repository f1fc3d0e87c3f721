/** Verbs of how pools are mirrored, and with which clusters (tools/rbd/action/MirrorPool.cc). */
import { readFileSync } from 'node:fs';
import { type MirrorPeer, MirrorPeerDirection } from '@spirula/cls';
import { Errno, formatUuid, type RawString, rawFromText, textFromRaw } from '@spirula/encoding';
import { type IoCtx, RadosError } from '@spirula/rados';
import {
  addMirrorPeer,
  demoteImage,
  Image,
  listImages,
  MirrorMode,
  type MirrorScene,
  mirrorInfo,
  mirrorModeOf,
  mirrorPeers,
  mirrorSiteName,
  mirrorStateName,
  mirrorSummary,
  type PeerAttributes,
  peerAttributes,
  promoteImage,
  removeMirrorPeer,
  setMirrorMode,
  setMirrorPeerClient,
  setMirrorPeerDirection,
  setMirrorPeerName,
  setMirrorSiteName,
  setPeerAttributes,
} from '@spirula/rbd';
import { clientName } from '../ceph/client-auth.ts';
import { describeErrno } from '../ceph/errno-text.ts';
import type { OptionTable } from '../ceph/global-options.ts';
import { openPool, openWholePool, orRefuse, orSilent, refuseWith } from './context.ts';
import { imageWorld } from './image-world.ts';
import { type ImageStatus, imageStatus, statusText } from './mirror-status.ts';
import { show } from './output.ts';
import { Refusal } from './refusal.ts';
import { takePoolName, takePoolSpec } from './spec.ts';
import { FORMAT_OPTIONS, POOL_OPTIONS, type VerbContext, type VerbDefinition } from './verb.ts';

const EINVAL = 22;
const MODES: readonly (readonly [name: string, mode: number])[] = [
  ['disabled', MirrorMode.disabled],
  ['image', MirrorMode.image],
  ['pool', MirrorMode.pool],
];
const DIRECTIONS: readonly (readonly [name: string, direction: number])[] = [
  ['rx-only', MirrorPeerDirection.rx],
  ['tx-only', MirrorPeerDirection.tx],
  ['rx-tx', MirrorPeerDirection.rxTx],
];

function nameOf(names: readonly (readonly [string, number])[], value: number): string {
  return names.find(([, each]) => each === value)?.[0] ?? 'unknown';
}

function sceneOf({ rados }: VerbContext, io: IoCtx): MirrorScene {
  return { rados, io, world: imageWorld };
}

async function enable(context: VerbContext): Promise<void> {
  const { options, args, rados } = context;
  const spec = takePoolSpec(context);
  const mode = args.take();
  if (mode !== 'image' && mode !== 'pool') throw new Refusal("rbd: must specify 'image' or 'pool' mode.", EINVAL);
  const io = await openPool(context, spec);
  const siteName = options.get('site_name');
  const isRenamed = siteName !== undefined && siteName !== (await siteNameOf(context));
  if (siteName !== undefined) await nameSite(rados, siteName);
  await changeMode(context, io, mode === 'pool' ? MirrorMode.pool : MirrorMode.image, isRenamed);
}

async function disable(context: VerbContext): Promise<void> {
  await changeMode(context, await openPool(context, takePoolSpec(context)), MirrorMode.disabled, false);
}

/** @param isMore something else has changed: that the mode has not is no news */
async function changeMode(context: VerbContext, io: IoCtx, next: number, isMore: boolean): Promise<void> {
  const { env } = context;
  const before = await modeOf(io);
  const name = nameOf(MODES, next);
  if (before === next) {
    const already = next === MirrorMode.disabled ? name : `configured for ${name} mode`;
    if (!isMore) env.stdout(`rbd: mirroring is already ${already}\n`);
    return;
  }
  if (before !== MirrorMode.disabled && next !== MirrorMode.disabled) {
    env.stdout(`note: changing mirroring mode from ${nameOf(MODES, before)} to ${name}\n`);
  }
  await orSilent(setMirrorMode(sceneOf(context, io), next));
}

async function modeOf(io: IoCtx): Promise<number> {
  return await orRefuse('rbd: failed to retrieve mirror mode', mirrorModeOf(io));
}

export async function requireMirroring(io: IoCtx): Promise<void> {
  if ((await modeOf(io)) === MirrorMode.disabled) {
    throw new Refusal('rbd: mirroring not enabled on the pool', EINVAL);
  }
}

async function siteNameOf({ rados }: VerbContext): Promise<string> {
  return (await mirrorSiteName(rados)) ?? formatUuid(rados.getFsid());
}

export async function nameSite(rados: VerbContext['rados'], name: string): Promise<void> {
  try {
    await setMirrorSiteName(rados, name);
  } catch (error) {
    refuseWith(error, (code) => `rbd: failed to set site name${describeErrno(code)}`);
  }
}

async function info(context: VerbContext): Promise<void> {
  const { options, rados } = context;
  const spec = takePoolSpec(context);
  const io = await openPool(context, spec);
  const mode = await orSilent(mirrorModeOf(io));
  const isWhole = spec.namespace === '' && mode !== MirrorMode.disabled;
  const peers: ShownPeer[] = [];
  for (const peer of isWhole ? await orSilent(mirrorPeers(io)) : []) {
    const attributes = options.has('all') ? await attributesOf(rados, io, peer.uuid) : undefined;
    peers.push({ peer, attributes });
  }
  const site = isWhole ? await orSilent(siteNameOf(context)) : '';
  const facts = {
    mode: nameOf(MODES, mode),
    ...(isWhole && { site_name: site, peers: peers.map(dumpPeer) }),
  };
  show(context, facts, () => {
    const heading = `Mode: ${facts.mode}\n`;
    if (!isWhole) return heading;
    const last = peers.at(-1)?.peer.siteName;
    const shown = peers.map((each) => `${peerText(each)}${each.peer.siteName === last ? '' : '\n'}`);
    return `${heading}Site Name: ${site}\n\nPeer Sites: ${peers.length === 0 ? 'none' : ''}\n${shown.join('')}`;
  });
}

interface ShownPeer {
  readonly peer: MirrorPeer;
  /** Undefined: they are not to be shown. */
  readonly attributes: PeerAttributes | undefined;
}

async function attributesOf(rados: VerbContext['rados'], io: IoCtx, uuid: RawString): Promise<PeerAttributes> {
  try {
    return (await peerAttributes(rados, io, uuid)) ?? new Map();
  } catch (error) {
    return refuseWith(error, (code) => {
      if (code === Errno.EPERM)
        return 'rbd: permission denied attempting to access peer config-key secrets from the monitor';
      if (code === Errno.EINVAL) return 'rbd: corrupt mirroring peer config';
      return `rbd: error reading mirroring peer config: ${describeErrno(code)}`;
    });
  }
}

function dumpPeer({ peer, attributes }: ShownPeer): object {
  return {
    uuid: textFromRaw(peer.uuid),
    direction: nameOf(DIRECTIONS, peer.direction),
    site_name: textFromRaw(peer.siteName),
    mirror_uuid: textFromRaw(peer.mirrorUuid),
    client_name: textFromRaw(peer.clientName),
    ...Object.fromEntries(attributes ?? []),
  };
}

function peerText({ peer, attributes }: ShownPeer): string {
  const isSent = peer.direction !== MirrorPeerDirection.rx || peer.mirrorUuid !== '';
  const isReceived = peer.direction !== MirrorPeerDirection.tx || peer.clientName !== '';
  return [
    '',
    `UUID: ${textFromRaw(peer.uuid)}`,
    `Name: ${textFromRaw(peer.siteName)}`,
    ...(isSent ? [`Mirror UUID: ${textFromRaw(peer.mirrorUuid)}`] : []),
    `Direction: ${nameOf(DIRECTIONS, peer.direction)}`,
    ...(isReceived ? [`Client: ${textFromRaw(peer.clientName)}`] : []),
    ...(attributes ? [`Mon Host: ${attributes.get('mon_host') ?? ''}`, `Key: ${attributes.get('key') ?? ''}`] : []),
    '',
  ].join('\n');
}

const HEALTH = ['OK', 'UNKNOWN', 'WARNING', 'ERROR'];
/** No daemon is known of here. */
const NO_DAEMONS = HEALTH.indexOf('UNKNOWN');
const FINE: ReadonlySet<string> = new Set(['replaying', 'stopped']);

async function status(context: VerbContext): Promise<void> {
  const { options, rados } = context;
  const io = await openPool(context, takePoolSpec(context));
  await requireMirroring(io);
  const summary = await orRefuse('rbd: failed to get status summary for mirrored images', mirrorSummary(io));
  const states = [...summary].map(([state, count]) => [mirrorStateName(state), count] as const);
  const health = states.some(([state]) => state === 'error') ? 3 : states.every(([state]) => FINE.has(state)) ? 0 : 2;
  const words = {
    health: HEALTH[Math.max(health, NO_DAEMONS)],
    daemon_health: HEALTH[NO_DAEMONS],
    image_health: HEALTH[health],
  };
  const images: ImageStatus[] = [];
  if (options.has('verbose')) {
    for (const { name, id } of await orRefuse('rbd: failed to list images within pool', listImages(io))) {
      const { header } = await Image.openId(rados, io, id);
      const found = await imageStatus(io, header, textFromRaw(name));
      if (found) images.push(found);
    }
  }
  const dump = {
    summary: { ...words, states: Object.fromEntries(states) },
    ...(options.has('verbose') && { daemons: [], images: images.map(({ dump: each }) => each) }),
  };
  show(context, dump, () => {
    const total = states.reduce((sum, [, count]) => sum + count, 0);
    const lines = [
      `health: ${words.health}`,
      `daemon health: ${words.daemon_health}`,
      `image health: ${words.image_health}`,
      `images: ${total} total`,
      ...states.map(([state, count]) => `    ${count} ${state}`),
      '',
    ].join('\n');
    if (!options.has('verbose')) return lines;
    return `${lines}\nDAEMONS\n  none\n\nIMAGES${images.map((each) => `\n${statusText(each)}`).join('')}`;
  });
}

async function peerAdd(context: VerbContext): Promise<void> {
  const { env, options, rados } = context;
  const pool = takePoolName(context);
  const { client, site, attributes } = takeRemote(context);
  const direction = takeDirection(options.get('direction') ?? 'rx-tx');
  const io = await openWholePool(context, pool);
  await requireMirroring(io);
  await requireNoReceived(io);
  if (site === (options.get('cluster') ?? 'ceph')) throw new Refusal('rbd: error adding mirror peer', EINVAL);
  let uuid: RawString;
  try {
    const peer = { direction, siteName: rawFromText(site), clientName: rawFromText(client) };
    uuid = await addMirrorPeer(io, peer, imageWorld);
  } catch (error) {
    return refuseWith(error, (code) =>
      code === Errno.EEXIST ? 'rbd: mirror peer already exists' : 'rbd: error adding mirror peer',
    );
  }
  if (attributes.size > 0) await noteAttributes(rados, io, uuid, attributes);
  env.stdout(`${textFromRaw(uuid)}\n`);
}

/** Daemons receive from one only. */
async function requireNoReceived(io: IoCtx, except?: RawString): Promise<void> {
  const peers = await orRefuse('rbd: failed to list mirror peers', mirrorPeers(io));
  if (peers.some(({ uuid, direction }) => uuid !== except && direction !== MirrorPeerDirection.tx)) {
    throw new Refusal('rbd: multiple RX peers are not currently supported', EINVAL);
  }
}

/** `[client.NAME@]SITE`, or the options of each. */
function takeRemote({ options, args }: VerbContext) {
  const { type, id } = clientName(options);
  let client = options.get('remote_client_name') ?? `${type}.${id}`;
  let site = options.get('remote_cluster') ?? '';
  const attributes = new Map<string, string>();
  const monHost = options.get('remote_mon_host');
  if (monHost !== undefined) attributes.set('mon_host', monHost);
  const keyFile = options.get('remote_key_file');
  if (keyFile !== undefined) attributes.set('key', readKeyFile(keyFile));
  const word = args.take();
  if (word !== '') {
    const match = /^(?:(client\.[^@]+)@)?([^/@]+)$/.exec(word);
    if (!match) throw new Refusal(`rbd: invalid spec '${word}'`, EINVAL);
    client = match[1] ?? client;
    site = match[2]!;
  }
  if (site === '') throw new Refusal('rbd: remote cluster was not specified', EINVAL);
  return { client, site, attributes };
}

/** Its first line. */
function readKeyFile(path: string): string {
  try {
    return readFileSync(path, 'utf8').split('\n')[0]!;
  } catch {
    throw new Refusal(`rbd: failed to open ${path}`, EINVAL);
  }
}

export function takeDirection(name: string): number {
  const found = DIRECTIONS.find(([each]) => each === name && each !== 'tx-only');
  if (!found) throw new Refusal("rbd: the argument for option '--direction' is invalid", 1);
  return found[1];
}

async function noteAttributes(
  rados: VerbContext['rados'],
  io: IoCtx,
  uuid: RawString,
  attributes: PeerAttributes,
): Promise<void> {
  try {
    await setPeerAttributes(rados, io, uuid, attributes);
  } catch (error) {
    refuseWith(error, (code) => {
      if (code === Errno.EPERM)
        return 'rbd: permission denied attempting to set peer config-key secrets in the monitor';
      const problem = `rbd: failed to update mirroring peer config: ${describeErrno(code)}`;
      return code === Errno.ENOENT ? `${problem}\n${noSuchPeer(uuid)}` : problem;
    });
  }
}

async function peerRemove(context: VerbContext): Promise<void> {
  const pool = takePoolName(context);
  const uuid = takeUuid(context);
  const io = await openWholePool(context, pool);
  await requireMirroring(io);
  try {
    await removeMirrorPeer(sceneOf(context, io), uuid);
  } catch (error) {
    refuseWith(error, () => 'rbd: error removing mirror peer');
  }
}

function takeUuid({ args }: VerbContext): RawString {
  const uuid = args.take();
  if (uuid === '') throw new Refusal('rbd: must specify peer uuid', EINVAL);
  if (!/^[A-F0-9]{8}-[A-F0-9]{4}-[A-F0-9]{4}-[A-F0-9]{4}-[A-F0-9]{12}$/i.test(uuid)) {
    throw new Refusal(`rbd: invalid uuid '${uuid}'`, EINVAL);
  }
  return rawFromText(uuid);
}

/** In the order in which they are told. */
const PEER_KEYS = ['client', 'cluster', 'direction', 'key-file', 'mon-host', 'site-name'];

async function peerSet(context: VerbContext): Promise<void> {
  const { args, env } = context;
  const pool = takePoolName(context);
  const uuid = takeUuid(context);
  const key = args.take();
  if (!PEER_KEYS.includes(key)) {
    throw new Refusal(`rbd: must specify ${PEER_KEYS.map((each) => `'${each}'`).join(', ')} key.`, EINVAL);
  }
  const value = args.take();
  if (value === '' && (key === 'client' || key === 'cluster')) env.stderr(`rbd: must specify new ${key} value.\n`);
  const keyText = key === 'key-file' ? readKeyFile(value) : '';
  const io = await openWholePool(context, pool);
  await requireMirroring(io);
  try {
    await setOfPeer(context, io, uuid, key, key === 'key-file' ? keyText : value);
  } catch (error) {
    refuseWith(error, (code) => (code === Errno.ENOENT ? noSuchPeer(uuid) : ''));
  }
}

function noSuchPeer(uuid: RawString): string {
  return `rbd: mirror peer ${textFromRaw(uuid)} does not exist`;
}

async function setOfPeer(
  { rados, options }: VerbContext,
  io: IoCtx,
  uuid: RawString,
  key: string,
  value: string,
): Promise<void> {
  switch (key) {
    case 'client':
      return await setMirrorPeerClient(io, uuid, rawFromText(value));
    case 'site-name':
    case 'cluster':
      if (value === (options.get('cluster') ?? 'ceph')) throw new RadosError(Errno.EINVAL, value);
      return await setMirrorPeerName(io, uuid, rawFromText(value));
    case 'direction': {
      const direction = DIRECTIONS.find(([name]) => name === value)?.[1];
      if (direction === undefined) throw new Refusal('rbd: invalid direction', EINVAL);
      if (direction !== MirrorPeerDirection.tx) await requireNoReceived(io, uuid);
      return await setMirrorPeerDirection(io, uuid, direction);
    }
    default: {
      const attributes = new Map(await attributesOf(rados, io, uuid));
      const name = key === 'key-file' ? 'key' : 'mon_host';
      if (value === '') attributes.delete(name);
      else attributes.set(name, value);
      await noteAttributes(rados, io, uuid, attributes);
    }
  }
}

/** Of all images of a pool, what `mirror image promote` or `demote` do of one. */
function onAllImages(
  word: 'Promoted' | 'Demoted',
  isWanted: (promotion: string) => boolean,
  change: (scene: MirrorScene, id: RawString, isForced: boolean) => Promise<void>,
) {
  return async (context: VerbContext) => {
    const { env, options, rados } = context;
    const io = await openPool(context, takePoolSpec(context));
    await requireMirroring(io);
    let count = 0;
    let failed = 0;
    for (const { name, id } of await orRefuse('rbd: failed to list images within pool', listImages(io))) {
      try {
        const found = await mirrorInfo(io, (await Image.openId(rados, io, id)).header);
        if (!found || !isWanted(found.promotion)) continue;
        await change(sceneOf(context, io), id, options.has('force'));
        count++;
      } catch (error) {
        if (!(error instanceof RadosError)) throw error;
        const verb = word === 'Promoted' ? 'promote' : 'demote';
        env.stderr(`rbd: failed to ${verb} image ${textFromRaw(name)}: ${describeErrno(error.code)}\n`);
        failed ||= error.code;
      }
    }
    env.stdout(`${word} ${count} mirrored images\n`);
    if (failed < 0) throw new Refusal('', -failed);
  };
}

export const WHOLE_POOL_OPTIONS: OptionTable = { '-p': POOL_OPTIONS['-p']!, '--pool': POOL_OPTIONS['--pool']! };
export const SITE_OPTIONS: OptionTable = { '--site-name': ['site_name', 'value'] };
const FORCE_OPTIONS: OptionTable = { '--force': ['force', 'flag'] };

export const mirrorPoolVerbs: readonly VerbDefinition[] = [
  {
    names: ['mirror pool enable'],
    usage: [
      [
        'mirror pool enable [POOL[/NAMESPACE]] image|pool',
        'daemons copy those images that say so, or all with journals',
      ],
    ],
    options: { ...POOL_OPTIONS, ...SITE_OPTIONS },
    maxArgs: 2,
    run: enable,
  },
  {
    names: ['mirror pool disable'],
    usage: [['mirror pool disable [POOL[/NAMESPACE]]', '']],
    options: POOL_OPTIONS,
    maxArgs: 1,
    run: disable,
  },
  {
    names: ['mirror pool info'],
    usage: [['mirror pool info [--all] [POOL[/NAMESPACE]]', 'how a pool is mirrored, and with whom; --all: with keys']],
    options: { ...POOL_OPTIONS, ...FORMAT_OPTIONS, '--all': ['all', 'flag'] },
    maxArgs: 1,
    run: info,
  },
  {
    names: ['mirror pool status'],
    usage: [['mirror pool status [--verbose] [POOL[/NAMESPACE]]', 'how its images fare']],
    options: { ...POOL_OPTIONS, ...FORMAT_OPTIONS, '--verbose': ['verbose', 'flag'] },
    maxArgs: 1,
    run: status,
  },
  {
    names: ['mirror pool promote'],
    usage: [['mirror pool promote|demote [POOL[/NAMESPACE]]', 'all its images: see mirror image']],
    options: { ...POOL_OPTIONS, ...FORCE_OPTIONS },
    maxArgs: 1,
    run: onAllImages('Promoted', (promotion) => promotion !== 'primary', promoteImage),
  },
  {
    names: ['mirror pool demote'],
    usage: [],
    options: POOL_OPTIONS,
    maxArgs: 1,
    run: onAllImages(
      'Demoted',
      (promotion) => promotion === 'primary',
      (scene, id) => demoteImage(scene, id),
    ),
  },
  {
    names: ['mirror pool peer add'],
    usage: [['mirror pool peer add POOL [CLIENT@]SITE', 'another cluster that has copies']],
    options: {
      ...WHOLE_POOL_OPTIONS,
      '--remote-client-name': ['remote_client_name', 'value'],
      '--remote-cluster': ['remote_cluster', 'value'],
      '--remote-mon-host': ['remote_mon_host', 'value'],
      '--remote-key-file': ['remote_key_file', 'value'],
      '--direction': ['direction', 'value'],
    },
    maxArgs: 2,
    run: peerAdd,
  },
  {
    names: ['mirror pool peer remove'],
    usage: [['mirror pool peer remove POOL UUID', '']],
    options: WHOLE_POOL_OPTIONS,
    maxArgs: 2,
    run: peerRemove,
  },
  {
    names: ['mirror pool peer set'],
    usage: [['mirror pool peer set POOL UUID KEY VALUE', 'KEY: client, direction, key-file, mon-host or site-name']],
    options: WHOLE_POOL_OPTIONS,
    maxArgs: 4,
    run: peerSet,
  },
];
