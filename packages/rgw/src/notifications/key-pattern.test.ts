import fc from 'fast-check';
import { expect, test } from 'vitest';
import { KeyPattern, UnsupportedPattern } from './key-pattern.ts';

const atom = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '\\w', '\\d', '^', '$', '\\.');
const pattern = fc.letrec<{ node: string }>((tie) => ({
  node: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    atom,
    fc.tuple(tie('node'), fc.constantFrom('*', '+', '?', '{2}', '{1,}', '{0,2}')).map(([n, q]) => `(${n})${q}`),
    fc.tuple(tie('node'), tie('node')).map(([a, b]) => a + b),
    fc.tuple(tie('node'), tie('node')).map(([a, b]) => `(?:${a}|${b})`),
  ),
})).node;
const key = fc.string({ unit: fc.constantFrom('a', 'b', '1', '.', '/'), maxLength: 7 });

test('a key matches if the whole of it does, as by the language’s own expressions', () => {
  fc.assert(
    fc.property(pattern, key, (text, name) => {
      expect(new KeyPattern(text).matches(name)).toBe(new RegExp(`^(?:${text})$`).test(name));
    }),
    { numRuns: 150 },
  );
});

test('what would take for ever by going back takes no time', () => {
  const pattern = new KeyPattern('(a+)+(a*)*b');

  expect(pattern.matches('a'.repeat(1000))).toBe(false);
  expect(pattern.matches(`${'a'.repeat(1000)}b`)).toBe(true);
});

test.each([
  '(a',
  'a)',
  '[a',
  '*a',
  'a**',
  '(?=a)',
  '(?<!a)',
  '(a)\\1',
  '\\b',
  'a{2,1}',
  'a{x}',
  '[b-a]',
  '[[:alpha:]]',
  'a\\',
])('%s is refused', (text) => {
  expect(() => new KeyPattern(text)).toThrow(UnsupportedPattern);
});

test('a pattern that grows too large is refused', () => {
  expect(() => new KeyPattern('((a{50}){50}){50}')).toThrow('too large');
  expect(() => new KeyPattern('(((){9999}){9999}){9999}')).toThrow('too large');
  expect(() => new KeyPattern('a'.repeat(300))).toThrow('longer than');
});
