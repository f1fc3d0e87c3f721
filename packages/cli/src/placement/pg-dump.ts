/** How much PGs hold, from what `ceph pg dump -f json` prints. */
import { readFileSync } from 'node:fs';
import { type PgId, parsePgId } from '@spirula/encoding';
import { z } from 'zod';
import { UserError } from '../cluster/user-error.ts';

const stats = z.array(z.object({ pgid: z.string(), stat_sum: z.object({ num_bytes: z.number() }) }));
/** Since Nautilus what is dumped is in a part of its own. */
const dump = z.union([
  z.object({ pg_map: z.object({ pg_stats: stats }) }).transform((found) => found.pg_map.pg_stats),
  z.object({ pg_stats: stats }).transform((found) => found.pg_stats),
]);

/** @throws UserError */
export function readPgBytes(path: string): (pg: PgId) => number | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new UserError(`${path} cannot be read: ${(error as Error).message}`);
  }
  const hint = `Get one by \`ceph pg dump -f json > ${path}\`.`;
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    throw new UserError(`${path} is no JSON: ${(error as Error).message}. ${hint}`);
  }
  const parsed = dump.safeParse(document);
  if (!parsed.success) throw new UserError(`${path} says nothing of PGs. ${hint}`);
  const bytes = new Map<string, number>();
  for (const { pgid, stat_sum } of parsed.data) {
    const pg = parsePgId(pgid);
    if (pg) bytes.set(`${pg.pool}.${pg.seed}`, stat_sum.num_bytes);
  }
  return ({ pool, seed }) => bytes.get(`${pool}.${seed}`);
}
