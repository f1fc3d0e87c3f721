import { describe, expect, test } from 'vitest';
import { encodeAcl } from '../formats/acl.ts';
import { encoded } from '../formats/encoded.ts';
import { parseUserId } from '../formats/user-id.ts';
import { newUserInfo } from '../formats/user-info.ts';
import { Attr } from '../store/object-attrs.ts';
import { allowsInAccount, formatAccountAcl, parseAccountAcl } from './account-acl.ts';
import type { SwiftContext } from './swift-context.ts';

const userOf = (id: string) => newUserInfo({ id: parseUserId(id), displayName: id });
const ADA = userOf('ada');

describe('X-Account-Access-Control', () => {
  test.each([
    ['{}', undefined],
    ['[]', undefined],
    ['null', undefined],
    ['{"read-only":"bob"}', undefined],
    ['{"admin":["ada"]}', undefined],
    [
      '{"admin":["d"],"read-only":["a",".r:*"],"read-write":["acme$b"]}',
      '{"read-only":["a",".r:*"],"read-write":["acme$b"],"admin":["d"]}',
    ],
  ])('%s is shown as %s', (given, shown) => {
    expect(formatAccountAcl(parseAccountAcl(given, ADA))).toBe(shown);
  });

  test.each(['', '{', 'bob'])('%j is refused', (given) => {
    expect(() => parseAccountAcl(given, ADA)).toThrow('no JSON');
  });

  test.each([
    ['{}', 'bob', [false, false, false]],
    ['{"read-only":["bob"]}', 'bob', [true, false, false]],
    ['{"read-only":["bob"]}', 'acme$bob', [false, false, false]],
    ['{"read-write":["acme$bob"]}', 'acme$bob', [true, true, false]],
    ['{"admin":["bob"]}', 'bob', [true, true, true]],
    ['{"read-only":[".r:*"]}', undefined, [true, false, false]],
    ['{"read-write":["project:bob"]}', 'p', [true, true, false]],
  ])('%s lets %s read, write, administer: %s', async (given, who, expected) => {
    const attrs = new Map([[Attr.acl, encoded(encodeAcl, parseAccountAcl(given, ADA))]]);
    const store = { users: { load: async () => ({ info: ADA, attrs }) } } as unknown as SwiftContext['store'];
    const context = { store, user: who === undefined ? undefined : userOf(who), aclNames: ['project:bob'] };

    const found = await Promise.all(
      (['read', 'write', 'admin'] as const).map((level) => allowsInAccount(context, ADA.id, level)),
    );
    expect(found).toEqual(expected);
  });
});
