/** What a command line names: `[POOL/[NAMESPACE/]]IMAGE[@SNAPSHOT]`, or the options of each (tools/rbd/Utils.cc, extract_spec). */
import { Refusal } from './refusal.ts';

export interface ImageSpec {
  readonly pool: string;
  readonly namespace: string;
  readonly image: string;
  /** '' where there is none. */
  readonly snapshot: string;
}

/** rbd_default_pool */
const DEFAULT_POOL = 'rbd';
const EINVAL = 22;

/** @param word '' where the image is named by an option, or not at all: then it is refused */
export function parseImageSpec(word: string, options: ReadonlyMap<string, string>): ImageSpec {
  const named = word !== '' ? word : (options.get('image') ?? '');
  const match = /^(?:([^/]+)\/(?:([^/@]+)\/)?)?([^@]+)(?:@([^/@]+))?$/.exec(named);
  if (named !== '' && !match) throw new Refusal(`rbd: invalid spec '${named}'`, EINVAL);
  if (!match) throw new Refusal('rbd: image name was not specified', EINVAL);
  const [, pool, namespace, image = '', snapshot] = match;
  return {
    pool: pool ?? options.get('pool') ?? DEFAULT_POOL,
    namespace: namespace ?? options.get('namespace') ?? '',
    image,
    snapshot: snapshot ?? options.get('snap') ?? '',
  };
}

/** As `parseImageSpec`, where a pool alone is meant: `POOL[/NAMESPACE]`. */
export function parsePoolSpec(
  word: string,
  options: ReadonlyMap<string, string>,
): Pick<ImageSpec, 'pool' | 'namespace'> {
  const match = /^([^/@]+)(?:\/([^/@]+))?$/.exec(word);
  if (word !== '' && !match) throw new Refusal(`rbd: invalid spec '${word}'`, EINVAL);
  return {
    pool: match?.[1] ?? options.get('pool') ?? DEFAULT_POOL,
    namespace: match?.[2] ?? options.get('namespace') ?? '',
  };
}
