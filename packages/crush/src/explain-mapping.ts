/** A mapping with all that was tried on the way: why an input lies where it lies. */
import type { CrushMap, CrushRuleStep } from './crush-map.ts';
import { type DrawnItem, explainDraw } from './explain-draw.ts';
import { CrushMapper, type MappingEvent, type Rejection, replacementsOf } from './mapper.ts';

export interface ExplainedDraw {
  readonly bucket: number;
  readonly r: number;
  readonly isFallback: boolean;
  /** The one that was drawn. */
  readonly item: number;
  readonly items: readonly DrawnItem[];
}

/** One way down the hierarchy. */
export interface ExplainedTry {
  /** Where it begins. */
  readonly from: number;
  readonly rank: number;
  /** How often it was tried for this rank before. */
  readonly failures: number;
  /** Whether a device is looked for below something chosen. Such tries come before the end of the one that they are for. */
  readonly isBelow: boolean;
  readonly draws: readonly ExplainedDraw[];
  readonly rejected: { readonly item: number | undefined; readonly why: Rejection } | undefined;
  readonly accepted: { readonly item: number; readonly position: number } | undefined;
}

export interface ExplainedStep {
  readonly step: CrushRuleStep;
  /** In the order in which they began. */
  readonly tries: readonly ExplainedTry[];
}

export interface ExplainedMapping {
  readonly steps: readonly ExplainedStep[];
  readonly result: readonly number[];
}

type Open = { -readonly [K in keyof ExplainedTry]: ExplainedTry[K] } & { draws: ExplainedDraw[] };

/** As `CrushMapper.doRule`. @param chooseArgs as of `CrushMapper` */
export function explainMapping(
  map: CrushMap,
  ruleNo: number,
  x: number,
  most: number,
  reweights: ArrayLike<number>,
  chooseArgs?: number,
): ExplainedMapping {
  const mapper = new CrushMapper(map, chooseArgs);
  const args = replacementsOf(map, chooseArgs);
  const steps: { step: CrushRuleStep; tries: Open[] }[] = [];
  /** The innermost last. */
  const open: Open[] = [];
  const rule = map.rules[ruleNo];
  mapper.watch = (event: MappingEvent) => {
    switch (event.kind) {
      case 'step':
        open.length = 0;
        steps.push({ step: rule!.steps[event.index]!, tries: [] });
        return;
      case 'try': {
        const { from, rank, failures, depth } = event;
        const isBelow = depth > 0;
        // What was open at this depth or below has ended.
        open.splice(isBelow ? 1 : 0);
        const begun: Open = { from, rank, failures, isBelow, draws: [], rejected: undefined, accepted: undefined };
        open.push(begun);
        steps.at(-1)!.tries.push(begun);
        return;
      }
      case 'draw': {
        const { bucket: id, r, position, isFallback, item } = event;
        const bucket = map.buckets[-1 - id]!;
        const items = explainDraw(bucket, x, r, args?.get(-1 - id), position);
        open.at(-1)!.draws.push({ bucket: id, r, isFallback, item, items });
        return;
      }
      case 'reject':
        open.pop()!.rejected = { item: event.item, why: event.why };
        return;
      case 'accept':
        open.pop()!.accepted = { item: event.item, position: event.position };
    }
  };
  const result = mapper.doRule(ruleNo, x, most, reweights);
  return { steps, result };
}
