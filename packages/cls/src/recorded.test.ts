import { EMPTY, fromHex, type RawString, toHex } from '@spirula/encoding';
import { expect, test } from 'vitest';
import { goldenJson } from '../../../test/golden-data.ts';
import { builtinClasses } from './builtin-classes.ts';
import { MemoryObject } from './memory-object.test-support.ts';
import { MethodFlag } from './object-class.ts';

/** A real OSD's clock stood here, as far as the recordings know. */
const RECORDED_SEC = 1_780_000_000;

interface Recording {
  readonly class: string;
  /** The PG's newest user version is that before the call; only methods that do not write answer. */
  readonly ops: readonly (readonly [method: string, input: string, version: number, code: number, output?: string])[];
  /** What was in the object before, if there was one. */
  readonly initial?: { readonly data?: string; readonly omap?: readonly (readonly [key: RawString, value: string])[] };
  /** What was in the object then; nothing, if there was none. */
  readonly omap?: readonly (readonly [key: RawString, value: string])[];
  readonly header?: string;
  readonly xattrs?: readonly (readonly [name: RawString, value: string])[];
  readonly data?: string;
}

const recordings = ['2pc_queue', 'cmpomap', 'fifo', 'journal', 'queue', 'rbd', 'rgw'].flatMap((file) =>
  Object.entries(goldenJson<Record<string, readonly Recording[]>>(`cls/${file}.json.gz`)).flatMap(([kind, all]) =>
    all.map((recording, i) => ({ name: `${file}, ${kind} ${i}`, recording })),
  ),
);

function hexOf(entries: ReadonlyMap<RawString, Uint8Array>): Record<RawString, string> {
  return Object.fromEntries([...entries].map(([key, value]) => [key, toHex(value)]));
}

function contentsOf({ data = '', omap: entries = [] }: NonNullable<Recording['initial']>): MemoryObject['stored'] {
  const omap = new Map(entries.map(([key, value]) => [key, fromHex(value)]));
  return { data: fromHex(data), omap, xattrs: new Map(), header: EMPTY };
}

test.each(recordings)('calls answer and leave what they did on a 16.2.15 OSD: $name', ({ recording }) => {
  const cls = builtinClasses.find(({ name }) => name === recording.class)!;
  const object = new MemoryObject();
  object.time = { sec: RECORDED_SEC, nsec: 0 };
  if (recording.initial) object.stored = contentsOf(recording.initial);

  for (const [i, [method, input, version, code, output]] of recording.ops.entries()) {
    const reads = (cls.methods[method]!.flags & MethodFlag.write) === 0;
    object.currentVersion = version;
    const isCalled = !reads || object.stored.data !== undefined;
    const outcome = isCalled ? object.call(cls, method, fromHex(input)) : { code: -2, output: new Uint8Array() };
    // A write's positive value stays on the OSD.
    expect([i, method, reads ? outcome.code : Math.min(outcome.code, 0)]).toEqual([i, method, code]);
    if (reads) expect([i, method, toHex(outcome.output)]).toEqual([i, method, output]);
  }

  const { data, omap, header, xattrs } = object.stored;
  expect(data !== undefined).toBe(recording.omap !== undefined);
  expect(hexOf(omap)).toEqual(Object.fromEntries(recording.omap ?? []));
  expect(hexOf(xattrs)).toEqual(Object.fromEntries(recording.xattrs ?? []));
  expect(toHex(header)).toBe(recording.header ?? '');
  expect(toHex(data ?? new Uint8Array())).toBe(recording.data ?? '');
});
