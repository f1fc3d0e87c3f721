import { type Bytes, fromUtf8, rawFromText, utf8 } from '@spirula/encoding';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { S3Error } from './s3-error.ts';
import { errorDocument, s3Error } from './s3-errors.ts';
import { childrenNamed, childText, MAX_DOCUMENT_BYTES, readShortBody, readXml } from './xml-reader.ts';
import { element, s3Root, xmlDocument } from './xml-writer.ts';

function read(xml: string, root = 'a') {
  return readXml(utf8(xml), root);
}

function refused(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof S3Error) return error.code;
    throw error;
  }
  return 'accepted';
}

describe('writing', () => {
  test('a document is one line, its root in the namespace of S3', () => {
    const xml = xmlDocument(s3Root('R', [element('K', 'v'), undefined, element('N', 3), element('B', true)]));

    expect(fromUtf8(xml)).toBe(
      '<?xml version="1.0" encoding="UTF-8"?><R xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><K>v</K><N>3</N><B>true</B></R>',
    );
  });

  test('markup and control characters are escaped as Ceph does; tab, line feed and bytes above ASCII are not', () => {
    expect(element('K', `<&>'"\r\t\n\x01\x7f\xc3\xa9`).xml).toBe(
      '<K>&lt;&amp;&gt;&apos;&quot;&#x0d;\t\n&#x01;&#x7f;\xc3\xa9</K>',
    );
  });

  test("an error's document has radosgw's elements in radosgw's order", () => {
    const document = errorDocument(s3Error('NoSuchKey', 'gone'), {
      bucket: 'b&b',
      requestId: 'tx1',
      hostId: '1-default-default',
    });

    expect(fromUtf8(document)).toBe(
      '<?xml version="1.0" encoding="UTF-8"?><Error><Code>NoSuchKey</Code><Message>gone</Message><BucketName>b&amp;b</BucketName>' +
        '<RequestId>tx1</RequestId><HostId>1-default-default</HostId></Error>',
    );
  });
});

describe('reading', () => {
  test('elements, attributes, texts, CDATA, comments and references', () => {
    const root = read(
      '<?xml version="1.0"?>\n<a xmlns="u" xsi:t="1&amp;2"> x<!-- <b/> --><b>&lt;&#233;&#xe9;é</b><![CDATA[<z>&amp;]]>\r\n<b/></a>\n',
    );

    expect([...root.attributes]).toEqual([
      ['xmlns', 'u'],
      ['xsi:t', '1&2'],
    ]);
    expect(root.text).toBe(' x<z>&amp;\n');
    expect(childText(root, 'b')).toBe(rawFromText('<ééé'));
    expect(childrenNamed(root, 'b')).toHaveLength(2);
    expect(childText(root, 'c')).toBeUndefined();
  });

  test.each([
    '',
    'x',
    '<a>',
    '<a/><a/>',
    '<b/>',
    '<a></b>',
    '<a>&bogus;</a>',
    '<a>&amp</a>',
    '<a>&#0;</a>',
    '<a>&#xd800;</a>',
    '<a>&#x110000;</a>',
    '<a b="1" b="2"/>',
    '<a>\x01</a>',
    '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
    '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
    `${'<a>'.repeat(50)}${'</a>'.repeat(50)}`,
    '<a><__proto__/></a>',
  ])('%j is malformed', (xml) => {
    expect(refused(() => read(xml))).toBe('MalformedXML');
  });

  test('bytes that are not UTF-8, and more than a document may have, are malformed', () => {
    expect(refused(() => readXml(new Uint8Array([0x3c, 0x61, 0x3e, 0xff, 0x3c, 0x2f, 0x61, 0x3e]), 'a'))).toBe(
      'MalformedXML',
    );
    expect(refused(() => readXml(new Uint8Array(MAX_DOCUMENT_BYTES + 1), 'a'))).toBe('MalformedXML');
  });

  test('what was written is read again, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        fc.pre(!/[\0\r\ufffe\uffff]/.test(text));
        const raw = rawFromText(text);

        expect(childText(readXml(xmlDocument(element('a', [element('k', raw)])), 'a'), 'k')).toBe(raw);
      }),
    );
  });

  const fragments = fc.constantFrom(
    '<a>',
    '</a>',
    '<b>',
    '</b>',
    '<a',
    '/>',
    '<!--',
    '-->',
    '<![CDATA[',
    ']]>',
    '&amp;',
    '&#',
  );
  const soup = fc.array(
    fc.oneof(fragments, fc.constantFrom('<!DOCTYPE', '<?', '?>', 'x="', '"', "'", ' ', 'é', '\x02')),
  );

  test('anything is read or refused as malformed', () => {
    fc.assert(
      fc.property(soup, fc.boolean(), (parts, wrapped) => {
        const xml = wrapped ? `<a>${parts.join('')}</a>` : parts.join('');
        expect(['accepted', 'MalformedXML']).toContain(refused(() => read(xml)));
      }),
      { numRuns: 500 },
    );
  });

  test.each(['<a ', '<a b="', '&amp;', '<a>', '<!--', '<![CDATA[', '<', '&', '<a/>', '<?', 'x="y" '])(
    'a document full of %j is answered in time',
    (part) => {
      const document = utf8(`<a>${part.repeat(Math.floor((MAX_DOCUMENT_BYTES - 7) / part.length))}</a>`);

      expect(['accepted', 'MalformedXML']).toContain(refused(() => readXml(document, 'a')));
    },
  );

  test('a body is collected up to its limit', async () => {
    async function* body(): AsyncGenerator<Bytes> {
      yield utf8('abc');
      yield utf8('def');
    }

    expect(await readShortBody(body(), 6)).toEqual(utf8('abcdef'));
    await expect(readShortBody(body(), 5)).rejects.toMatchObject({ code: 'EntityTooLarge' });
  });
});
