import { bytesFromRaw } from '@spirula/encoding';
import { expect, test } from 'vitest';
import { ABSENT, applyParts, type ObjectState, type Part } from '../object-model.ts';
import { DurableFacts } from './durable-facts.ts';

function full(text: string): Part {
  return { kind: 'writeFull', data: bytesFromRaw(text) };
}

const REMOVE: Part = { kind: 'remove' };

function stored(...parts: Part[]): ObjectState {
  return applyParts(ABSENT, parts).state;
}

function lost(facts: DurableFacts, { content }: ObjectState): string[] {
  return facts.findLost(() => [{ osd: 3, content }]);
}

test('an acknowledged write that is not in a store is lost', () => {
  const facts = new DurableFacts();
  facts.begin(1, 'a', [full('<new>'), { kind: 'omapSet', key: 'k', value: bytesFromRaw('v') }]);
  facts.end(1, 'done');

  expect(lost(facts, stored(full('<new>'), { kind: 'omapSet', key: 'k', value: bytesFromRaw('v') }))).toEqual([]);
  expect(lost(facts, stored(full('<old>'), { kind: 'omapSet', key: 'k', value: bytesFromRaw('v') }))).toEqual([
    'osd.3: a: data is 5 bytes <old>; acknowledged last was 5 bytes <new>',
  ]);
  expect(lost(facts, stored(full('<new>')))).toEqual(['osd.3: a: omap k is nothing; acknowledged last was 1 bytes v']);
});

test('a removed object that is there again is a delete undone', () => {
  const facts = new DurableFacts();
  facts.begin(1, 'a', [full('<x>')]);
  facts.end(1, 'done');
  facts.begin(2, 'a', [REMOVE]);
  facts.end(2, 'done');

  expect(lost(facts, ABSENT)).toEqual([]);
  expect(lost(facts, stored(full('<x>')))).toEqual(['osd.3: a: exists is 0 bytes ; acknowledged last was nothing']);
});

test('nothing is certain of what two changes at once have touched, nor while one is under way', () => {
  const facts = new DurableFacts();
  facts.begin(1, 'a', [full('<x>')]);
  expect(lost(facts, ABSENT)).toEqual([]);
  facts.begin(2, 'a', [full('<y>')]);
  facts.end(1, 'done');
  facts.end(2, 'done');

  expect(lost(facts, ABSENT)).toEqual([]);
});

test('a change without an answer leaves in doubt what it touches, for ever, and nothing else', () => {
  const facts = new DurableFacts();
  facts.begin(1, 'a', [full('<x>')]);
  facts.end(1, 'unknown');
  facts.begin(2, 'a', [full('<y>'), { kind: 'setXattr', name: 'n', value: bytesFromRaw('1') }]);
  facts.end(2, 'done');

  const changed: Part = { kind: 'setXattr', name: 'n', value: bytesFromRaw('2') };
  expect(lost(facts, stored(full('<x>'), changed))).toEqual([
    'osd.3: a: xattr n is 1 bytes 2; acknowledged last was 1 bytes 1',
  ]);
});

test('a removal without an answer leaves everything in doubt; a refused one nothing', () => {
  for (const [outcome, problems] of [
    ['unknown', 0],
    ['refused', 1],
  ] as const) {
    const facts = new DurableFacts();
    facts.begin(1, 'a', [full('<x>')]);
    facts.end(1, 'done');
    facts.begin(2, 'a', [REMOVE]);
    facts.end(2, outcome);

    expect(lost(facts, stored(full('<y>')))).toHaveLength(problems);
  }
});
