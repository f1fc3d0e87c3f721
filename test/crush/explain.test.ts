import {
  BucketAlg,
  CRUSH_ITEM_NONE,
  CrushMapper,
  decodeCrushMap,
  type ExplainedDraw,
  explainMapping,
  RuleOp,
} from '@spirula/crush';
import { expect, test } from 'vitest';
import { goldenBytes, goldenNames } from '../golden-data.ts';

const IN = 0x10000;
const REPLICAS = 5;
const names = goldenNames('crush/named').filter((name) => name !== 'INDEX.json' && !name.startsWith('big-'));

/** Of what is compared in a draw, who wins; undefined: nothing is said of it. */
function winner({ items }: ExplainedDraw, alg: number): number | undefined {
  if (alg === BucketAlg.list) {
    const found = items.findLast(({ straw, weight }) => straw! < weight);
    return (found ?? items[0]!).item;
  }
  if (alg !== BucketAlg.straw && alg !== BucketAlg.straw2) return undefined;
  const straws = items.map(({ straw }) => straw ?? Number.NEGATIVE_INFINITY);
  return items[straws.indexOf(straws.reduce((a, b) => Math.max(a, b)))]!.item;
}

test.each(names)('what is explained of the map %s is what is done', (name) => {
  const file = goldenNames(`crush/named/${name}`).find((each) => each.startsWith('map.bin'))!;
  const map = decodeCrushMap(goldenBytes(`crush/named/${name}/${file}`));
  const reweights = Uint32Array.from({ length: map.maxDevices }, (_, osd) => (osd % 7 === 3 ? IN / 2 : IN));
  const mapper = new CrushMapper(map, 0);
  for (const [rule, defined] of map.rules.entries()) {
    if (!defined) continue;
    for (let x = 0; x < 20; x++) {
      const { steps, result } = explainMapping(map, rule, x, REPLICAS, reweights, 0);

      expect(result).toEqual(mapper.doRule(rule, x, REPLICAS, reweights));
      expect(steps.map(({ step }) => step)).toEqual(defined.steps);
      const tries = steps.flatMap((step) => step.tries);
      const wrong = tries.filter(({ draws, accepted, rejected, from }) => {
        const goesOn = draws.every(({ bucket }, i) => bucket === (i === 0 ? from : draws[i - 1]!.item));
        const isWon = draws.every((draw) => {
          const won = draw.isFallback ? undefined : winner(draw, map.buckets[-1 - draw.bucket]!.alg);
          return won === undefined || won === draw.item;
        });
        const isLast = !accepted || accepted.item === draws.at(-1)!.item;
        return !goesOn || !isWon || !isLast || (accepted && rejected);
      });
      expect(wrong).toEqual([]);
      const taken = defined.steps.map(({ op, arg1 }) => (op === RuleOp.take ? arg1 : CRUSH_ITEM_NONE));
      const chosen = new Set([...taken, ...tries.map((each) => each.accepted?.item)]);
      expect(result.filter((item) => !chosen.has(item))).toEqual([]);
    }
  }
});
