import { expect, test } from 'vitest';
import { type Document, format } from './format.ts';

const watchers: Document = {
  json: [
    { namespace: '', object: 'a<&"\'>b', cookie: 94_876_225_401_056_123n, entity_addr_t: { type: 'any', nonce: 5 } },
  ],
  root: 'watchers',
  items: { '': 'watch' },
};

// The shape of what an OSD 16.2.15 answers to dump_watchers.
test('XML names the section and what stands in its lists', () => {
  expect(format([watchers], 'xml')).toBe(
    '<watchers><watch><namespace></namespace><object>a&lt;&amp;&quot;&apos;&gt;b</object>' +
      '<cookie>94876225401056123</cookie><entity_addr_t><type>any</type><nonce>5</nonce></entity_addr_t></watch></watchers>',
  );
});

test('pretty XML stands a column further in for each level', () => {
  expect(format([{ json: { 'num to keep': 20, Ops: [] }, root: 'OpHistory_slow_ops' }], 'xml-pretty')).toBe(
    '<OpHistory_slow_ops>\n <num_to_keep>20</num_to_keep>\n <Ops>\n </Ops>\n</OpHistory_slow_ops>\n',
  );
});

test('JSON is compact or pretty; several sections follow one another; what is unknown is pretty JSON', () => {
  const two = [
    { json: [1], root: 'a' },
    { json: [], root: 'b' },
  ];

  expect(format(two, 'json')).toBe('[1][]');
  expect(format(two, 'json-pretty')).toBe('[\n    1\n]\n[]\n');
  expect(format(two, 'yaml')).toBe(format(two, 'json-pretty'));
  expect(format(two, 'xml')).toBe('<a><entry>1</entry></a><b></b>');
});

test('numbers of 64 bits are whole in JSON, too', () => {
  expect(format([watchers], 'json')).toContain('"cookie":94876225401056123,');
});
