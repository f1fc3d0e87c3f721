import { decodeOsdMap, explainPg, mapPg, mapPgRaw } from '@spirula/maps';
import { expect, test } from 'vitest';
import { goldenBytes, goldenNames } from '../golden-data.ts';

const maps = goldenNames('osdmap').filter((name) => !name.endsWith('.json') && name !== 'simple-1000');

test.each(maps)('what is explained of PGs of the map %s is where they are', (name) => {
  const file = goldenNames(`osdmap/${name}`).find((each) => each.startsWith('osdmap.bin'))!;
  const map = decodeOsdMap(goldenBytes(`osdmap/${name}/${file}`));
  for (const [pool, { pgNum }] of map.pools) {
    for (let seed = 0; seed < Math.min(pgNum, 16); seed++) {
      const pg = { pool, seed };
      const explained = explainPg(map, pg)!;
      expect(explained).toMatchObject(mapPg(map, pg));
      expect(explained.raw).toEqual(mapPgRaw(map, pg));
    }
    expect(explainPg(map, { pool, seed: pgNum })).toBeUndefined();
  }
});
