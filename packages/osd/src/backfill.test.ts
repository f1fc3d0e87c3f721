/**
 * A primary's backfill and its targets, each over a store that is a list: while objects are written and removed, answers
 * take their time, slots are few, and now and then the interval ends.
 */
import type { EVersion, OsdId } from '@spirula/encoding';
import { compareHObjects, type HObject, MAX_HOBJECT, MIN_HOBJECT } from '@spirula/maps';
import { NOSNAP, type OsdPeerMessage, type PgInfo } from '@spirula/messages';
import { makeConfig } from '@spirula/world';
import { describe, expect, test } from 'vitest';
import { Backfill, BackfillTarget } from './backfill.ts';
import { type ObjectKey, objectKey, pgMetaOid } from './object-id.ts';
import { encodeObjectInfo } from './object-info.ts';
import type { PgCore } from './pg-core.ts';
import { emptyInfo } from './pg-info.ts';
import { ToyNetwork } from './toy-network.test-support.ts';

const PG = { pool: 1, seed: 0 };
const PRIMARY = 0;

function versioned(version: number): EVersion {
  return { epoch: 1, version };
}

/** Objects with their versions; nothing else of a store is looked at. */
class ListStore {
  readonly objects = new Map<ObjectKey, { readonly oid: HObject; readonly version: number }>();

  set(oid: HObject, version: number | undefined): void {
    if (version === undefined) this.objects.delete(objectKey(oid));
    else this.objects.set(objectKey(oid), { oid, version });
  }

  list(_cid: string, start: HObject | undefined, max: number): HObject[] {
    const all = [pgMetaOid(PG), ...[...this.objects.values()].map(({ oid }) => oid)].sort(compareHObjects);
    return all.filter((oid) => start === undefined || compareHObjects(oid, start) >= 0).slice(0, max);
  }

  getAttr(_cid: string, oid: HObject) {
    const found = this.objects.get(objectKey(oid));
    if (!found) return undefined;
    const version = versioned(found.version);
    const rest = {
      userVersion: 0,
      size: 0,
      mtime: { sec: 0, nsec: 0 },
      truncateSeq: 0,
      truncateSize: 0,
      isDirty: true,
      watchers: [],
      whiteout: false,
      snaps: [],
    };
    return encodeObjectInfo({ version, priorVersion: version, ...rest });
  }

  /** For comparing. */
  get contents(): string[] {
    return [...this.objects.values()].map(({ oid, version }) => `${oid.hash} ${oid.name} ${version}`).sort();
  }
}

type Letter =
  | OsdPeerMessage
  /** An object in several parts, the next sent when the one before has been answered; the last makes it whole. */
  | { readonly type: 'push' | 'pushed'; readonly oid: HObject; readonly version: number; readonly partsLeft: number }
  | { readonly type: 'write'; readonly oid: HObject; readonly version: number | undefined };

interface Target {
  readonly osd: OsdId;
  readonly store: ListStore;
  readonly machine: BackfillTarget;
  info: PgInfo;
}

class Scene {
  readonly random: ToyNetwork;
  readonly primary = new ListStore();
  readonly targets: Target[];
  readonly backfill: Backfill;
  readonly peerInfo = new Map<OsdId, PgInfo>();
  readonly #mail = new Map<string, Letter[]>();
  readonly #slots: number;
  #used = 0;
  #refused = false;
  #lastVersion = 0;
  #epoch = 1;
  isDone = false;
  /** Objects that cannot be read, once. */
  readonly unreadable = new Set<ObjectKey>();
  unreadableFound = 0;
  /** Targets that say at the next scan that they are too full; they have room when they are asked again. */
  readonly full = new Set<OsdId>();
  tooFullFound = 0;
  pushes = 0;

  constructor(seed: number, targets: number, scanMax: number, slots: number) {
    this.random = new ToyNetwork(seed);
    this.#slots = slots;
    const config = makeConfig({ osd_backfill_scan_max: scanMax });
    this.targets = Array.from({ length: targets }, (_, i) => this.#makeTarget(i + 1, config));
    const scene = this;
    const core = {
      cid: '1.0',
      pgid: PG,
      get epoch() {
        return scene.#epoch;
      },
      info: { counts: { objects: 0, bytes: 0 } },
      peerInfo: this.peerInfo,
      backfillTargets: this.targets.map(({ osd }) => osd),
      send: (osd: OsdId, message: OsdPeerMessage) => this.#post(PRIMARY, osd, message),
      host: {
        store: this.primary,
        world: { config, buggify: () => false },
        beginRecoveryOp: () => {
          if (this.#used >= this.#slots) {
            this.#refused = true;
            return false;
          }
          this.#used += 1;
          return true;
        },
        endRecoveryOp: () => void this.#used--,
      },
    };
    this.backfill = new Backfill(core as unknown as PgCore, {
      onObjectRecovered: (oid) => expect(this.backfill.isBusy(oid)).toBe(false),
      onAllBackfilled: () => {
        this.isDone = true;
      },
      onUnreadable: () => {
        this.unreadableFound += 1;
        this.unreadable.clear();
        this.backfill.onReset();
        this.backfill.start();
      },
      push: (osd, oid, { version }) => {
        if (this.unreadable.has(objectKey(oid))) return false;
        this.pushes += 1;
        this.#post(PRIMARY, osd, { type: 'push', oid, version, partsLeft: this.random.below(4) });
        return true;
      },
    });
  }

  get usedSlots(): number {
    return this.#used;
  }

  #makeTarget(osd: OsdId, config: ReturnType<typeof makeConfig>): Target {
    const store = new ListStore();
    const core = {
      cid: '1.0',
      pgid: PG,
      lastPeeringReset: 1,
      epoch: 1,
      get info() {
        return target.info;
      },
      setInfo: (info: PgInfo) => {
        target.info = info;
      },
      commit: (changes: readonly { readonly oid: HObject }[], onCommit?: () => void) => {
        for (const { oid } of changes) store.set(oid, undefined);
        onCommit?.();
      },
      send: (to: OsdId, message: OsdPeerMessage) => this.#post(osd, to, message),
      host: { store, world: { config, buggify: () => false }, isBackfillFull: () => this.full.delete(osd) },
    };
    const info = { ...emptyInfo(PG), lastBackfill: MIN_HOBJECT };
    const target: Target = { osd, store, machine: new BackfillTarget(core as unknown as PgCore), info };
    return target;
  }

  #post(from: OsdId, to: OsdId, letter: Letter): void {
    const key = `${from} ${to}`;
    const box = this.#mail.get(key) ?? [];
    box.push(letter);
    this.#mail.set(key, box);
  }

  anObject(): HObject {
    const number = this.random.below(320);
    // Several have the same hash.
    const hash = (number % 40) * 0x1234567;
    return { pool: 1, nspace: '', key: '', name: `o${number}`, snap: NOSNAP, hash, max: false };
  }

  /** A client's write; a removal now and then. Returns false when it has to wait. */
  write(oid: HObject): boolean {
    if (this.backfill.isBusy(oid)) return false;
    const version = this.random.below(4) === 0 ? undefined : ++this.#lastVersion;
    this.primary.set(oid, version);
    for (const { osd } of this.targets) {
      if (this.backfill.shouldSend(osd, oid)) this.#post(PRIMARY, osd, { type: 'write', oid, version });
    }
    return true;
  }

  /** What the targets have from earlier: the same, older, or what should not be there. */
  leaveTraces(): void {
    for (const { store } of this.targets) {
      for (const { oid, version } of this.primary.objects.values()) {
        if (this.random.below(2) === 0) store.set(oid, this.random.below(3) === 0 ? version : version + 500_000);
      }
      for (let i = this.random.below(20); i > 0; i--) {
        const oid = this.anObject();
        if (!this.primary.objects.has(objectKey(oid))) store.set(oid, 1_000_000);
      }
    }
  }

  start(): void {
    for (const { osd, info } of this.targets) this.peerInfo.set(osd, info);
    this.backfill.start();
  }

  /** The interval ends: what is on its way is lost. Peering brings what the log knows up to date again. */
  interrupt(): void {
    this.backfill.onReset();
    expect(this.#used).toBe(0);
    for (const { osd, store, info } of this.targets) {
      for (const letter of this.#mail.get(`${PRIMARY} ${osd}`) ?? []) {
        if (letter.type !== 'write' || compareHObjects(letter.oid, info.lastBackfill) > 0) continue;
        store.set(letter.oid, this.primary.objects.get(objectKey(letter.oid))?.version);
      }
    }
    this.#mail.clear();
    this.#epoch += 1;
    this.isDone = this.targets.every(({ info }) => info.lastBackfill.max);
    for (const { osd, info } of this.targets) this.peerInfo.set(osd, info);
    if (!this.isDone) this.backfill.start();
  }

  /** Delivers one letter; returns false when there is none. */
  deliver(): boolean {
    const boxes = [...this.#mail].filter(([, letters]) => letters.length > 0);
    if (boxes.length === 0) return false;
    const [key, letters] = boxes[this.random.below(boxes.length)]!;
    const [from, to] = key.split(' ').map(Number) as [OsdId, OsdId];
    const letter = letters.shift()!;
    if (to === PRIMARY) this.#onPrimary(from, letter);
    else this.#onTarget(this.targets[to - 1]!, letter);
    if (this.#refused && this.#used < this.#slots) {
      this.#refused = false;
      if (this.backfill.isRunning) this.backfill.kick();
    }
    return true;
  }

  #onPrimary(from: OsdId, letter: Letter): void {
    if (letter.type === 'pushed') {
      if (letter.partsLeft === 0) this.backfill.onPushed(from, letter.oid);
      else this.#post(PRIMARY, from, { ...letter, type: 'push', partsLeft: letter.partsLeft - 1 });
    } else if (letter.type === 'pg_scan_reply') this.backfill.onScanReply(from, letter);
    else if (letter.type === 'pg_backfill_progress_reply') this.backfill.onProgressReply(from, letter);
    else if (letter.type === 'pg_reserve' && this.backfill.isRunning) {
      expect(letter).toMatchObject({ kind: 'backfill', op: 'toofull' });
      this.tooFullFound += 1;
      this.backfill.onReset();
      this.backfill.start();
    }
  }

  #onTarget(target: Target, letter: Letter): void {
    const { osd, store, machine } = target;
    if (letter.type === 'push') {
      if (letter.partsLeft === 0) store.set(letter.oid, letter.version);
      this.#post(osd, PRIMARY, { ...letter, type: 'pushed' });
    } else if (letter.type === 'write') store.set(letter.oid, letter.version);
    else if (letter.type === 'pg_scan') machine.onScan(PRIMARY, letter);
    else if (letter.type === 'pg_backfill_remove') machine.onRemove(letter);
    else if (letter.type === 'pg_backfill_progress') machine.onProgress(PRIMARY, letter);
  }
}

function fill(scene: Scene, objects: number): void {
  for (let i = 0; i < objects; i++) scene.primary.set(scene.anObject(), i + 1);
}

function expectEqual(scene: Scene): void {
  for (const { osd, store, info } of scene.targets) {
    expect(store.contents, `osd.${osd}`).toEqual(scene.primary.contents);
    expect(info.lastBackfill).toEqual(MAX_HOBJECT);
    expect(scene.peerInfo.get(osd)!.lastBackfill.max).toBe(true);
  }
  expect([scene.usedSlots, scene.backfill.isRunning, scene.backfill.isNeeded]).toEqual([0, false, false]);
}

describe('backfill', () => {
  test('gives an empty target everything, and pushes each object once', () => {
    const scene = new Scene(1, 1, 512, 10);
    fill(scene, 300);
    scene.start();
    while (scene.deliver());

    expect(scene.isDone).toBe(true);
    expect(scene.pushes).toBe(scene.primary.objects.size);
    expectEqual(scene);
  });

  test('pushes only what differs, and has the rest removed', () => {
    const scene = new Scene(2, 2, 7, 3);
    fill(scene, 100);
    scene.leaveTraces();
    const same = scene.targets.map(({ store }) =>
      store.contents.filter((line) => scene.primary.contents.includes(line)),
    );
    scene.start();
    while (scene.deliver());

    expect(scene.pushes).toBe(2 * scene.primary.objects.size - same.flat().length);
    expectEqual(scene);
  });

  test('looks at everything, however little there is to push', () => {
    const scene = new Scene(5, 1, 512, 10);
    fill(scene, 600);
    const objects = [...scene.primary.objects.values()].sort((a, b) => compareHObjects(a.oid, b.oid));
    for (const { oid, version } of objects.slice(0, -3)) scene.targets[0]!.store.set(oid, version);
    scene.start();
    while (scene.deliver());

    expect([objects.length > 250, scene.pushes]).toEqual([true, 3]);
    expectEqual(scene);
  });

  test('begins again when an object cannot be read', () => {
    const scene = new Scene(3, 1, 512, 10);
    fill(scene, 50);
    scene.unreadable.add([...scene.primary.objects.keys()][20]!);
    scene.start();
    while (scene.deliver());

    expect(scene.unreadableFound).toBe(1);
    expectEqual(scene);
  });

  test('a target that is too full ends it; it begins anew', () => {
    const scene = new Scene(3, 2, 5, 10);
    fill(scene, 50);
    scene.full.add(2);
    scene.start();
    while (scene.deliver());

    expect(scene.tooFullFound).toBe(1);
    expectEqual(scene);
  });

  test('does not take long over a PG without objects', () => {
    const scene = new Scene(4, 2, 512, 1);
    scene.start();
    while (scene.deliver());

    expect([scene.isDone, scene.pushes]).toEqual([true, 0]);
    expectEqual(scene);
  });

  const seeds = Array.from({ length: 150 }, (_, i) => 100 + i);
  test.each(seeds)('ends with equal copies, whatever is written and interrupted meanwhile (seed %i)', (seed) => {
    const dice = new ToyNetwork(seed);
    const scene = new Scene(seed, 1 + dice.below(3), 1 + dice.below(20), 1 + dice.below(10));
    fill(scene, dice.below(dice.below(3) === 0 ? 300 : 40));
    scene.leaveTraces();
    scene.start();
    let writes = 0;
    for (let i = 0; i < 400 && !scene.isDone; i++) {
      switch (dice.below(12)) {
        case 0:
        case 1:
          if (scene.write(scene.anObject())) writes += 1;
          break;
        case 2:
          if (dice.below(5) === 0) scene.interrupt();
          break;
        case 3:
          if (dice.below(5) === 0) scene.full.add(1 + dice.below(scene.targets.length));
          break;
        default:
          scene.deliver();
      }
    }
    while (scene.deliver());

    expect(scene.isDone, `after ${writes} writes`).toBe(true);
    expectEqual(scene);
  });
});
