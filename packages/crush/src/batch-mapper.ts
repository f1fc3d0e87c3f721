/**
 * Many inputs under one rule: by an engine of WebAssembly, four and more times as fast as one after the other, or, where there is
 * none, by its twin in plain JavaScript. Both give the same, to the bit.
 */
import { base64 } from '@scure/base';
import type { CrushMap } from './crush-map.ts';
import { ENGINE_CODE } from './engine-code.ts';
import { type EngineExports, EngineMemory, type GrowingMemory, putBuckets } from './engine-memory.ts';
import { CrushMapper, MAX_RESULT, replacementsOf } from './mapper.ts';

/** What inputs were mapped to. */
export interface Mappings {
  /** Places of each input. */
  readonly most: number;
  /** `most` items of each input, one input after the other; those behind its length mean nothing. */
  readonly items: Int32Array;
  /** How many each input has. */
  readonly lengths: Int32Array;
}

export interface BatchMapper {
  /**
   * As `CrushMapper.doRule` for each input.
   *
   * @param inputs signed or unsigned 32-bit integers
   * @param most items of an input at most, 0 to 65,536
   * @param reweights of devices, 16.16
   * @param histogram as `CrushMapper.choiceTries`
   */
  map(
    ruleNo: number,
    inputs: Int32Array,
    most: number,
    reweights: ArrayLike<number>,
    histogram?: Uint32Array,
  ): Mappings;
}

/** Inputs that are in the engine's memory at a time, and items of theirs. */
const MAX_INPUTS = 16_384;
const MAX_ITEMS = 1 << 20;
/** `engine/ahead.ts`, `engine/buckets.ts`. */
const MAX_DRAWS = 64;
const DRAW_WORDS = 6;
const CACHED = 512;
const CHAINS_OF_DRAWS = 4096;

interface WebAssemblyHost {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: EngineExports };
  readonly Memory: new (size: { readonly initial: number }) => GrowingMemory;
}

let compiled: { readonly host: WebAssemblyHost; readonly module: object } | undefined;
let isTried = false;

/** Undefined: this host has no WebAssembly, or none with vectors. */
function engine(): typeof compiled {
  if (isTried) return compiled;
  isTried = true;
  const { WebAssembly: host } = globalThis as unknown as { readonly WebAssembly?: WebAssemblyHost };
  try {
    if (host) compiled = { host, module: new host.Module(base64.decode(ENGINE_CODE)) };
  } catch {
    // Without vectors it does not compile.
  }
  return compiled;
}

/** @param chooseArgs as of `CrushMapper` */
export function batchMapper(map: CrushMap, chooseArgs?: number): BatchMapper {
  return engineMapper(map, chooseArgs) ?? new PlainBatchMapper(map, chooseArgs);
}

/** Undefined: there is no engine here. */
export function engineMapper(map: CrushMap, chooseArgs?: number): BatchMapper | undefined {
  const found = engine();
  if (!found) return undefined;
  const memory = new found.host.Memory({ initial: 16 });
  const instance = new found.host.Instance(found.module, { env: { memory } });
  return new EngineBatchMapper(instance.exports, memory, map, chooseArgs);
}

/** For the bound that the engine relies on to be checked: see `engine/draws.ts`. */
export function leastWorth(): { readonly least: (u: number) => number; readonly spread: number } {
  const { host, module } = engine()!;
  const { exports } = new host.Instance(module, { env: { memory: new host.Memory({ initial: 16 }) } });
  return { least: (u) => exports.leastOf(u), spread: exports.spread() };
}

class EngineBatchMapper implements BatchMapper {
  readonly #exports: EngineExports;
  readonly #memory: EngineMemory;
  readonly #map: CrushMap;
  /** Scratch memory of a choice: how many items a result may have. */
  #itemRoom = 0;
  readonly #mapEnd: number;

  constructor(exports: EngineExports, grown: GrowingMemory, map: CrushMap, chooseArgs: number | undefined) {
    this.#exports = exports;
    this.#map = map;
    const memory = new EngineMemory(grown);
    this.#memory = memory;
    exports.placeMap(putBuckets(memory, map, replacementsOf(map, chooseArgs)), map.buckets.length, map.maxDevices);
    const { tunables } = map;
    exports.tune(
      tunables.chooseLocalTries,
      tunables.chooseLocalFallbackTries,
      tunables.chooseTotalTries,
      tunables.chooseleafDescendOnce,
      tunables.chooseleafVaryR,
      tunables.chooseleafStable,
    );
    this.#mapEnd = memory.end;
  }

  map(
    ruleNo: number,
    inputs: Int32Array,
    asked: number,
    reweights: ArrayLike<number>,
    histogram?: Uint32Array,
  ): Mappings {
    const most = Math.min(asked, MAX_RESULT);
    const items = new Int32Array(inputs.length * most);
    const lengths = new Int32Array(inputs.length);
    const rule = this.#map.rules[ruleNo];
    if (rule === undefined || most <= 0) return { most, items, lengths };
    const memory = this.#memory;
    this.#makeRoom(most);
    const runAt = memory.end;
    const steps = memory.put(rule.steps.flatMap(({ op, arg1, arg2 }) => [op, arg1, arg2]));
    const histogramAt = histogram ? memory.put(histogram) : 0;
    this.#exports.placeRun(memory.put(reweights), reweights.length, histogramAt, histogram?.length ?? 0);
    const atOnce = Math.max(1, Math.min(MAX_INPUTS, Math.floor(MAX_ITEMS / most)));
    const sliceAt = memory.end;
    for (let from = 0; from < inputs.length; from += atOnce) {
      memory.cutAt(sliceAt);
      const slice = inputs.subarray(from, from + atOnce);
      const [inputsAt, into, lengthsAt] = [
        memory.put(slice),
        memory.room(slice.length * most),
        memory.room(slice.length),
      ];
      this.#exports.mapInputs(steps, rule.steps.length, inputsAt, slice.length, most, into, lengthsAt);
      items.set(memory.read(into, slice.length * most), from * most);
      lengths.set(memory.read(lengthsAt, slice.length), from);
    }
    histogram?.set(memory.read(histogramAt, histogram.length));
    memory.cutAt(runAt);
    return { most, items, lengths };
  }

  /** Of which the size depends on the result's. */
  #makeRoom(most: number): void {
    if (most <= this.#itemRoom) return;
    const memory = this.#memory;
    memory.cutAt(this.#mapEnd);
    this.#itemRoom = most;
    const largest = this.#map.buckets.reduce((size, bucket) => Math.max(size, bucket?.items.length ?? 0), 0);
    // One draw of the largest bucket, or many of smaller ones; chains are worked on four at a time.
    const chains = Math.max(Math.ceil(largest / 4), CHAINS_OF_DRAWS);
    const words = 4 * (chains + 4);
    const itemWords = Math.ceil(most / 8) * 8;
    const cacheAt = memory.room(4 * CACHED);
    memory.clear(cacheAt, 4 * CACHED);
    const scratch = [memory.room(words), memory.room(words), memory.room(words), chains, cacheAt];
    const [drawsAt, permutationAt] = [memory.room(DRAW_WORDS * MAX_DRAWS), memory.room(largest)];
    this.#exports.placeScratch(...scratch, drawsAt, permutationAt, memory.room(4 * itemWords), 4 * itemWords);
  }
}

/** The twin. */
export class PlainBatchMapper implements BatchMapper {
  readonly #mapper: CrushMapper;

  constructor(map: CrushMap, chooseArgs?: number) {
    this.#mapper = new CrushMapper(map, chooseArgs);
  }

  map(
    ruleNo: number,
    inputs: Int32Array,
    asked: number,
    reweights: ArrayLike<number>,
    histogram?: Uint32Array,
  ): Mappings {
    const most = Math.max(0, Math.min(asked, MAX_RESULT));
    const items = new Int32Array(inputs.length * most);
    const lengths = new Int32Array(inputs.length);
    this.#mapper.choiceTries = histogram;
    for (let i = 0; i < inputs.length; i++) {
      const found = this.#mapper.doRule(ruleNo, inputs[i]!, most, reweights);
      items.set(found, i * most);
      lengths[i] = found.length;
    }
    this.#mapper.choiceTries = undefined;
    return { most, items, lengths };
  }
}
