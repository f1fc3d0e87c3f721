import { formatPgId, parsePgId } from '@spirula/encoding';
import { expect, test } from 'vitest';
import { ServingWatch } from './serving-watch.ts';

/** A PG has one id, as in an OSD. */
const pgids = new Map(['1.0', '1.1'].map((name) => [name, parsePgId(name)!]));

/** OSDs by number, each with the PGs that it would serve now. */
function watch(osds: Record<number, Set<string>>) {
  return new ServingWatch((osd) => {
    const served = osds[osd];
    return (
      served && {
        servedPgs: () => [...served].map((name) => pgids.get(name)!),
        serves: (pgid) => served.has(formatPgId(pgid)),
      }
    );
  });
}

test('two OSDs that serve one PG at one moment are told', () => {
  const osds = { 1: new Set(['1.0', '1.1']), 2: new Set<string>() };
  const serving = watch(osds);
  expect(serving.check(1)).toBeUndefined();
  osds[2].add('1.1');

  expect(serving.check(2)).toBe('pg 1.1 is served by osd.1 and by osd.2 at once');
});

test('an OSD whose lease has run out without an event serves no longer', () => {
  const osds = { 1: new Set(['1.0']), 2: new Set<string>() };
  const serving = watch(osds);
  serving.check(1);
  osds[1].clear();
  osds[2].add('1.0');

  expect(serving.check(2)).toBeUndefined();
  osds[1].add('1.0');
  expect(serving.check(1)).toBe('pg 1.0 is served by osd.2 and by osd.1 at once');
});

test('an OSD that does not run serves nothing', () => {
  const osds: Record<number, Set<string>> = { 1: new Set(['1.0']), 2: new Set(['1.0']) };
  const serving = watch(osds);
  serving.check(1);
  delete osds[1];

  expect(serving.check(2)).toBeUndefined();
});
