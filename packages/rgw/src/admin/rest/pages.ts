import { type RawString, textFromRaw } from '@spirula/encoding';

const MOST = 1000;

export interface Page {
  readonly keys: readonly string[];
  readonly truncated: boolean;
  /** Where the next page begins; undefined: there is none. */
  readonly marker: string | undefined;
}

/** Names in their order, behind `after`. */
export function pageOf(names: readonly RawString[], after: RawString, most: bigint = BigInt(MOST)): Page {
  const left = [...names].sort().filter((name) => name > after);
  const page = left.slice(0, most < 0n ? 0 : Number(most));
  const truncated = page.length < left.length;
  const last = page.at(-1);
  return {
    keys: page.map(textFromRaw),
    truncated,
    marker: truncated && last !== undefined ? textFromRaw(last) : undefined,
  };
}
