import { expect, test } from 'vitest';
import { parseSignature } from './command-signature.ts';

test('words stay words, arguments say their type, and whether they must be given or may be repeated', () => {
  expect(parseSignature('device light <enable:on|off> <devid> [force:bool] [more:int...]')).toEqual([
    'device',
    'light',
    { name: 'enable', type: 'CephChoices', strings: 'on|off' },
    { name: 'devid', type: 'CephString' },
    { name: 'force', type: 'CephBool', req: 'false' },
    { name: 'more', type: 'CephInt', n: 'N', req: 'false' },
  ]);
});

test('what is no signature is a mistake of the table', () => {
  expect(() => parseSignature('osd <id')).toThrow("'<id' is no argument");
  expect(() => parseSignature('osd <id:number>')).toThrow("'number' is no type");
});
