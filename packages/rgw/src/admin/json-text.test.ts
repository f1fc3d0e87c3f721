import { bytesFromRaw, rawFromText } from '@spirula/encoding';
import { expect, test } from 'vitest';
import { biEntryJson, parseBiEntry } from './index-json.ts';
import { parseJsonBytes } from './json-reader.ts';
import { jsonText, Members, RawName } from './json-text.ts';

test('bytes that are no text come out as they are, and control characters by number', () => {
  const text = jsonText({
    idx: new RawName('\x801001_\xc3\xbc'),
    a: 'ü\r\n\x7f"',
    list: [],
    none: {},
    gone: undefined,
    big: 2n ** 60n,
  });

  const lines = [
    '"idx": "\x801001_\xc3\xbc"',
    `"a": "${rawFromText('ü')}\\u000d\\n\\u007f\\""`,
    '"list": []',
    '"none": {}',
  ];
  expect(text).toBe(`{\n${[...lines, '"big": 1152921504606846976'].map((line) => `    ${line}`).join(',\n')}\n}`);
});

test('members may have one name twice', () => {
  expect(
    jsonText(
      new Members([
        ['object', 'a'],
        ['object', [1]],
      ]),
    ),
  ).toBe('{\n    "object": "a",\n    "object": [\n        1\n    ]\n}');
});

test('an entry of an index that is printed and read again is the same', () => {
  const entry = {
    name: 'small',
    instance: '',
    ver: { pool: -1, epoch: 3 },
    locator: '',
    exists: 'true',
    meta: {
      category: 1,
      size: 5,
      mtime: '2026-12-01T02:11:50.727586Z',
      etag: 'e',
      storage_class: '',
      owner: 'ada',
      owner_display_name: 'Ada',
      content_type: 'text/plain',
      accounted_size: 5,
      user_data: '',
      appendable: 'false',
    },
    tag: 'tag',
    flags: 1,
    pending_map: [{ key: 't', val: { state: 0, timestamp: '2026-12-01T02:11:50.727586Z', op: 1 } }],
    versioned_epoch: 4,
  };
  const olh = {
    key: { name: 'v', instance: 'i' },
    delete_marker: 'false',
    epoch: 4,
    pending_log: [
      {
        key: 3,
        val: [{ epoch: 3, op: 'link_olh', op_tag: 'x', key: { name: 'v', instance: 'i' }, delete_marker: 'true' }],
      },
    ],
    tag: 't',
    exists: 'true',
    pending_removal: 'false',
  };
  for (const [type, idx, each] of [
    ['plain', 'small', entry],
    ['olh', '\x801001_v', olh],
  ] as const) {
    const printed = jsonText({ type, idx: new RawName(idx), entry: each });
    const read = parseBiEntry(parseJsonBytes(bytesFromRaw(printed)));
    expect(jsonText(biEntryJson(read))).toBe(printed);
  }
});
