/** `spirula explain`: why an object, or a PG, is where it is. */
import { readFileSync, writeFileSync } from 'node:fs';
import { formatPgId, MalformedInput, type PgId, parsePgId } from '@spirula/encoding';
import { decodeOsdMap, explainPg, type OsdMap } from '@spirula/maps';
import { UserError } from '../cluster/user-error.ts';
import { explainDocument } from './explain-document.ts';
import { explainObject } from './explain-object.ts';
import { explainPage } from './explain-page.ts';
import { explainText } from './explain-text.ts';

export interface ExplainOptions {
  readonly osdmap: string;
  readonly pool?: string;
  readonly object?: string;
  readonly namespace: string;
  readonly key: string;
  readonly pg?: string;
  readonly all: boolean;
  readonly format: 'text' | 'json' | 'html';
  readonly out?: string;
}

/** @throws UserError */
export function explain(options: ExplainOptions): void {
  const map = readOsdMap(options.osdmap);
  const { pg, object } = whatIsAsked(map, options);
  const explained = explainPg(map, pg);
  if (!explained) throw new UserError(`There is no PG ${formatPgId(pg)} in ${options.osdmap}.`);
  const text = {
    text: () => explainText(map, explained, object, options.all),
    json: () => `${JSON.stringify(explainDocument(map, explained, object), undefined, 2)}\n`,
    html: () => explainPage(map, explained, object),
  }[options.format]();
  if (options.out === undefined) process.stdout.write(text);
  else writeFileSync(options.out, text);
}

/** @throws UserError */
export function readOsdMap(path: string): OsdMap {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new UserError(`${path} cannot be read: ${(error as Error).message}`);
  }
  try {
    return decodeOsdMap(bytes);
  } catch (error) {
    if (!(error instanceof MalformedInput)) throw error;
    throw new UserError(`${path} is no OSDMap: ${error.message}. Get one by \`ceph osd getmap -o ${path}\`.`);
  }
}

function whatIsAsked(map: OsdMap, { pool, object, namespace, key, pg }: ExplainOptions) {
  if (pg !== undefined) {
    if (object !== undefined) throw new UserError('Give --pg or --object, not both.');
    const found: PgId | undefined = parsePgId(pg);
    if (!found) throw new UserError(`'${pg}' is no PG. One is written POOL.SEED, such as 2.1f.`);
    return { pg: found, object: undefined };
  }
  if (object === undefined || pool === undefined)
    throw new UserError('Say what to explain: --pool NAME --object NAME, or --pg 2.1f.');
  const found = explainObject(map, poolNumbered(map, pool), object, namespace, key);
  if (!found) throw new UserError(`There is no pool ${pool}.`);
  return found;
}

/** By its name, or its number. @throws UserError */
function poolNumbered(map: OsdMap, pool: string): number {
  for (const [id, name] of map.poolNames) if (name === pool) return id;
  if (/^\d+$/.test(pool) && map.pools.has(Number(pool))) return Number(pool);
  const names = [...map.poolNames.values()].slice(0, 10).join(', ');
  throw new UserError(`There is no pool '${pool}' in the map. There are: ${names}.`);
}
