import { readFileSync } from 'node:fs';
import type { OsdId } from '@spirula/encoding';
import {
  applyIncremental,
  decodeOsdMap,
  emptyIncremental,
  encodeIncremental,
  encodeOsdMap,
  type OsdMap,
  type OsdMapIncremental,
  OsdState,
} from '@spirula/maps';
import type { OsdMapMessage } from '@spirula/messages';
import { addrOf } from './fake-world.ts';

/** Three OSDs up, pools 1 (`rbd`) and 2 (`data`) of eight PGs, size 3; epoch 5. */
const firstMap = decodeOsdMap(
  new Uint8Array(readFileSync(new URL('../golden/samples/osdmap.handmade.3osd.bin', import.meta.url))),
);

/** A cluster whose map a test changes; it remembers the increments, as monitors do. */
export class MapHistory {
  map: OsdMap = firstMap;
  readonly #increments = new Map<number, Uint8Array>();

  /** The next epoch, with what `change` does to it. */
  advance(change: (increment: OsdMapIncremental) => void = () => {}): OsdMap {
    const increment = emptyIncremental(this.map.fsid, this.map.epoch + 1);
    change(increment);
    this.#increments.set(increment.epoch, encodeIncremental(increment));
    this.map = applyIncremental(this.map, increment);
    return this.map;
  }

  markDown(osd: OsdId): OsdMap {
    return this.advance((increment) => increment.newState.set(osd, OsdState.up));
  }

  /** Up again, with a new nonce. */
  markUp(osd: OsdId): OsdMap {
    const { port, nonce } = this.map.clientAddrs[osd]![0]!;
    return this.advance((increment) => increment.newUpClient.set(osd, addrOf(port, nonce + 1)));
  }

  full(): OsdMapMessage {
    return this.#message(new Map(), new Map([[this.map.epoch, encodeOsdMap(this.map)]]));
  }

  /** The increments from `epoch` on. */
  since(epoch: number): OsdMapMessage {
    return this.#message(new Map([...this.#increments].filter(([each]) => each >= epoch)), new Map());
  }

  #message(incrementals: ReadonlyMap<number, Uint8Array>, fulls: ReadonlyMap<number, Uint8Array>): OsdMapMessage {
    const { fsid, epoch } = this.map;
    return {
      type: 'osd_map',
      fsid,
      incrementals,
      fulls,
      oldest: 1,
      newest: epoch,
      gapRemovedSnaps: new Map(),
    };
  }
}
