/** From an object's name to its PG. */
import { type PgId, type RawString, rawFromText } from '@spirula/encoding';
import { type OsdMap, objectHash, pgOfHash } from '@spirula/maps';

export interface ExplainedObject {
  readonly name: string;
  readonly namespace: string;
  /** The locator key where there is one, else the name. */
  readonly hashed: string;
  readonly hash: number;
  readonly hashName: string;
}

const HASH_NAMES: Readonly<Record<number, string>> = { 1: 'linux', 2: 'rjenkins' };

/** Undefined: the pool is not in the map. */
export function explainObject(
  map: OsdMap,
  poolId: number,
  name: string,
  namespace: string,
  key: string,
): { readonly object: ExplainedObject; readonly pg: PgId } | undefined {
  const pool = map.pools.get(poolId);
  if (pool === undefined) return undefined;
  const [rawName, nspace, rawKey]: RawString[] = [rawFromText(name), rawFromText(namespace), rawFromText(key)];
  const hash = objectHash(pool, { name: rawName!, nspace: nspace!, key: rawKey! });
  const hashName = HASH_NAMES[pool.objectHash] ?? `hash ${pool.objectHash}`;
  return {
    object: { name, namespace, hashed: key === '' ? name : key, hash, hashName },
    pg: pgOfHash(map, poolId, hash)!,
  };
}
