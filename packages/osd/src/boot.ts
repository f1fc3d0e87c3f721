/**
 * How an OSD becomes a member of the map, and stays one (OSD::start_boot, _preboot, _send_boot, handle_osd_map).
 *
 *   preboot --has all maps, is in CRUSH--> booting --the map has it up, at these addresses--> active
 *      ^                                                                                       |
 *      +--enough peers answer-- waitingForHealthy <---------- the map has it down, or elsewhere+
 *
 *                                                                          terminate --> stopping
 *
 * An OSD whose store is new is admitted first: when one of its uuid has been up before, what that one held is lost, and an
 * empty store must not stand for it. Ceph's refuse to start on a store that mkfs has not made.
 *
 * Marked down wrongly more than osd_max_markdown_count times within osd_max_markdown_period, it gives up.
 */
import {
  type Bytes,
  EMPTY,
  type Epoch,
  formatAddrVec,
  formatUuid,
  fromUtf8,
  type OsdId,
  sameAddrVec,
  type Uuid,
} from '@spirula/encoding';
import { type OsdMap, OsdMapFlag, osdExists, osdUp } from '@spirula/maps';
import type { LogLevel, Message } from '@spirula/messages';
import type { MonClient } from '@spirula/mon-client';
import { type Instant, SECOND, seconds, type World } from '@spirula/world';

const BOOT_TIMER = 'osd boot';
const STOP_TIMER = 'osd stop';
/** A boot that the monitors have not answered is sent again. */
const BOOT_RETRY: Instant = 2 * SECOND;
/** Between looks whether peers answer. */
const HEALTH_INTERVAL: Instant = SECOND;
/** How long the monitors may take to mark it down when it stops (osd_mon_shutdown_timeout). */
const STOP_TIMEOUT: Instant = 5 * SECOND;
const TEBIBYTE = 2 ** 40;
/** Least CRUSH weight of an OSD at its first start. */
const MIN_WEIGHT = 0.00001;

export type BootState =
  | { readonly name: 'preboot' }
  | { readonly name: 'booting' }
  /** `upEpoch`: since when this incarnation is up. */
  | { readonly name: 'active'; readonly upEpoch: Epoch }
  /** Marked down: whether its peers were right is to be seen first. */
  | { readonly name: 'waitingForHealthy' }
  | { readonly name: 'stopping' };

export interface BootHost {
  readonly whoami: OsdId;
  readonly uuid: Uuid;
  readonly world: World<Message>;
  readonly mon: MonClient;
  /** Writes a line to the cluster log. */
  say(level: LogLevel, text: string): void;
  readonly map: OsdMap | undefined;
  /** `type=name` pairs, outermost last. */
  readonly crushLocation: ReadonlyMap<string, string>;
  readonly deviceClass: string;
  readonly storeBytes: number;
  readonly metadata: ReadonlyMap<string, string>;
  /** Interval of epochs in which it was last cleanly up, as its superblock has it. */
  readonly cleanInterval: readonly [begin: Epoch, end: Epoch];
  /** Whether its store is known to hold all that an OSD of its uuid has ever held. */
  readonly isAdmitted: boolean;
  /** It is, from now on; calls back when that is durable. */
  admit(then: () => void): void;
  /** Asks for the maps from `epoch` on. */
  subscribeMaps(from: Epoch): void;
  onActive(upEpoch: Epoch): void;
  /** Wrongly marked down: no longer a member. From here on peers are asked anew. */
  onDown(): void;
  /** Whether enough of the peers asked since then answer, and this OSD's own work goes on. */
  readonly isHealthy: boolean;
  /** Asks the peers once more. */
  kickHeartbeat(): void;
}

export class Boot {
  readonly #host: BootHost;
  #state: BootState = { name: 'preboot' };
  #inCrush = false;
  #asking = false;
  #seekingAdmission = false;
  #markdowns: Instant[] = [];

  constructor(host: BootHost) {
    this.#host = host;
  }

  get state(): BootState {
    return this.#state;
  }

  get isActive(): boolean {
    return this.#state.name === 'active';
  }

  /** Whether peers are to be pinged. */
  get isPinging(): boolean {
    return this.#state.name === 'active' || this.#state.name === 'waitingForHealthy';
  }

  start(): void {
    this.#setDeviceClass();
    this.#createOrMove();
    this.#becomePreboot();
  }

  /** An operator's class stays: the monitors refuse to change one. */
  #setDeviceClass(): void {
    const { whoami, mon, deviceClass } = this.#host;
    const command = { prefix: 'osd crush set-device-class', class: deviceClass, ids: [String(whoami)] };
    mon.command(command, EMPTY, ({ code, status }) => {
      if (code < 0) this.#host.world.log.info('crush set-device-class refused', { code, status });
    });
  }

  /** Puts the OSD where it belongs in CRUSH, as ceph-osd's start-up does. */
  #createOrMove(): void {
    const { whoami, mon, crushLocation, storeBytes } = this.#host;
    const weight = Math.max(MIN_WEIGHT, Math.round((storeBytes / TEBIBYTE) * 100_000) / 100_000);
    const args = [...crushLocation].map(([type, name]) => `${type}=${name}`);
    mon.command({ prefix: 'osd crush create-or-move', id: whoami, weight, args }, EMPTY, ({ code, status }) => {
      if (code < 0) this.#host.world.log.warn('crush create-or-move failed', { code, status });
      this.#inCrush = true;
      this.#maybeBoot();
    });
  }

  #becomePreboot(): void {
    this.#state = { name: 'preboot' };
    this.#askVersion();
  }

  /** How far the maps go: it boots with nearly all of them. */
  #askVersion(): void {
    if (this.#asking) return;
    this.#asking = true;
    const { mon, world } = this.#host;
    mon.getVersion('osdmap', ({ code, newest, oldest }) => {
      this.#asking = false;
      if (this.#state.name !== 'preboot') return;
      const epoch = this.#host.map?.epoch ?? 0;
      if (code < 0 || newest === 0) world.clock.arm(BOOT_TIMER, world.clock.now() + BOOT_RETRY);
      else if (epoch < newest) this.#host.subscribeMaps(Math.max(epoch + 1, oldest));
      else this.#maybeBoot();
    });
  }

  #maybeBoot(): void {
    const { map, whoami, uuid, mon, world } = this.#host;
    if (this.#state.name !== 'preboot' || !this.#inCrush || this.#asking || !map) return;
    if ((map.flags & OsdMapFlag.noup) !== 0) return;
    if (world.buggify('osd boots later')) {
      world.clock.arm(BOOT_TIMER, world.clock.now() + BOOT_RETRY);
      return;
    }
    if (!osdExists(map, whoami)) {
      const request = { prefix: 'osd new', uuid: formatUuid(uuid), id: whoami };
      mon.command(request, EMPTY, () => world.clock.arm(BOOT_TIMER, world.clock.now() + BOOT_RETRY));
      return;
    }
    if (this.#host.isAdmitted) this.#becomeBooting();
    else this.#seekAdmission(map);
  }

  /** Its store is new. The map says whether one of its number was up before, the monitors of what uuid that was. */
  #seekAdmission(map: OsdMap): void {
    if (this.#seekingAdmission) return;
    this.#seekingAdmission = true;
    const { whoami, uuid, mon, world } = this.#host;
    if (map.osdInfo[whoami]!.upFrom === 0) return this.#becomeAdmitted();
    mon.command({ prefix: 'osd metadata', id: String(whoami), format: 'json' }, EMPTY, ({ code, data }) => {
      const before = code < 0 ? undefined : uuidAtLastBoot(data);
      if (before === undefined) {
        this.#seekingAdmission = false;
        world.clock.arm(BOOT_TIMER, world.clock.now() + BOOT_RETRY);
      } else if (before === formatUuid(uuid)) this.#refuseToBoot();
      else this.#becomeAdmitted();
    });
  }

  /** Not before that is durable: cut short after its first boot it would be taken for one that lost its store. */
  #becomeAdmitted(): void {
    this.#host.admit(() => {
      this.#seekingAdmission = false;
      this.#maybeBoot();
    });
  }

  #refuseToBoot(): void {
    const { whoami, uuid, world } = this.#host;
    const why =
      `osd.${whoami} has an empty store, but was up before: what it held is lost. Take it out of the cluster ` +
      `("ceph osd purge ${whoami}" or "ceph osd destroy ${whoami}"), and create it anew with another uuid ("ceph osd new")`;
    world.log.error(why, { uuid: formatUuid(uuid) });
    this.#state = { name: 'stopping' };
    world.lifecycle.stop(why);
  }

  #becomeBooting(): void {
    this.#state = { name: 'booting' };
    this.#sendBoot();
  }

  #sendBoot(): void {
    const { whoami, uuid, world, mon, map, metadata, cleanInterval } = this.#host;
    const { net, clock } = world;
    mon.send(
      {
        type: 'osd_boot',
        osd: whoami,
        uuid,
        publicAddrs: net.endpoint('public'),
        clusterAddrs: net.endpoint('cluster'),
        hbBackAddrs: net.endpoint('hb_back'),
        hbFrontAddrs: net.endpoint('hb_front'),
        bootEpoch: map!.epoch,
        cleanBegin: cleanInterval[0],
        cleanEnd: cleanInterval[1],
        metadata,
      },
      'drop',
    );
    clock.arm(BOOT_TIMER, clock.now() + BOOT_RETRY);
  }

  /** A newer map is in force. */
  onMap(map: OsdMap): void {
    const { whoami, world } = this.#host;
    const addrs = world.net.endpoint('cluster');
    const isUp = osdUp(map, whoami) && sameAddrVec(map.clusterAddrs[whoami]!, addrs);
    switch (this.#state.name) {
      case 'preboot':
      case 'booting':
      case 'waitingForHealthy':
        if (isUp) {
          const { upFrom } = map.osdInfo[whoami]!;
          this.#state = { name: 'active', upEpoch: upFrom };
          world.clock.disarm(BOOT_TIMER);
          this.#host.onActive(upFrom);
        } else if (this.#state.name === 'preboot') this.#askVersion();
        break;
      case 'active':
        if (!isUp) this.#onMarkedDown(map);
        else if (map.osdInfo[whoami]!.upFrom !== this.#state.upEpoch) {
          this.#state = { name: 'active', upEpoch: map.osdInfo[whoami]!.upFrom };
        }
        break;
      case 'stopping':
        if (!isUp) world.lifecycle.stop('marked down');
        break;
    }
  }

  #onMarkedDown(map: OsdMap): void {
    const { world, whoami } = this.#host;
    const now = world.clock.now();
    const { osd_max_markdown_count: max, osd_max_markdown_period: period } = world.config;
    world.log.warn(`map e${map.epoch} wrongly marked me down`, { osd: whoami });
    this.#sayMarkedDown(map);
    this.#markdowns = [...this.#markdowns, now].filter((at) => now - at < seconds(period));
    const count = this.#markdowns.length;
    const exists = osdExists(map, whoami);
    if (exists && count <= max) {
      this.#state = { name: 'waitingForHealthy' };
      this.#host.onDown();
      world.clock.arm(BOOT_TIMER, now + HEALTH_INTERVAL);
      return;
    }
    this.#state = { name: 'stopping' };
    this.#host.onDown();
    world.lifecycle.stop(exists ? `marked down ${count} times in ${period} seconds` : 'no longer in the map');
  }

  #sayMarkedDown(map: OsdMap): void {
    const { whoami, world, say } = this.#host;
    if (!osdUp(map, whoami)) {
      say('warn', `Monitor daemon marked osd.${whoami} down, but it is still running`);
      say('debug', `map e${map.epoch} wrongly marked me down at e${map.osdInfo[whoami]?.downAt ?? 0}`);
      return;
    }
    // Another run of this OSD is up.
    const [theirs, mine] = [map.clusterAddrs[whoami]!, world.net.endpoint('cluster')];
    const [shown, own] = [formatAddrVec(theirs), formatAddrVec(mine)];
    say('error', `map e${map.epoch} had wrong cluster addr (${shown} != my ${own})`);
  }

  #checkHealth(): void {
    const { world, isHealthy } = this.#host;
    if (isHealthy) {
      this.#becomePreboot();
      return;
    }
    this.#host.kickHeartbeat();
    world.clock.arm(BOOT_TIMER, world.clock.now() + HEALTH_INTERVAL);
  }

  /** A session with a monitor is up: what was said to the one before may be lost. */
  onMonSession(): void {
    if (this.#state.name === 'booting' && this.#host.map) this.#sendBoot();
    if (this.#state.name === 'stopping') this.#sendFarewell();
  }

  /** An orderly stop: tells the monitors, and stops when they have marked it down, or after a while. */
  onTerminate(): void {
    const { world } = this.#host;
    const wasActive = this.isActive;
    this.#state = { name: 'stopping' };
    if (!wasActive) {
      world.lifecycle.stop('terminated');
      return;
    }
    this.#sendFarewell();
    world.clock.arm(STOP_TIMER, world.clock.now() + STOP_TIMEOUT);
  }

  #sendFarewell(): void {
    const { mon, whoami, map } = this.#host;
    mon.send({ type: 'osd_mark_me_down', osd: whoami, epoch: map?.epoch ?? 0, ack: true });
  }

  /** Returns whether the timer belongs here. */
  onTimer(name: string): boolean {
    if (name === STOP_TIMER) {
      this.#host.world.lifecycle.stop('terminated');
      return true;
    }
    if (name !== BOOT_TIMER) return false;
    if (this.#state.name === 'preboot') this.#askVersion();
    else if (this.#state.name === 'waitingForHealthy') this.#checkHealth();
    else if (this.#state.name === 'booting') {
      // The monitors may have been silent because the map moved on.
      this.#becomePreboot();
    }
    return true;
  }
}

/** The uuid of the OSD that booted last under a number; '' when none has since it was given away; undefined: illegible. */
function uuidAtLastBoot(data: Bytes): string | undefined {
  try {
    const metadata = JSON.parse(fromUtf8(data)) as { readonly osd_uuid?: string } | null;
    return metadata === null ? undefined : (metadata.osd_uuid ?? '');
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
