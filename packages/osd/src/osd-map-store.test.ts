import { encodeCrushMap } from '@spirula/crush';
import type { Bytes, Epoch, RawString } from '@spirula/encoding';
import {
  applyIncremental,
  crcOfFullMap,
  emptyIncremental,
  emptyOsdMap,
  encodeIncremental,
  encodeOsdMap,
  type HObject,
  type OsdMap,
} from '@spirula/maps';
import type { OsdMapMessage } from '@spirula/messages';
import type { ObjectStore, TransactionOp } from '@spirula/objectstore';
import { describe, expect, test } from 'vitest';
import { OsdMapStore } from './osd-map-store.ts';

const fsid = new Uint8Array(16).fill(7);
const silent = () => {};
const log = { debug: silent, info: silent, warn: silent, error: silent };

/** The omap of the one object that holds the maps. */
class MetaOmap {
  readonly entries = new Map<RawString, Bytes>();

  readonly store = {
    omapGet: (_cid: string, _oid: HObject, keys: Iterable<RawString>) =>
      new Map([...keys].filter((key) => this.entries.has(key)).map((key) => [key, this.entries.get(key)!])),
    omapList: (_cid: string, _oid: HObject, start: RawString, max: number) =>
      new Map(
        [...this.entries]
          .filter(([key]) => key >= start)
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .slice(0, max),
      ),
  } as unknown as ObjectStore;

  submit(transaction: readonly TransactionOp[]): void {
    for (const op of transaction) {
      if (op.op === 'omapSet') for (const [key, value] of op.entries) this.entries.set(key, value);
      else if (op.op === 'omapRmRange') {
        for (const key of [...this.entries.keys()]) if (key >= op.first && key < op.last) this.entries.delete(key);
      } else if (op.op !== 'touch') throw new Error(`a ${op.op}`);
    }
  }
}

/** What a monitor has: every map and the incrementals between them. */
const history = (() => {
  const maps = new Map<Epoch, OsdMap>([[0, emptyOsdMap(fsid)]]);
  const fulls = new Map<Epoch, Bytes>();
  const incrementals = new Map<Epoch, Bytes>();
  for (let epoch = 1; epoch <= 200; epoch++) {
    const incremental = emptyIncremental(fsid, epoch);
    incremental.newMaxOsd = 1 + (epoch % 5);
    incremental.newWeight.set(0, epoch);
    if (epoch === 1) incremental.crush = encodeCrushMap(emptyOsdMap(fsid).crush);
    const map = applyIncremental(maps.get(epoch - 1)!, incremental);
    maps.set(epoch, map);
    fulls.set(epoch, encodeOsdMap(map));
    incremental.fullCrc = crcOfFullMap(fulls.get(epoch)!);
    incrementals.set(epoch, encodeIncremental(incremental));
  }
  return { maps, fulls, incrementals };
})();

function range(first: Epoch, last: Epoch): Epoch[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

function mapsMessage(fulls: readonly Epoch[], incrementals: readonly Epoch[], oldest = 1, newest = 200): OsdMapMessage {
  return {
    type: 'osd_map',
    fsid,
    fulls: new Map(fulls.map((epoch) => [epoch, history.fulls.get(epoch)!])),
    incrementals: new Map(incrementals.map((epoch) => [epoch, history.incrementals.get(epoch)!])),
    oldest,
    newest,
    gapRemovedSnaps: new Map(),
  };
}

class Keeper {
  readonly meta = new MetaOmap();
  maps = new OsdMapStore(this.meta.store, log);

  receive(message: OsdMapMessage) {
    const transaction: TransactionOp[] = [];
    const { maps, lacking } = this.maps.take(message, transaction);
    this.meta.submit(transaction);
    return { applied: maps.map((map) => map.epoch), lacking };
  }

  trim(epoch: Epoch): void {
    const transaction: TransactionOp[] = [];
    this.maps.trim(epoch, transaction);
    this.meta.submit(transaction);
  }

  restart(): void {
    const { oldest, newest } = this.maps;
    this.maps = new OsdMapStore(this.meta.store, log);
    this.maps.load(oldest, newest);
  }
}

describe('the maps of an OSD', () => {
  test('a whole map, then incrementals: each is kept, and is there after a restart', () => {
    const keeper = new Keeper();

    expect(keeper.receive(mapsMessage([3], [4, 5], 3, 5))).toEqual({ applied: [3, 4, 5], lacking: false });
    keeper.restart();

    expect([keeper.maps.oldest, keeper.maps.newest]).toEqual([3, 5]);
    for (const epoch of [3, 4, 5]) expect(encodeOsdMap(keeper.maps.at(epoch)!)).toEqual(history.fulls.get(epoch));
    expect(keeper.maps.at(2)).toBeUndefined();
    expect(keeper.maps.at(6)).toBeUndefined();
  });

  test('what it has already changes nothing', () => {
    const keeper = new Keeper();
    keeper.receive(mapsMessage([1], range(2, 5), 1, 5));

    expect(keeper.receive(mapsMessage([2], [3, 4], 1, 5))).toEqual({ applied: [], lacking: false });
  });

  test('it says that it lacks maps while the sender has more', () => {
    expect(new Keeper().receive(mapsMessage([1], range(2, 40)))).toEqual({ applied: range(1, 40), lacking: true });
  });

  test('epochs in between are not skipped, as long as they are to be had', () => {
    const keeper = new Keeper();
    keeper.receive(mapsMessage([1], [2], 1, 2));

    expect(keeper.receive(mapsMessage([], [5, 6]))).toEqual({ applied: [], lacking: true });
    expect(keeper.receive(mapsMessage([5], [6]))).toEqual({ applied: [], lacking: true });
  });

  test('behind the oldest map of the monitors it starts anew with that', () => {
    const keeper = new Keeper();
    keeper.receive(mapsMessage([1], range(2, 9), 1, 9));

    expect(keeper.receive(mapsMessage([50], [51], 50, 51))).toEqual({ applied: [50, 51], lacking: false });
    keeper.restart();
    expect([keeper.maps.oldest, keeper.maps.newest]).toEqual([50, 51]);
    expect(keeper.maps.at(9)).toBeUndefined();
  });

  test('trimmed maps are gone, the newest never is', () => {
    const keeper = new Keeper();
    keeper.receive(mapsMessage([1], range(2, 30), 1, 30));
    const { size } = keeper.meta.entries;

    keeper.trim(20);
    expect([keeper.maps.oldest, keeper.maps.at(19)]).toEqual([20, undefined]);
    expect(keeper.meta.entries.size).toBe(size - 19 - 18);
    keeper.trim(99);
    expect(keeper.maps.oldest).toBe(30);
    expect(keeper.maps.at(30)!.epoch).toBe(30);
  });

  test('an incremental that leads to another map is not believed; a whole map helps', () => {
    const keeper = new Keeper();
    keeper.receive(mapsMessage([1], [2], 1, 2));
    const wrong = emptyIncremental(fsid, 3);
    wrong.fullCrc = 1;

    const message = { ...mapsMessage([], [], 1, 3), incrementals: new Map([[3, encodeIncremental(wrong)]]) };
    expect(keeper.receive(message)).toEqual({ applied: [], lacking: true });
    expect(keeper.receive(mapsMessage([3], [], 1, 3))).toEqual({ applied: [3], lacking: false });
  });

  test('bytes that do not parse are not kept', () => {
    const keeper = new Keeper();

    const message = { ...mapsMessage([], [], 1, 1), fulls: new Map([[1, new Uint8Array(30)]]) };
    expect(keeper.receive(message)).toEqual({ applied: [], lacking: true });
    expect(keeper.meta.entries.size).toBe(0);
  });

  test('others are given what they lack, in parts, and can follow', () => {
    const keeper = new Keeper();
    keeper.receive(mapsMessage([10], range(11, 100), 10, 100));

    expect(keeper.maps.messageSince(100)).toBeUndefined();
    expect([...keeper.maps.messageSince(97)!.incrementals.keys()]).toEqual([98, 99, 100]);
    for (const since of [0, 3, 10, 60]) {
      const other = new Keeper();
      if (since > 0) other.receive(mapsMessage([1], range(2, since), 1, since));
      for (let i = 0; i < 4 && other.maps.newest < 100; i++)
        other.receive(keeper.maps.messageSince(other.maps.newest)!);
      expect(other.maps.newest).toBe(100);
      expect(encodeOsdMap(other.maps.current!)).toEqual(history.fulls.get(100));
    }
  });
});
