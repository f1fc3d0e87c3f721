/**
 * Placements at random, to compare CRUSH's with (CrushTester::random_placement): devices are drawn until none is out and no
 * two share a bucket of a type that the rule chooses.
 */
import { type CrushMap, type CrushRule, locationOf, RuleOp } from '@spirula/crush';

const MAX_TRIES = 100;

/** lrand48 of a program that never seeded it (POSIX; glibc begins at 0). */
export class Lrand48 {
  #state = 0n;

  next(): number {
    this.#state = (this.#state * 0x5deece66dn + 0xbn) & 0xffff_ffff_ffffn;
    return Number(this.#state >> 17n);
  }
}

export class RandomPlacement {
  readonly #map: CrushMap;
  readonly #random: Lrand48;
  readonly #locations = new Map<number, ReadonlyMap<string, string>>();

  constructor(map: CrushMap, random: Lrand48) {
    this.#map = map;
    this.#random = random;
  }

  /** `count` devices that a rule might have chosen; none when that many tries found none. */
  choose(rule: CrushRule, count: number, weights: Uint32Array): number[] {
    const { maxDevices } = this.#map;
    if (maxDevices === 0 || weights.every((weight) => weight === 0)) return [];
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const drawn = Array.from({ length: count }, () => this.#random.next() % maxDevices);
      if (this.#isValid(rule, drawn, weights)) return drawn;
    }
    return [];
  }

  #isValid(rule: CrushRule, devices: readonly number[], weights: Uint32Array): boolean {
    if (devices.some((device) => weights[device] === 0) || new Set(devices).size < devices.length) return false;
    const types = this.#chosenTypes(rule);
    const lowest = Math.min(...this.#map.typeNames.keys());
    if (types.length === 1 && types[0] === 'osd' && this.#map.typeNames.get(lowest) === 'osd') return true;
    const seen = new Set<string>();
    for (const device of devices) {
      const location = this.#locationOf(device);
      for (const type of types) {
        // Devices stand in no bucket of their own type: the second of them is always refused.
        const bucket = location.get(type) ?? '';
        if (seen.has(bucket)) return false;
        seen.add(bucket);
      }
    }
    return true;
  }

  /** Set steps count as well: they choose devices, by what 16.2.15 makes of their arguments. */
  #chosenTypes({ steps }: CrushRule): string[] {
    return steps
      .filter(({ op }) => op >= RuleOp.chooseFirstn && op !== RuleOp.emit)
      .map(({ arg2 }) => this.#map.typeNames.get(arg2) ?? '');
  }

  #locationOf(device: number): ReadonlyMap<string, string> {
    const known = this.#locations.get(device);
    if (known !== undefined) return known;
    const location = this.#map.names.has(device) ? locationOf(this.#map, device) : new Map<string, string>();
    this.#locations.set(device, location);
    return location;
  }
}
