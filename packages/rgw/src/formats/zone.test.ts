import { readFileSync } from 'node:fs';
import { fromHex, toHex } from '@spirula/encoding';
import { expect, test } from 'vitest';
import { decoded, encoded } from './encoded.ts';
import {
  decodeNameId,
  decodeZonegroup,
  decodeZoneParams,
  defaultZone,
  encodeDefaultZonegroup,
  encodeNameId,
  encodeZoneParams,
} from './zone.ts';

const { zone, zonegroup } = JSON.parse(readFileSync(new URL('./recorded.json', import.meta.url), 'utf8'));
const id = 'b30b13c2-e97b-49a4-b8b2-dcff365275b3';
const zoneId = 'a299feab-f646-48de-ab31-b815d3f26b8c';

test('the default zone and zonegroup are those that radosgw makes', () => {
  expect(toHex(encoded(encodeZoneParams, defaultZone(zoneId)))).toBe(zone.info);
  expect(toHex(encoded(encodeDefaultZonegroup, { id, zoneId }))).toBe(zonegroup.info);
  expect(toHex(encoded(encodeNameId, zoneId))).toBe(zone.names);
});

test('those that radosgw made are read', () => {
  expect(decoded(decodeNameId, fromHex(zonegroup.names))).toBe(id);
  expect(decoded(decodeZoneParams, fromHex(zone.info))).toEqual(defaultZone(zoneId));
  expect(decoded(decodeZonegroup, fromHex(zonegroup.info))).toEqual({
    id,
    name: 'default',
    defaultPlacement: 'default-placement',
    indexShards: new Map([[zoneId, 11]]),
  });
});
