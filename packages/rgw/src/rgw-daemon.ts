/** A gateway as a daemon: a client of the cluster, what it keeps there, and the work that it does beside requests. */
import type { RawString } from '@spirula/encoding';
import { Errno } from '@spirula/encoding';
import type { Message } from '@spirula/messages';
import { Rados, RadosError, type RadosOptions } from '@spirula/rados';
import {
  type Authentication,
  type Daemon,
  type Instant,
  Sleeper,
  seconds,
  type World,
  type WorldEvent,
} from '@spirula/world';
import type { Archives } from './archives.ts';
import { Chore } from './chore.ts';
import type { Decompression } from './decompression.ts';
import { Expirer } from './expiry/expirer.ts';
import type { FaultRule } from './faults/fault-rule.ts';
import { Faults } from './faults/faults.ts';
import { Injector } from './faults/injector.ts';
import { FULL_CONTROL } from './formats/acl.ts';
import { newUserInfo } from './formats/user-info.ts';
import { Gateway } from './gateway.ts';
import { Keystone } from './keystone/keystone.ts';
import { Outgoing } from './keystone/outgoing.ts';
import { Lifecycle } from './lifecycle/lifecycle.ts';
import { Delivery } from './notifications/delivery.ts';
import { Pusher } from './notifications/pusher.ts';
import { OpsLog } from './ops-log/ops-log.ts';
import { processReshardLog } from './reshard/reshard-round.ts';
import { OPERATION_NAMES } from './s3/operations/routes.ts';
import { Store } from './store/store.ts';
import { UsageMeter } from './usage/usage-meter.ts';
import { hostNamesOf } from './website/hosts.ts';

export interface FirstUser {
  readonly uid: RawString;
  readonly displayName: RawString;
  readonly accessKey: RawString;
  readonly secret: RawString;
}

export interface RgwOptions {
  readonly rados: RadosOptions;
  /** Made if there is no such user yet. */
  readonly user?: FirstUser;
  readonly dnsNames?: readonly string[];
  /** Without it, archives are not expanded. */
  readonly archives?: Archives;
  /** Without it, what radosgw has compressed is not read. */
  readonly decompression?: Decompression;
  /** Faults that requests meet from the start. */
  readonly faults?: readonly FaultRule[];
}

const FAULT_TIMER = 'rgw fault';
const NOTIFY_TIMER = 'rgw notify';
const WAIT_TIMER = 'rgw wait';
const FAREWELL_TIMER = 'rgw farewell';
/** How often it is looked whether a new day has begun. */
const LIFECYCLE_PERIOD_SECONDS = 600;
/** How long a gateway that is asked to stop tries to say so to the cluster. */
const FAREWELL_SECONDS = 2;

/** Another gateway was first. */
const OVERTAKEN: ReadonlySet<number> = new Set([Errno.EEXIST, Errno.ECANCELED, Errno.ENOENT]);
const MAX_TRIES = 20;

export class RgwDaemon implements Daemon<Message> {
  readonly rados: Rados;
  /** Resolves when requests can be answered; rejects with a RadosError when the cluster cannot be reached. */
  readonly ready: Promise<Gateway>;
  readonly #world: World<Message>;
  readonly #options: RgwOptions;
  readonly #sleeper: Sleeper;
  /** Of requests that wait for what others do. */
  readonly #waits: Sleeper;
  readonly #faults: Faults;
  readonly #pusher: Pusher;
  #resolveReady: (gateway: Promise<Gateway>) => void = () => {};
  #store: Store | undefined;
  #meter: UsageMeter | undefined;
  #opsLog: OpsLog | undefined;
  readonly #outgoing: Outgoing;
  #chores: readonly Chore[] = [];
  #delivery: Delivery | undefined;

  constructor(world: World<Message>, options: RgwOptions) {
    this.#world = world;
    this.#options = options;
    this.rados = new Rados(world, options.rados);
    this.#pusher = new Pusher({ post: (post, token) => world.http.post(post, token) });
    this.#outgoing = new Outgoing(world.http);
    this.#sleeper = new Sleeper(world.clock, FAULT_TIMER);
    this.#waits = new Sleeper(world.clock, WAIT_TIMER);
    this.#faults = new Faults({ now: () => world.clock.now(), operations: OPERATION_NAMES });
    this.ready = new Promise((resolve) => {
      this.#resolveReady = resolve;
    });
    // Whoever starts it looks at `ready`; who only drives it does not.
    this.ready.catch(() => {});
  }

  get auth(): Authentication | undefined {
    return this.rados.auth;
  }

  start(): void {
    this.#resolveReady(this.#open());
  }

  handle(event: WorldEvent<Message>): void {
    const chore = event.kind === 'timer' && this.#chores.find(({ timer }) => timer === event.name);
    if (chore) void chore.onTimer();
    else if (event.kind === 'timer' && event.name === NOTIFY_TIMER) void this.#delivery?.work();
    else if (event.kind === 'timer' && event.name === FAULT_TIMER) this.#sleeper.onTimer();
    else if (event.kind === 'timer' && event.name === WAIT_TIMER) this.#waits.onTimer();
    else if (event.kind === 'timer' && event.name === FAREWELL_TIMER) this.rados.shutdown();
    else if (event.kind === 'posted' && this.#outgoing.onPosted(event)) return;
    else if (event.kind === 'terminate') void this.#leave();
    else if (!this.#pusher.handle(event)) this.rados.handle(event);
  }

  async #open(): Promise<Gateway> {
    await this.rados.connect();
    const store = await Store.open(this.rados, this.#world, (us) => this.#waits.sleep(us), {
      events: { pusher: this.#pusher, onQueued: (queue) => this.#delivery?.poke(queue) },
      decompression: this.#options.decompression,
    });
    if (this.#options.user) await ensureUser(store, this.#options.user);
    this.#store = store;
    store.zone.cache.start(this.#world.clock);
    const meter = new UsageMeter({ world: this.#world, store, log: store.usageLog });
    this.#meter = meter;
    const opsLog = new OpsLog({ world: this.#world, store, io: store.zone.system('log') });
    this.#opsLog = opsLog;
    this.#chores = this.#choresOf(store, meter);
    for (const chore of this.#chores) chore.arm();
    this.#startDelivery(store);
    const { dnsNames, archives, faults = [] } = this.#options;
    this.#faults.add(faults);
    const injector = new Injector(this.#faults, (us) => this.#sleeper.sleep(us));
    const hosts = hostNamesOf(this.#world.config, dnsNames);
    const keystone = Keystone.open(this.#world, store, this.#outgoing);
    const given = { hosts, ...(keystone && { keystone }), ...(archives && { archives }) };
    return new Gateway({ world: this.#world, store, injector, meter, opsLog, ...given });
  }

  #choresOf(store: Store, meter: UsageMeter): Chore[] {
    const world = this.#world;
    const { config } = world;
    const debugInterval = () => this.#debugInterval;
    const lifecycle = new Lifecycle({ world, store, debugInterval });
    const expirer = new Expirer({ world, store });
    return [
      new Chore(world, {
        timer: 'rgw gc',
        periodSeconds: () => config.rgw_gc_processor_period,
        run: () => store.garbage.process(),
      }),
      new Chore(world, {
        timer: 'rgw lifecycle',
        periodSeconds: () => debugInterval() ?? LIFECYCLE_PERIOD_SECONDS,
        run: () => lifecycle.process(),
      }),
      new Chore(world, {
        timer: 'rgw object expirer',
        periodSeconds: () => config.rgw_objexp_gc_interval,
        run: () => expirer.process(),
      }),
      new Chore(world, {
        timer: 'rgw bucket sync',
        periodSeconds: () => Math.max(config.rgw_user_quota_bucket_sync_interval, 1),
        run: () => store.growth.count(),
      }),
      new Chore(world, {
        timer: 'rgw reshard',
        periodSeconds: () => config.rgw_reshard_thread_interval,
        run: () => this.#reshard(store),
      }),
      new Chore(world, {
        timer: 'rgw usage',
        periodSeconds: () => Math.max(1, config.rgw_usage_log_tick_interval),
        run: () => meter.flush(),
      }),
    ];
  }

  async #reshard({ zone }: Store): Promise<void> {
    const { clock, log, config, crypto: entropy } = this.#world;
    if (config.rgw_dynamic_resharding) await processReshardLog({ zone, clock, log, config, entropy });
  }

  #startDelivery({ queues }: Store): void {
    const { clock } = this.#world;
    const wakeAt = (at: Instant) => clock.arm(NOTIFY_TIMER, Math.max(at, clock.now()));
    this.#delivery = new Delivery({ world: this.#world, queues, pusher: this.#pusher, wakeAt });
    this.#delivery.start();
  }

  get #debugInterval(): number | undefined {
    const { rgw_lc_debug_interval: interval } = this.#world.config;
    return interval > 0 ? interval : undefined;
  }

  async #leave(): Promise<void> {
    this.#world.clock.arm(FAREWELL_TIMER, this.#world.clock.now() + seconds(FAREWELL_SECONDS));
    await Promise.all([
      this.#store?.zone.cache.stop(),
      this.#delivery?.stop(),
      this.#meter?.flush(),
      this.#opsLog?.flush(),
    ]);
    this.rados.handle({ kind: 'terminate' });
  }
}

/** Of the first user, for Swift. */
export const FIRST_SUBUSER = 'swift';

/**
 * The first user is there, with keys, also when another gateway makes it at the same time, or did not live to give it its keys
 * (see `UserStore.create`). For Swift it is a subuser, with the secret as its key.
 */
async function ensureUser(store: Store, { uid, displayName, accessKey, secret }: FirstUser): Promise<void> {
  const id = { tenant: '', ns: '', id: uid };
  const accessKeys = new Map([[accessKey, { id: accessKey, secret, subuser: '' }]]);
  const swiftName = `${uid}:${FIRST_SUBUSER}`;
  const swiftKeys = new Map([[swiftName, { id: swiftName, secret, subuser: FIRST_SUBUSER }]]);
  const subusers = new Map([[FIRST_SUBUSER, { name: FIRST_SUBUSER, permissions: FULL_CONTROL }]]);
  for (let tries = 1; ; tries++) {
    const found = await store.users.load(id);
    if (found && found.info.accessKeys.size + found.info.swiftKeys.size > 0) return;
    try {
      if (found) await store.users.update(found, { ...found.info, accessKeys, swiftKeys, subusers });
      else await store.users.create(newUserInfo({ id, displayName, accessKeys, swiftKeys, subusers }));
      return;
    } catch (error) {
      const isOvertaken = error instanceof RadosError && OVERTAKEN.has(error.code);
      if (!isOvertaken || tries >= MAX_TRIES) throw error;
    }
  }
}
