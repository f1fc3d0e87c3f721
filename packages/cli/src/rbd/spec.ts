/**
 * What a line names: `[POOL/[NAMESPACE/]]IMAGE[@SNAPSHOT]`, or the options of each (tools/rbd/Utils.cc, extract_spec,
 * get_pool_image_snapshot_names, get_pool_and_namespace_names).
 */
import { Refusal } from './refusal.ts';
import type { Words } from './words.ts';

export interface PoolSpec {
  readonly pool: string;
  readonly namespace: string;
}

export interface ImageSpec extends PoolSpec {
  /** '' where it need not be named, and is not. */
  readonly image: string;
  /** Given instead of the name; '' where it is not. */
  readonly imageId: string;
  /** '' where there is none. */
  readonly snapshot: string;
}

export interface SpecRules {
  /** Left out: permitted. */
  readonly snapshot?: 'none' | 'permitted' | 'required';
  /** Which names may not hold `/` and `@`: of what is made, all, or that of the snapshot. Left out: the pattern takes what it can. */
  readonly checked?: 'all' | 'snapshot';
  readonly isOptional?: boolean;
  /** `--image-id` may stand for the name. */
  readonly orId?: boolean;
}

export interface SpecLine {
  readonly options: ReadonlyMap<string, string>;
  readonly args: Words;
}

/** rbd_default_pool */
const DEFAULT_POOL = 'rbd';
const EINVAL = 22;

/** Which options say the same as the word, and what complaints call it. */
interface SpecKeys {
  readonly pool: string;
  readonly namespace: string;
  readonly name: string;
  readonly snapshot: string;
  readonly noun: string;
  /** `destination `, or ''. */
  readonly prefix: string;
  /** The option of the name is a name, and nothing else. */
  readonly isBare?: boolean;
}

const SOURCE: SpecKeys = {
  pool: 'pool',
  namespace: 'namespace',
  name: 'image',
  snapshot: 'snap',
  noun: 'image',
  prefix: '',
};
const DESTINATION: SpecKeys = {
  pool: 'dest_pool',
  namespace: 'dest_namespace',
  name: 'dest',
  snapshot: 'dest_snap',
  noun: 'image',
  prefix: 'destination ',
};

const GROUP: SpecKeys = { ...SOURCE, name: 'group', noun: 'group', isBare: true };
const DESTINATION_GROUP: SpecKeys = { ...DESTINATION, name: 'dest_group', noun: 'group', isBare: true };
/** Of lines that name a group and an image. */
const GROUP_OF_TWO: SpecKeys = { ...GROUP, pool: 'group_pool', namespace: 'group_namespace' };
const IMAGE_OF_TWO: SpecKeys = { ...SOURCE, pool: 'image_pool', namespace: 'image_namespace' };

const NOWHERE: PoolSpec = { pool: '', namespace: '' };

/** The next word, unless `--image` says it. @throws Refusal */
export function takeImageSpec(line: SpecLine, rules: SpecRules = {}): ImageSpec {
  return takeSpec(line, SOURCE, rules, NOWHERE);
}

/** The next word, unless `--dest` says it. @param defaults where it is, unless the line says that. @throws Refusal */
export function takeDestinationSpec(line: SpecLine, rules: SpecRules, defaults: PoolSpec = NOWHERE): ImageSpec {
  return takeSpec(line, DESTINATION, rules, defaults);
}

export interface GroupSpec extends PoolSpec {
  readonly group: string;
  /** '' where there is none. */
  readonly snapshot: string;
}

/** The next word, `[POOL/[NAMESPACE/]]GROUP[@SNAPSHOT]`, unless `--group` says it. @throws Refusal */
export function takeGroupSpec(line: SpecLine, snapshot: 'none' | 'required' = 'none'): GroupSpec {
  return asGroup(takeSpec(line, GROUP, { snapshot, checked: 'all' }, NOWHERE));
}

/** The next word, unless `--dest-group` says it. @throws Refusal */
export function takeDestinationGroup(line: SpecLine, defaults: PoolSpec): GroupSpec {
  return asGroup(takeSpec(line, DESTINATION_GROUP, { snapshot: 'none', checked: 'all' }, defaults));
}

/** Two words, a group and an image, unless options say the same. @throws Refusal */
export function takeGroupAndImage(line: SpecLine): { readonly group: GroupSpec; readonly image: ImageSpec } {
  const defaults = { pool: line.options.get('pool') ?? '', namespace: '' };
  const rules = { snapshot: 'none', checked: 'all' } as const;
  const group = asGroup(takeSpec(line, GROUP_OF_TWO, rules, defaults));
  return { group, image: takeSpec(line, IMAGE_OF_TWO, { ...rules, orId: true }, defaults) };
}

function asGroup({ pool, namespace, image: group, snapshot }: ImageSpec): GroupSpec {
  return { pool, namespace, group, snapshot };
}

const PATTERNS = {
  all: /^(?:([^/@]+)\/(?:([^/@]+)\/)?)?([^/@]+)(?:@([^/@]+))?$/s,
  snapshot: /^(?:([^/]+)\/(?:([^/@]+)\/)?)?([^@]+)(?:@([^/@]+))?$/s,
  none: /^(?:([^/]+)\/(?:([^/@]+)\/)?)?([^@]+)(?:@(.+))?$/s,
} as const;
const PLAIN = /^[^@/]*$/s;

interface FoundNames {
  pool: string;
  namespace: string;
  image: string;
  snapshot: string;
}

function takeSpec({ options, args }: SpecLine, keys: SpecKeys, rules: SpecRules, defaults: PoolSpec): ImageSpec {
  const found: FoundNames = {
    pool: options.get(keys.pool) ?? defaults.pool,
    namespace: options.get(keys.namespace) ?? defaults.namespace,
    image: options.get(keys.name) ?? '',
    snapshot: options.get(keys.snapshot) ?? '',
  };
  const imageId = (rules.orId && options.get('image_id')) || '';
  const word = found.image === '' ? args.take() : keys.isBare ? '' : found.image;
  if (word !== '') splitSpec(word, rules, found);
  if (found.image === '' && imageId === '' && !rules.isOptional) {
    throw new Refusal(`rbd: ${keys.prefix}${keys.noun} name was not specified`, EINVAL);
  }
  if (rules.checked === 'all' && !PLAIN.test(found.pool)) {
    throw new Refusal(`rbd: invalid pool name '${found.pool}'`, EINVAL);
  }
  if (!PLAIN.test(found.namespace)) throw new Refusal(`rbd: invalid namespace name '${found.namespace}'`, EINVAL);
  checkSnapshot(found.snapshot, keys.prefix, rules);
  if (found.image !== '' && imageId !== '') {
    throw new Refusal('rbd: trying to access image using both name and id. ', EINVAL);
  }
  return { ...found, imageId, pool: found.pool === '' ? DEFAULT_POOL : found.pool };
}

function splitSpec(word: string, { checked }: SpecRules, found: FoundNames): void {
  const match = PATTERNS[checked ?? 'none'].exec(word);
  if (!match) throw new Refusal(`rbd: invalid spec '${word}'`, EINVAL);
  const [, pool, namespace, image = '', snapshot] = match;
  found.pool = pool ?? found.pool;
  found.namespace = namespace ?? found.namespace;
  found.image = image;
  found.snapshot = snapshot ?? found.snapshot;
}

function checkSnapshot(name: string, prefix: string, { snapshot, checked }: SpecRules): void {
  const complain = (what: string) => new Refusal(`rbd: ${what}`, EINVAL);
  if (snapshot === 'none' && name !== '') {
    throw complain(`${prefix}snapshot name specified for a command that doesn't use it`);
  }
  if (snapshot === 'required' && name === '') throw complain(`${prefix}snapshot name was not specified`);
  if (checked === 'snapshot' && !PLAIN.test(name)) throw complain(`invalid snap name '${name}'`);
}

/** The next word, `[POOL/[NAMESPACE/]]ID`, unless `--image-id` says it. @throws Refusal */
export function takeImageId({ options, args }: SpecLine): PoolSpec & { readonly imageId: string } {
  const found: FoundNames = {
    pool: options.get('pool') ?? '',
    namespace: options.get('namespace') ?? '',
    image: options.get('image_id') ?? '',
    snapshot: '',
  };
  const word = found.image === '' ? args.take() : '';
  if (word !== '') splitSpec(word, { checked: 'all' }, found);
  if (found.snapshot !== '')
    throw new Refusal("rbd: snapshot name specified for a command that doesn't use it", EINVAL);
  if (found.image === '') throw new Refusal('rbd: image id was not specified', EINVAL);
  const { pool, namespace, image: imageId } = found;
  return { pool: pool === '' ? DEFAULT_POOL : pool, namespace, imageId };
}

/** The next word, unless `--pool` says it: a pool as a whole. @throws Refusal */
export function takePoolName({ options, args }: SpecLine): string {
  const pool = options.get('pool') ?? args.take();
  if (!PLAIN.test(pool)) throw new Refusal(`rbd: invalid pool '${pool}'`, EINVAL);
  return pool === '' ? DEFAULT_POOL : pool;
}

/** The next word, `POOL[/NAMESPACE]`, unless `--pool` says it. @throws Refusal */
export function takePoolSpec(line: SpecLine): PoolSpec {
  const { pool, namespace } = readPoolSpec(line);
  if (!PLAIN.test(pool)) throw new Refusal(`rbd: invalid pool '${pool}'`, EINVAL);
  return { pool: pool === '' ? DEFAULT_POOL : pool, namespace };
}

/** As `takePoolSpec`; neither need be named, and what the pool may be called is left to who is asked. @throws Refusal */
export function takeOptionalPoolSpec(line: SpecLine): PoolSpec {
  const { pool, namespace } = readPoolSpec(line);
  return { pool: pool === '' && namespace !== '' ? DEFAULT_POOL : pool, namespace };
}

function readPoolSpec({ options, args }: SpecLine): PoolSpec {
  let pool = options.get('pool');
  let namespace = options.get('namespace') ?? '';
  if (pool === undefined) {
    pool = args.take();
    const slash = pool.lastIndexOf('/');
    if (slash >= 0) {
      namespace = pool.slice(slash + 1);
      pool = pool.slice(0, slash);
    }
  }
  if (!PLAIN.test(namespace)) throw new Refusal(`rbd: invalid namespace '${namespace}'`, EINVAL);
  return { pool, namespace };
}
