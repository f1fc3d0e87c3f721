/** A monitor that alone decides on the OSDMap, for the tests of whole OSDs: what they ask for, it grants before long. */

import { addBucket, addSimpleRule, createOrMove, emptyCrushMap, encodeCrushMap } from '@spirula/crush';
import { type AddrVec, type Bytes, EMPTY, type Epoch, type OsdId, type PgId, utf8 } from '@spirula/encoding';
import {
  applyIncremental,
  crcOfFullMap,
  emptyIncremental,
  emptyOsdMap,
  encodeIncremental,
  encodeMonMap,
  encodeOsdMap,
  type OsdMap,
  OsdState,
  osdUp,
  type Pool,
  pgKey,
} from '@spirula/maps';
import type { Message, MonSubscribe, OsdBoot, OsdFailure } from '@spirula/messages';
import { SECOND, type SessionId, type WorldEvent } from '@spirula/world';
import type { ToyNetwork, ToyNode } from './toy-network.test-support.ts';

export const FSID: Bytes = new Uint8Array(16).fill(9);
const ROOT_TYPE = 11;
const MESSAGE_MAPS = 40;

export class ToyMonitor {
  readonly node: ToyNode;
  readonly #network: ToyNetwork;
  readonly #incrementals = new Map<Epoch, Bytes>();
  readonly #subscribers = new Map<SessionId, Epoch>();
  readonly #full = new Map<Epoch, Bytes>();
  /** What each OSD said of itself when it booted last. */
  readonly #metadata = new Map<OsdId, ReadonlyMap<string, string>>();
  #pending: ReturnType<typeof emptyIncremental> | undefined;
  map: OsdMap = emptyOsdMap(FSID);
  /** Somebody says that an OSD fails which is where the map has it. */
  onReport: (failure: OsdFailure) => void = () => {};

  constructor(network: ToyNetwork, osds: number, pools: ReadonlyMap<number, Pool>) {
    this.#network = network;
    this.node = network.addNode({ type: 'mon', id: 'a' }, 0);
    this.node.onEvent = (event) => this.#handle(event);
    const first = this.#change();
    first.newMaxOsd = osds;
    const [empty, root] = addBucket(emptyCrushMap(), 'default', ROOT_TYPE);
    let crush = empty;
    for (let osd = 0; osd < osds; osd++) {
      const location = new Map([
        ['host', `host${osd}`],
        ['root', 'default'],
      ]);
      crush = createOrMove(crush, osd, 0x10000, location);
      first.newWeight.set(osd, 0x10000);
    }
    first.crush = encodeCrushMap(addSimpleRule(crush, 'replicated_rule', root, 'host', 'firstn'));
    for (const [id, pool] of pools) {
      first.newPools.set(id, pool);
      first.newPoolNames.set(id, `pool${id}`);
    }
    first.newPoolMax = Math.max(...pools.keys());
    this.#publish();
  }

  get addrs(): AddrVec {
    return this.node.addrs('public');
  }

  markDown(osd: OsdId): void {
    if (osdUp(this.map, osd)) this.#change().newState.set(osd, OsdState.up);
  }

  setWeight(osd: OsdId, weight: number): void {
    this.#change().newWeight.set(osd, weight);
  }

  #change(): ReturnType<typeof emptyIncremental> {
    if (!this.#pending) {
      this.#pending = emptyIncremental(FSID, this.map.epoch + 1);
      this.#network.at(this.#network.now + SECOND / 20 + this.#network.below(SECOND / 5), () => this.#publish());
    }
    return this.#pending;
  }

  #publish(): void {
    const incremental = this.#pending;
    if (!incremental) return;
    this.#pending = undefined;
    incremental.modified = this.node.world.clock.wall();
    this.map = applyIncremental(this.map, incremental);
    const full = encodeOsdMap(this.map);
    incremental.fullCrc = crcOfFullMap(full);
    this.#incrementals.set(this.map.epoch, encodeIncremental(incremental));
    this.#full.set(this.map.epoch, full);
    for (const [session, start] of [...this.#subscribers]) this.#sendMaps(session, start);
  }

  #sendMaps(session: SessionId, start: Epoch): void {
    const { epoch } = this.map;
    if (start > epoch) return;
    const incrementals = new Map<Epoch, Bytes>();
    const fulls = new Map<Epoch, Bytes>();
    if (start === 0) fulls.set(epoch, this.#full.get(epoch)!);
    for (let at = start; start > 0 && at <= epoch && at < start + MESSAGE_MAPS; at++) {
      incrementals.set(at, this.#incrementals.get(at)!);
    }
    // The first map is whole.
    if (incrementals.has(1)) {
      incrementals.delete(1);
      fulls.set(1, this.#full.get(1)!);
    }
    const last = Math.max(...incrementals.keys(), ...fulls.keys());
    if (this.#subscribers.has(session)) this.#subscribers.set(session, last + 1);
    const gapRemovedSnaps = new Map<number, never>();
    this.#send(session, {
      type: 'osd_map',
      fsid: FSID,
      incrementals,
      fulls,
      oldest: 1,
      newest: epoch,
      gapRemovedSnaps,
    });
    if (last < epoch && this.#subscribers.has(session)) this.#sendMaps(session, last + 1);
  }

  #send(session: SessionId, message: Message): void {
    this.node.world.net.send(session, message);
  }

  #handle(event: WorldEvent<Message>): void {
    if (event.kind === 'reset') this.#subscribers.delete(event.session);
    else if (event.kind === 'message') this.#onMessage(event.session, event.message);
  }

  #onMessage(session: SessionId, message: Message): void {
    switch (message.type) {
      case 'mon_get_map':
        this.#send(session, { type: 'mon_map', monmap: this.#monMap() });
        return;
      case 'mon_subscribe':
        this.#onSubscribe(session, message);
        return;
      case 'mon_get_version': {
        const { tid, handle } = message;
        this.#send(session, { type: 'mon_get_version_reply', tid, handle, newest: this.map.epoch, oldest: 1 });
        return;
      }
      case 'mon_command': {
        const { tid, cmd } = message;
        const { prefix, id } = JSON.parse(cmd[0]!) as { readonly prefix: string; readonly id?: string };
        const metadata = prefix === 'osd metadata' ? this.#metadata.get(Number(id)) : undefined;
        const data = metadata === undefined ? EMPTY : utf8(JSON.stringify(Object.fromEntries(metadata)));
        this.#send(session, { type: 'mon_command_ack', tid, code: 0, status: '', cmd, data });
        return;
      }
      case 'osd_boot':
        this.#onBoot(message);
        return;
      case 'osd_failure':
        this.#onFailure(message);
        return;
      case 'osd_alive':
        if (osdUp(this.map, message.osd)) this.#change().newUpThru.set(message.osd, this.map.epoch);
        return;
      case 'osd_pgtemp':
        for (const { pgid, acting } of message.pgs) this.#setPgTemp(pgid, acting);
        return;
      case 'osd_mark_me_down':
        this.markDown(message.osd);
        return;
    }
  }

  #setPgTemp(pgid: PgId, acting: readonly OsdId[]): void {
    if (acting.every((osd) => osdUp(this.map, osd))) this.#change().newPgTemp.set(pgKey(pgid), acting);
  }

  #onSubscribe(session: SessionId, { what }: MonSubscribe): void {
    if (what.has('config')) this.#send(session, { type: 'config', config: new Map() });
    const maps = what.get('osdmap');
    if (!maps) return;
    if (!maps.once) this.#subscribers.set(session, maps.start);
    this.#sendMaps(session, maps.start);
  }

  #onBoot(boot: OsdBoot): void {
    const { osd } = boot;
    if (osdUp(this.map, osd)) {
      const same = this.map.clusterAddrs[osd]![0]!.nonce === boot.clusterAddrs[0]!.nonce;
      if (same && boot.bootEpoch >= this.map.osdInfo[osd]!.upFrom) return;
      // First the end of the one before; the OSD asks again when it sees that.
      this.markDown(osd);
      this.#network.at(this.#network.now + SECOND, () => this.#onBoot(boot));
      return;
    }
    const change = this.#change();
    change.newState.delete(osd);
    change.newUpClient.set(osd, boot.publicAddrs);
    change.newUpCluster.set(osd, boot.clusterAddrs);
    change.newHbBackUp.set(osd, boot.hbBackAddrs);
    change.newHbFrontUp.set(osd, boot.hbFrontAddrs);
    change.newUuid.set(osd, boot.uuid);
    this.#metadata.set(osd, boot.metadata);
  }

  #onFailure(failure: OsdFailure): void {
    const { target, targetAddrs, failedFor, immediate, alive } = failure;
    if (alive || targetAddrs[0]?.nonce !== this.map.clientAddrs[target]?.[0]?.nonce) return;
    this.onReport(failure);
    if (immediate || failedFor >= 20) this.markDown(target);
  }

  #monMap(): Bytes {
    const now = { sec: 1, nsec: 0 };
    const addrs = this.addrs;
    return encodeMonMap({
      fsid: FSID,
      epoch: 1,
      lastChanged: now,
      created: now,
      persistentFeatures: 0xffn,
      optionalFeatures: 0n,
      mons: new Map([['a', { name: 'a', addrs, priority: 0, weight: 0, crushLocation: new Map<string, string>() }]]),
      ranks: ['a'],
      minMonRelease: 16,
      removedRanks: [],
      electionStrategy: 1,
      disallowedLeaders: [],
      stretchMode: false,
      tiebreaker: '',
      stretchMarkedDown: [],
    });
  }
}
