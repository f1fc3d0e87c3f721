/** Weight sets of a CRUSH map's source (CrushCompiler::parse_choose_args). */
import type { CrushChooseArg } from '../crush-map.ts';
import type { CrushDraft } from '../draft.ts';
import { fixedWeight } from './compile-bucket.ts';
import type { ChooseArgsStatement, ReplacementBlock } from './syntax.ts';
import { CrushTextError } from './text-error.ts';

export function compileChooseArgs(draft: CrushDraft, { set, replacements }: ChooseArgsStatement): void {
  if (draft.chooseArgs.has(set)) throw new CrushTextError(`${set} duplicated\n`);
  const args = new Map<number, CrushChooseArg>();
  for (const block of replacements) {
    const { bucketId } = block;
    const slot = -1 - bucketId;
    if (slot < 0 || slot >= draft.buckets.length) throw new CrushTextError(`${bucketId} is out of range\n`);
    const bucket = draft.bucket(bucketId);
    if (bucket === undefined) throw new CrushTextError(`${bucketId} does not exist\n`);
    const replaced = replacement(block, bucket.items.length, args.get(slot));
    if (replaced.weightSets.length > 0 || replaced.ids.length > 0) args.set(slot, replaced);
  }
  draft.chooseArgs.set(set, args);
}

function replacement(
  { bucketId, weightSet, ids }: ReplacementBlock,
  size: number,
  former: CrushChooseArg | undefined,
): CrushChooseArg {
  for (const weights of weightSet ?? []) requireSize(bucketId, size, weights.length, 'weights');
  if (ids !== undefined) requireSize(bucketId, size, ids.length, 'ids');
  return {
    weightSets: weightSet?.map((weights) => Uint32Array.from(weights, fixedWeight)) ?? former?.weightSets ?? [],
    ids: ids === undefined ? (former?.ids ?? new Int32Array(0)) : Int32Array.from(ids),
  };
}

function requireSize(bucketId: number, size: number, given: number, what: string): void {
  if (given !== size) throw new CrushTextError(`${bucketId} needs exactly ${size} ${what} but got ${given}\n`);
}
