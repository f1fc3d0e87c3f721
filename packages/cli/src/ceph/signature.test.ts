import { describe, expect, test } from 'vitest';
import { formatCommand, parseDescriptions, validateCommand } from './signature.ts';

/** As a real monitor describes them. */
const signatures = parseDescriptions(
  JSON.stringify({
    cmd000: { sig: ['pg', 'stat'], help: 'show', flags: 8 },
    cmd001: {
      sig: [
        'osd',
        'df',
        choices('output_method', 'plain|tree'),
        choices('filter_by', 'class|name'),
        optional('filter', 'CephString'),
      ],
      help: 'df',
      flags: 8,
    },
    cmd002: {
      sig: [
        'osd',
        'reweight',
        { name: 'id', type: 'CephOsdName' },
        { name: 'weight', type: 'CephFloat', range: '0.0|1.0' },
      ],
      help: 'reweight',
    },
    cmd003: { sig: ['osd', 'out', { name: 'ids', type: 'CephString', n: 'N' }], help: 'out' },
    cmd004: {
      sig: [
        'osd',
        'pool',
        'create',
        { name: 'pool', type: 'CephPoolname' },
        { name: 'pg_num', type: 'CephInt', range: '0', req: 'false' },
      ],
      help: 'create',
    },
    cmd005: {
      sig: [
        'osd',
        'pool',
        'rm',
        { name: 'pool', type: 'CephPoolname' },
        optional('pool2', 'CephPoolname'),
        optional('yes_i_really_really_mean_it', 'CephBool'),
      ],
      help: 'rm',
    },
    cmd006: {
      sig: ['osd', 'set', choices('key', 'noout|noup|pause', true), optional('yes_i_really_mean_it', 'CephBool')],
      help: 'set',
    },
    cmd007: {
      sig: ['pg', 'ls', optional('pool', 'CephInt'), { name: 'states', type: 'CephString', n: 'N', req: 'false' }],
      help: 'ls',
      flags: 8,
    },
    cmd008: { sig: ['pg', 'map', { name: 'pgid', type: 'CephPgid' }], help: 'map' },
    cmd009: { sig: ['osd', 'tree'], help: 'tree' },
    cmd010: { sig: ['osd', 'hidden'], help: 'gone', flags: 2 },
  }),
);

function choices(name: string, strings: string, required = false) {
  return { name, type: 'CephChoices', strings, ...(!required && { req: 'false' }) };
}

function optional(name: string, type: string) {
  return { name, type, req: 'false' };
}

function send(line: string): string {
  const validated = validateCommand(line.split(' '), signatures);
  return validated.ok ? formatCommand(validated.command) : validated.complaints.join('\n');
}

describe('words become a command', () => {
  test.each([
    ['pg stat', '{"prefix":"pg stat"}'],
    ['osd df tree', '{"prefix":"osd df","output_method":"tree"}'],
    ['osd df plain class hdd', '{"prefix":"osd df","output_method":"plain","filter_by":"class","filter":"hdd"}'],
    ['osd df data', '{"prefix":"osd df","filter":"data"}'],
    ['osd reweight osd.3 1', '{"prefix":"osd reweight","id":3,"weight":1.0}'],
    ['osd out 1 2 osd.3', '{"prefix":"osd out","ids":["1","2","osd.3"]}'],
    ['osd pool create p 0x10', '{"prefix":"osd pool create","pool":"p","pg_num":16}'],
    ['osd pool create --pool p --pg_num=8', '{"prefix":"osd pool create","pool":"p","pg_num":8}'],
    [
      'osd pool rm p p --yes-i-really-really-mean-it',
      '{"prefix":"osd pool rm","pool":"p","pool2":"p","yes_i_really_really_mean_it":true}',
    ],
    ['osd set noout', '{"prefix":"osd set","key":"noout"}'],
    ['pg ls 1 active clean', '{"prefix":"pg ls","pool":1,"states":["active","clean"]}'],
    ['pg ls active', '{"prefix":"pg ls","states":["active"]}'],
    ['pg map 1.a', '{"prefix":"pg map","pgid":"1.a"}'],
  ])('%s', (line, command) => {
    expect(send(line)).toBe(command);
  });

  test('the manager flag says where it goes', () => {
    expect(validateCommand(['pg', 'stat'], signatures)).toMatchObject({ ok: true, toMgr: true });
    expect(validateCommand(['osd', 'tree'], signatures)).toMatchObject({ ok: true, toMgr: false });
  });
});

describe('what does not fit is refused with the words of Ceph', () => {
  test.each([
    ['osd reweight 0 2', 'Invalid command: 2.0 not in range [0.0, 1.0]'],
    ['osd reweight x 1', 'Invalid command: osd id x not integer'],
    ['osd pool create', 'Invalid command: missing required parameter pool(<poolname>)'],
    ['osd set foo', 'Invalid command: foo not in noout|noup|pause'],
    ['pg map x', 'Invalid command: pgid has no .'],
    ['osd tree now', "Invalid command: unused arguments: ['now']"],
    ['osd pool create p --nope', "Invalid command: Unexpected argument '--nope'"],
    ['osd', 'no valid command found; 7 closest matches:'],
    ['osd hidden', 'no valid command found; 7 closest matches:'],
  ])('%s', (line, complaint) => {
    expect(send(line).split('\n')[0]).toBe(complaint);
  });
});
