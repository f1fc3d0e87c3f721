import { readFileSync } from 'node:fs';
import { fromHex, toHex } from '@spirula/encoding';
import { expect, test } from 'vitest';
import { decoded, encoded } from './encoded.ts';
import { decodeNameId, decodeZoneParams, defaultZone, encodeNameId, encodeZoneParams } from './zone.ts';
import { decodeZonegroup, defaultZonegroup, encodeZonegroup } from './zonegroup.ts';

const { zone, zonegroup, zoneWithClasses, zonegroupWithClasses } = JSON.parse(
  readFileSync(new URL('./recorded.json', import.meta.url), 'utf8'),
);
const id = 'b30b13c2-e97b-49a4-b8b2-dcff365275b3';
const zoneId = 'a299feab-f646-48de-ab31-b815d3f26b8c';

test('the default zone and zonegroup are those that radosgw makes', () => {
  expect(toHex(encoded(encodeZoneParams, defaultZone(zoneId)))).toBe(zone.info);
  expect(toHex(encoded(encodeZonegroup, defaultZonegroup({ id, zoneId })))).toBe(zonegroup.info);
  expect(toHex(encoded(encodeNameId, zoneId))).toBe(zone.names);
});

test('those that radosgw made are read', () => {
  expect(decoded(decodeNameId, fromHex(zonegroup.names))).toBe(id);
  expect(decoded(decodeZoneParams, fromHex(zone.info))).toEqual(defaultZone(zoneId));
  const target = { name: 'default-placement', tags: new Set(), storageClasses: new Set(['STANDARD']) };
  expect(decoded(decodeZonegroup, fromHex(zonegroup.info))).toEqual({
    ...defaultZonegroup({ id, zoneId }),
    placementTargets: new Map([['default-placement', target]]),
  });
});

test('storage classes, and who may use a placement target, are where they belong', () => {
  const made = decoded(decodeZoneParams, fromHex(zoneWithClasses.info)).placements.get('default-placement')!;
  const { placementTargets, hostNames, endpoints } = decoded(decodeZonegroup, fromHex(zonegroupWithClasses.info));

  expect([...made.storageClasses]).toEqual([
    ['COLD', { dataPool: 'cold.data', compression: 'zlib' }],
    ['SAME', { dataPool: 'default.rgw.buckets.data', compression: '' }],
    ['STANDARD', { dataPool: 'default.rgw.buckets.data', compression: '' }],
    ['WARM', { dataPool: 'warm.data', compression: '' }],
  ]);
  expect([...placementTargets.values()]).toEqual([
    { name: 'default-placement', tags: new Set(), storageClasses: new Set(['COLD', 'SAME', 'STANDARD', 'WARM']) },
    { name: 'p2', tags: new Set(['x']), storageClasses: new Set(['STANDARD']) },
  ]);
  expect([hostNames, endpoints]).toEqual([['s3.test', '*.x'], ['http://a:80']]);
});
