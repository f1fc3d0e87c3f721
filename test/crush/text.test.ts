/** The text of CRUSH maps, beside what crushtool made of the same maps. */
import {
  CrushTextError,
  compileCrushMap,
  decodeCrushMap,
  decompileCrushMap,
  encodeCrushMap,
  weightText,
  withTidyWeightSets,
} from '@spirula/crush';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { goldenBytes, goldenJson, goldenNames, goldenText } from '../golden-data.ts';

interface Indexed {
  readonly name: string;
  readonly compileStable: boolean;
}

const index = goldenJson<Indexed[]>('crush/named/INDEX.json');

/** A file of a named map, packed or not. */
function pathOf(name: string, file: string): string {
  return `crush/named/${name}/${goldenNames(`crush/named/${name}`).find((each) => each.startsWith(file))}`;
}

function compiled(source: string): Uint8Array {
  return encodeCrushMap(compileCrushMap(source, { file: 'map.txt' }));
}

function written(binary: Uint8Array) {
  return decompileCrushMap(withTidyWeightSets(decodeCrushMap(new Uint8Array(binary))));
}

describe.each(index)('the named map $name', ({ name, compileStable }) => {
  const binary = goldenBytes(pathOf(name, 'map.bin'));

  test('is written as text as by crushtool', () => {
    expect(written(binary)).toEqual({
      text: goldenText(pathOf(name, 'map.txt')),
      complaint: '',
    });
  });

  test('is compiled to what crushtool gives', () => {
    const ours = compiled(goldenText(pathOf(name, 'map.src.txt')));

    // Where crushtool leaves node weights of trees to chance, texts agree all the same.
    if (!compileStable) {
      expect(written(ours)).toEqual(written(binary));
      return;
    }
    expect(decodeCrushMap(ours)).toEqual(decodeCrushMap(binary));
    expect(Buffer.from(ours).equals(binary)).toBe(true);
  });
});

interface RandomMap {
  readonly source: string;
  readonly decompiled: string;
  readonly binaryBase64: string;
  readonly compileStable: boolean;
}

test.each(goldenNames('crush/random'))('the random map %s is compiled and written as by crushtool', (name) => {
  const golden = goldenJson<RandomMap>(`crush/random/${name}`);
  const binary = Buffer.from(golden.binaryBase64, 'base64');

  expect(written(binary).text).toBe(golden.decompiled);
  const ours = compiled(golden.source);
  // Where crushtool leaves node weights of trees to chance, texts agree all the same.
  if (golden.compileStable) expect(Buffer.from(ours).equals(binary)).toBe(true);
  else expect(written(ours).text).toBe(golden.decompiled);
});

/** A small map as text, one statement a line. */
const SMALL = [
  'tunable choose_total_tries 50',
  'device 0 osd.0 class ssd',
  'device 1 osd.1',
  'type 0 osd',
  'type 1 host',
  'host a { id -1 id -3 class ssd alg straw2 hash 0 item osd.0 weight 1.5 item osd.1 weight .25 }',
  'host b { alg list item osd.0 weight 1e0 pos 1 item osd.1 pos 0 }',
  'rule one { id 0 type replicated min_size 1 max_size 10 step take a class ssd step chooseleaf firstn 0 type osd step emit }',
  'rule { ruleset 3 type erasure min_size 3 max_size 4 step set_choose_tries 7 step take b step choose indep -1 type osd step emit }',
  'choose_args 2 { { bucket_id -1 weight_set [ [ 1 2 ] [ 3 4.5 ] ] ids [ -7 8 ] } }',
];

/** What the compiler says of a text; undefined when it has nothing to say. */
function complaint(lines: readonly string[]): string | undefined {
  try {
    compileCrushMap(lines.join('\n'), { file: 'map.txt' });
    return undefined;
  } catch (error) {
    if (!(error instanceof CrushTextError)) throw error;
    return error.message;
  }
}

test('a text that cannot be read is refused with its line, and with where in it', () => {
  const lines = ['# a comment', 'device 0   osd.0', '  type 0 osd', 'host a { id 1', '}'];

  expect(complaint(lines)).toBe("map.txt:3 error: parse error at 'sd'\n");
  try {
    compileCrushMap(lines.join('\n'), { file: 'map.txt' });
    expect.unreachable();
  } catch (error) {
    expect((error as CrushTextError).place).toEqual({ line: 3, column: 10, rest: 'sd' });
  }
});

test.each([
  ['tunable speed 9', 'tunable speed not recognized\n'],
  ['device 2 osd.1', 'item osd.1 defined twice\n'],
  ['rack r { id -9 alg straw2 }', "bucket type 'rack' is not defined\n"],
  ['host a { id -9 alg straw2 }', "bucket or device 'a' is already defined\n"],
  ['host c { id -1 alg straw2 }', 'Duplicate bucket id -1\n'],
  ['host c { id -9 alg straw3 }', "unknown bucket alg 'straw3'\n\n"],
  ['host c { id -9 id -10 class hdd id -11 class hdd alg straw2 }', 'duplicate device class hdd for bucket c\n'],
  ['host c { id -9 alg straw2 item osd.9 }', "item 'osd.9' in bucket 'c' is not defined\n"],
  ['host c { id -9 alg straw2 item osd.0 weight 100.1 }', 'device weight limited to 100\n'],
  ['host c { id -9 alg straw2 item a weight 65535.5 }', 'bucket weight limited to 65535 to prevent overflow\n'],
  ['host c { id -9 alg straw2 item osd.0 pos 3 }', "item 'osd.0' in bucket 'c' has pos 3 >= size 3\n"],
])('of %s the compiler says why it will not do', (line, said) => {
  const kind = /^(tunable|device)/.test(line) ? 3 : 7;

  expect(complaint([...SMALL.slice(0, kind), line, ...SMALL.slice(kind)])).toBe(said);
});

test.each([
  [0x1000, '0.062'],
  [0x3000, '0.188'],
  [0x10000, '1.000'],
  [0xffff_0000, '-1.000'],
])('a weight of %i has three decimals, ties being even: %s', (weight, text) => {
  expect(weightText(weight, 3)).toBe(text);
});

test('what is compiled is written as text that compiles to it again', () => {
  const map = compileCrushMap(SMALL.join('\n'), { file: 'map.txt' });
  const { text } = decompileCrushMap(map);

  // Weights of three decimals survive, and so does all else but the number of the rule's ruleset.
  expect(compileCrushMap(text, { file: 'map.txt' })).toEqual(map);
});

test('text that was written once is written the same again', () => {
  const sources = goldenNames('crush/random').map((name) => goldenJson<RandomMap>(`crush/random/${name}`).decompiled);

  fc.assert(
    fc.property(fc.constantFrom(...sources), fc.nat(), fc.nat(), (source, from, to) => {
      // Items may lose their order, but no text that compiles changes once it was written.
      const lines = source.split('\n');
      const items = [...lines.keys()].filter((at) => lines[at]!.startsWith('\titem') && !lines[at]!.includes('pos'));
      const [a, b] = [items[from % Math.max(1, items.length)], items[to % Math.max(1, items.length)]];
      if (a !== undefined && b !== undefined) [lines[a], lines[b]] = [lines[b]!, lines[a]!];
      if (complaint(lines) !== undefined) return;
      const first = decompileCrushMap(compileCrushMap(lines.join('\n'), { file: 'a' })).text;

      expect(decompileCrushMap(compileCrushMap(first, { file: 'b' })).text).toBe(first);
    }),
    { numRuns: 60, seed: 3 },
  );
});

test('no damage to a text does more than have it refused', () => {
  const text = [...SMALL, ...SMALL].join('\n');
  const damage = fc.record({
    at: fc.nat(text.length),
    length: fc.nat(12),
    insert: fc.constantFrom(
      '',
      ' ',
      '}',
      '{',
      '-',
      '9999999999999999999',
      '1e',
      '\0',
      '\u00e9',
      'item osd.0',
      '[',
      '#',
      'class',
    ),
  });

  fc.assert(
    fc.property(fc.array(damage, { minLength: 1, maxLength: 4 }), fc.boolean(), (changes, doubled) => {
      let damaged = doubled ? text : SMALL.join('\n');
      for (const { at, length, insert } of changes) {
        damaged = damaged.slice(0, at) + insert + damaged.slice(at + length);
      }
      const said = complaint([damaged]);
      if (said === undefined) {
        const map = compileCrushMap(damaged, { file: 'map.txt' });
        decompileCrushMap(decodeCrushMap(encodeCrushMap(map)));
      }
    }),
    { numRuns: 500, seed: 11 },
  );
});
