import type { RawString } from '@spirula/encoding';
import { s3Error } from '../s3-errors.ts';

/**
 * A count that a request gives, such as `max-keys`: absent or empty is `usual`, more than `most` is `most`.
 *
 * @throws S3Error InvalidArgument for what is no number, or below 0 (rgw_rest's parse_value_and_bound).
 */
export function boundedNumber(
  params: ReadonlyMap<RawString, RawString>,
  name: string,
  { usual, most }: { readonly usual: number; readonly most: number },
): number {
  const text = params.get(name)?.trim() ?? '';
  if (text === '') return usual;
  if (!/^\d{1,18}$/.test(text)) throw s3Error('InvalidArgument', `${name} must be a number from 0`);
  return Math.min(Number(text), most);
}
