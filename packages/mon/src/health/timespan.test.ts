import { expect, test } from 'vitest';
import { parseTimespan } from './timespan.ts';

// Recorded from Ceph 16.2.15, `health mute NAME SPAN --sticky`.
test.each([
  ['90', 90],
  ['1h30m', 5400],
  ['1h 30m', 5400],
  ['1 d', 86_400],
  ['1h1', 3601],
  ['1h0', 3600],
  ['1hr', 3600],
  ['1week', 604_800],
  ['1mo', 2_592_000],
  ['1years', 31_536_000],
  ['0s', 0],
  ['', 0],
])('%j is %i seconds', (text, seconds) => {
  expect(parseTimespan(text)).toEqual({ seconds });
});

test.each([
  ['abc', 'expected digit'],
  ['-1h', 'expected digit'],
  ['h', 'expected digit'],
  ['1x', "unrecogized unit 'x'"],
  ['1hrs', "unrecogized unit 'hrs'"],
  ['1H', "unrecogized unit 'H'"],
  ['5ms', "unrecogized unit 'ms'"],
  ['1.5h', "unexpected trailing '.5h'"],
  ['99999999999999999999h', "The option value '99999999999999999999' seems to be invalid"],
])('%j is refused: %s', (text, problem) => {
  expect(parseTimespan(text)).toEqual({ problem });
});

test('a name that objects have by themselves is no unit', () => {
  expect(parseTimespan('1constructor')).toEqual({ problem: "unrecogized unit 'constructor'" });
});
