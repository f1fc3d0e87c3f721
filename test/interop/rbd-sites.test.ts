/** Two clusters, ours and a real one, come to know each other by a token that Debian's `rbd` or ours makes and imports. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startPool } from './rbd-bookkeeping/pool-state.ts';
import { masked, runRbd, type Tool } from './rbd-bookkeeping/run-rbd.ts';
import { type ImageCluster, RBD_TOOLS, startOurs, startTheirs } from './rbd-clusters.ts';
import { missingTools } from './real-ceph.ts';
import type { ToolResult } from './run-tool.ts';

const missing = missingTools([...RBD_TOOLS, 'python3']);
const REAL_PORT_BASE = 23_600;
const FIRST_POOL = 10;
const TIMEOUT_MS = 90_000;

type Outcome = ToolResult & { readonly line: string };

describe.skipIf(missing.length > 0)(`sites that mirror each other (skipped without: ${missing.join(' ')})`, () => {
  const dir = mkdtempSync(join(tmpdir(), 'rbd-sites-'));
  let real: ImageCluster;
  let own: ImageCluster;
  let pools = 0;

  beforeAll(async () => {
    [real, own] = await Promise.all([startTheirs(REAL_PORT_BASE)(), startOurs()()]);
  }, 120_000);
  afterAll(async () => {
    await Promise.all([real?.stop(), own?.stop()]);
    rmSync(dir, { recursive: true, force: true });
  }, 60_000);

  test(
    'a token of ours is imported into a real cluster',
    async () => {
      const expected = await introduce(own, real, 'theirs', 'theirs');
      expect(await introduce(own, real, 'ours', 'ours')).toEqual(expected);
      expect(await introduce(own, real, 'theirs', 'ours')).toEqual(expected);
    },
    TIMEOUT_MS,
  );

  test(
    'a token of a real cluster is imported into ours',
    async () => {
      const expected = await introduce(real, own, 'theirs', 'theirs');
      expect(await introduce(real, own, 'ours', 'ours')).toEqual(expected);
      expect(await introduce(real, own, 'ours', 'theirs')).toEqual(expected);
    },
    TIMEOUT_MS,
  );

  /** What all lines come to, in pools of the same name that both clusters have. */
  async function introduce(
    from: ImageCluster,
    to: ImageCluster,
    maker: Tool,
    importer: Tool,
  ): Promise<readonly Outcome[]> {
    const pool = `sites${pools}`;
    const number = FIRST_POOL + 2 * pools++;
    await Promise.all([from, to].map((cluster) => startPool(cluster.conf, pool, number)));
    const outcomes: Outcome[] = [];
    const tell = async (cluster: ImageCluster, tool: Tool, line: string): Promise<ToolResult> => {
      const result = await runRbd(cluster, tool, line.split(' '));
      const { status, stdout, stderr } = masked(result);
      const common = (text: string) => text.replaceAll(pool, 'POOL').replaceAll(dir, 'DIR');
      outcomes.push({ line: common(line), status, stdout: common(stdout), stderr: common(stderr) });
      return result;
    };
    await tell(from, maker, `mirror pool enable ${pool} image --site-name ${from === real ? 'theirs' : 'ours'}`);
    const { stdout } = await tell(from, maker, `mirror pool peer bootstrap create ${pool}`);
    const token = join(dir, 'token');
    writeFileSync(token, stdout);
    await tell(from, importer, `mirror pool peer bootstrap import ${pool} ${token}`);
    await tell(from, maker, `mirror pool disable ${pool}`);
    const introducing = `mirror pool peer bootstrap import ${pool} ${token} --site-name ${to === real ? 'theirs' : 'ours'}`;
    await tell(to, importer, introducing);
    await tell(from, maker, `mirror pool enable ${pool} image`);
    await tell(to, importer, `${introducing} --direction rx-only`);
    await tell(to, 'theirs', `mirror pool info ${pool} --all`);
    await tell(from, 'theirs', `mirror pool info ${pool} --all`);
    await tell(to, importer, `mirror pool peer bootstrap import --pool ${pool} --token-path ${token}`);
    await tell(to, importer, `mirror pool info ${pool} --all`);
    await tell(from, maker, `mirror pool info ${pool} --all`);
    return outcomes;
  }
});
