import { expect, test } from 'vitest';
import { lookUp, parseConfFile } from './conf-file.ts';

const OSD = { type: 'osd', id: '0' };

test('the most specific section wins, and names are alike with blanks and underscores', () => {
  const conf = parseConfFile(
    '[global]\nmon lease = 3\nosd_heartbeat_grace = 1\n[osd]\nosd heartbeat  grace = 2\n[osd.0]\nosd_heartbeat_grace=3\n',
  );

  expect(lookUp(conf, OSD, 'osd_heartbeat_grace')).toBe('3');
  expect(lookUp(conf, { type: 'osd', id: '1' }, 'osd heartbeat grace')).toBe('2');
  expect(lookUp(conf, { type: 'mon', id: 'a' }, 'osd_heartbeat_grace')).toBe('1');
  expect(lookUp(conf, OSD, 'mon_lease')).toBe('3');
  expect(lookUp(conf, OSD, 'nothing')).toBeUndefined();
});

test('comments, continued lines, quotes and escapes', () => {
  const conf = parseConfFile(
    '# first\n[global] ; heading\nlong = one \\\n two # rest\nquoted = " a = b " ; c\nescaped = 1\\;2\nempty =\n',
  );

  expect(Object.fromEntries(conf.get('global')!)).toEqual({
    long: 'one  two',
    quoted: 'a = b',
    escaped: '1;2',
    empty: '',
  });
});

// As `ceph-conf` of 16.2.15 says it.
test.each([
  ['x=1\n[global]\n', "parse error: expected '<eoi>' in line 1 at position 1"],
  ['[global]\nnonsense\n', "parse error: expected '<eoi>' in line 2 at position 1"],
  ['[global\nx=1\n', `parse error: expected '"]"' in line 1 at position 8`],
  ['[global]\nx = "abc\n', `parse error: expected '"""' in line 2 at position 9`],
  ["[global]\nlog_file = 'a b' x\n", "parse error: expected '<empty_line>' in line 2 at position 17"],
])('%j is refused with its line', (text, problem) => {
  expect(() => parseConfFile(text)).toThrow(problem);
});
