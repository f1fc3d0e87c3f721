/**
 * What a gateway remembers of the meta pools, so that a request need not read its user and its bucket anew (RGWSI_SysObj_Cache,
 * RGWSI_Notify). Gateways watch the control pool's objects `notify.0` to `notify.7`; whoever changes an object of the meta pools
 * tells the watchers of the one that its name's hash picks, and waits for them before the change counts as made:
 *
 *   writer    write, then notify ───────────────────────────────┬── done
 *   gateway                  └─ forgets the object, answers ────┘
 *
 * Nobody answers for a gateway that is cut off: then the writer waits `NOTICE_SECONDS`. What a gateway remembers counts only
 * while its watch is known to have stood, without a gap, until less than that ago. Of a writer that dies between the two,
 * gateways do not hear: what they remember counts for `EXPIRY`, as radosgw's.
 */
import { type Bytes, Errno, MalformedInput, type RawString } from '@spirula/encoding';
import { strHashLinux } from '@spirula/maps';
import { type IoCtx, ObjectOperation, RadosError, type Watch } from '@spirula/rados';
import { type Instant, seconds, type World } from '@spirula/world';
import { decodeCacheNotice, encodeCacheNotice, type RawObject } from '../formats/cache-notice.ts';

/** rgw_num_control_oids */
const CONTROL_OBJECTS = 8;
const NOTICE_SECONDS = 10;
/** A watch is confirmed every objecter_tick_interval, 5 s. */
const FRESH: Instant = seconds(8);
/** rgw_cache_expiry_interval */
const EXPIRY: Instant = seconds(900);
/** rgw_cache_lru_size */
const MAX_ENTRIES = 10_000;
const RETRY: Instant = seconds(5);

/** `watch.check` gives milliseconds. */
const MS: Instant = seconds(1) / 1000;

/** radosgw's name for an object: its hash picks the control object. */
function nameOf({ pool, oid }: RawObject): RawString {
  return `${pool.name}+${pool.ns}+${oid}`;
}

export type Warner = Pick<World['log'], 'warn'>;

export class MetaCache {
  readonly #control: IoCtx;
  readonly #log: Warner;
  readonly #slices = Array.from({ length: CONTROL_OBJECTS }, (_, i) => new Slice(`notify.${i}`));
  #clock: World['clock'] | undefined;

  constructor(control: IoCtx, log: Warner) {
    this.#control = control;
    this.#log = log;
  }

  /** From now on what is read is kept. Without it, this only tells others what changes. */
  start(clock: World['clock']): void {
    this.#clock = clock;
    for (const slice of this.#slices) this.#watch(slice);
  }

  /** Nothing is kept from now on, and nobody who changes something waits for this gateway. Never rejects. */
  async stop(): Promise<void> {
    this.#clock = undefined;
    await Promise.all(this.#slices.map((slice) => slice.stop()));
  }

  /** What is remembered of an object, or what `read` gives. What is not there is not remembered. */
  async read<T>(object: RawObject, read: () => Promise<T | undefined>): Promise<T | undefined> {
    if (!this.#clock) return await read();
    const name = nameOf(object);
    const slice = this.#sliceOf(name);
    const now = this.#clock.now();
    if (!slice.isFresh(now)) {
      if (!slice.isWatching) this.#watch(slice);
      return await read();
    }
    const known = slice.get(name, now);
    return known === undefined ? await slice.load(name, now, read) : (known as T);
  }

  /** Somebody else has changed the object, it seems. */
  forget(object: RawObject): void {
    const name = nameOf(object);
    this.#sliceOf(name).forget(name);
  }

  /** This gateway has changed the object: resolves when no gateway takes it for what it was. Never rejects. */
  async announce(object: RawObject): Promise<void> {
    const name = nameOf(object);
    const slice = this.#sliceOf(name);
    slice.forget(name);
    try {
      await this.#control.notify(slice.oid, encodeCacheNotice(object), NOTICE_SECONDS);
    } catch (error) {
      if (!(error instanceof RadosError)) throw error;
      // Nobody has ever watched it.
      if (error.code === Errno.ENOENT) return;
      this.#log.warn('other gateways are not told of a change', { object: name, error: error.message });
    }
  }

  #sliceOf(name: RawString): Slice {
    return this.#slices[strHashLinux(name) % CONTROL_OBJECTS]!;
  }

  #watch(slice: Slice): void {
    const ports = { control: this.#control, clock: this.#clock!, log: this.#log };
    void slice.open(ports, (object) => this.forget(object));
  }
}

interface SlicePorts {
  readonly control: IoCtx;
  readonly clock: World['clock'];
  readonly log: Warner;
}

interface Entry {
  readonly value: unknown;
  readonly loadedAt: Instant;
}

/** What one control object speaks for. */
class Slice {
  readonly oid: RawString;
  /** In the order of their last use. */
  readonly #entries = new Map<string, Entry>();
  readonly #loading = new Map<string, Promise<unknown>>();
  #watch: Watch | undefined;
  #confirmedAt: Instant = 0;
  #isOpening = false;
  #retryAt: Instant = 0;

  constructor(oid: RawString) {
    this.oid = oid;
  }

  get isWatching(): boolean {
    return this.#watch !== undefined;
  }

  /** Begins to watch. When that fails, it may be tried again a little later. */
  async open({ control, clock, log }: SlicePorts, onChange: (object: RawObject) => void): Promise<void> {
    if (this.#isOpening || clock.now() < this.#retryAt) return;
    this.#isOpening = true;
    try {
      await control.operate(this.oid, new ObjectOperation().create(false));
      const watch = await control.watch(this.oid, {
        onNotify: ({ payload }) => {
          this.#onNotice(payload, onChange);
          return undefined;
        },
        onError: () => this.#close(watch),
      });
      this.#watch = watch;
      this.#confirmedAt = clock.now();
    } catch (error) {
      if (!(error instanceof RadosError)) throw error;
      log.warn('what is read of the meta pools is not kept', { error: error.message });
    } finally {
      this.#isOpening = false;
      this.#retryAt = clock.now() + RETRY;
    }
  }

  /** Never rejects. */
  async stop(): Promise<void> {
    const watch = this.#watch;
    this.#watch = undefined;
    this.forgetAll();
    try {
      await watch?.unwatch();
    } catch (error) {
      // The cluster has forgotten it, or does not answer.
      if (!(error instanceof RadosError)) throw error;
    }
  }

  /** Whether the watch stands, and has stood since what is remembered was read. */
  isFresh(now: Instant): boolean {
    const age = this.#age();
    if (age === undefined) return false;
    const confirmedAt = now - age;
    if (age > FRESH || confirmedAt - this.#confirmedAt > FRESH) this.forgetAll();
    this.#confirmedAt = confirmedAt;
    return age <= FRESH;
  }

  get(name: string, now: Instant): unknown {
    const found = this.#entries.get(name);
    if (found === undefined) return undefined;
    this.#entries.delete(name);
    if (now - found.loadedAt > EXPIRY) return undefined;
    this.#entries.set(name, found);
    return found.value;
  }

  /** Those who ask for what is being read already share what comes. */
  load<T>(name: string, now: Instant, read: () => Promise<T | undefined>): Promise<T | undefined> {
    const running = this.#loading.get(name);
    if (running) return running as Promise<T | undefined>;
    const run = async () => {
      try {
        const value = await read();
        // Unless it was changed meanwhile.
        if (value !== undefined && this.#loading.get(name) === loading) this.#put(name, { value, loadedAt: now });
        return value;
      } finally {
        if (this.#loading.get(name) === loading) this.#loading.delete(name);
      }
    };
    const loading = run();
    this.#loading.set(name, loading);
    return loading;
  }

  forget(name: string): void {
    this.#entries.delete(name);
    this.#loading.delete(name);
  }

  forgetAll(): void {
    this.#entries.clear();
    this.#loading.clear();
  }

  #put(name: string, entry: Entry): void {
    this.#entries.set(name, entry);
    if (this.#entries.size <= MAX_ENTRIES / CONTROL_OBJECTS) return;
    const [oldest] = this.#entries.keys();
    this.#entries.delete(oldest!);
  }

  /** How long ago the watch was known to stand; undefined: it does not. */
  #age(): Instant | undefined {
    try {
      return this.#watch && this.#watch.check() * MS;
    } catch (error) {
      if (!(error instanceof RadosError)) throw error;
      return undefined;
    }
  }

  #onNotice(payload: Bytes, onChange: (object: RawObject) => void): void {
    try {
      onChange(decodeCacheNotice(payload));
    } catch (error) {
      if (!(error instanceof MalformedInput)) throw error;
      // Whatever it is about.
      this.forgetAll();
    }
  }

  #close(watch: Watch): void {
    if (this.#watch === watch) void this.stop();
  }
}
