/**
 * Lines for our `rbd` and Debian's, in a real cluster and in ours: the same are sent to either, each topic in a pool of its own; what
 * they print and what objects they leave is the same, and what one has made the other shows.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ImageCluster, RBD_TOOLS, realRbd, startOurs, startTheirs } from '../rbd-clusters.ts';
import { missingTools } from '../real-ceph.ts';
import { runTool, type ToolResult } from '../run-tool.ts';
import { parseLine, sorted } from './lines.ts';
import { poolState, startPool } from './pool-state.ts';
import { masked, runRbd, type Tool } from './run-rbd.ts';
import type { Topic } from './topic.ts';

const missing = missingTools([...RBD_TOOLS, 'python3']);
const TOPIC_TIMEOUT_MS = 120_000;

/** Numbers of pools: a topic makes one or two in each of two runs. */
const FIRST_POOL = 4;
const POOLS_OF_TOPIC = 3;

interface Outcome extends ToolResult {
  readonly line: string;
}

/** @param portBase of the real cluster */
export function describeTopics(title: string, portBase: number, topics: readonly Topic[]): void {
  describe.skipIf(missing.length > 0)(`${title} (skipped without: ${missing.join(' ')})`, () => {
    let real: ImageCluster;
    let own: ImageCluster;

    beforeAll(async () => {
      [real, own] = await Promise.all([startTheirs(portBase)(), startOurs()()]);
    }, 120_000);
    afterAll(async () => {
      await Promise.all([real?.stop(), own?.stop()]);
    }, 60_000);

    test.each(topics.map((topic, i) => [topic.name, topic, i] as const))(
      '%s: lines come to what they come to on Ceph',
      async (_, topic, i) => {
        // Pools that are compared have the same number: images tell of them by it.
        for (const [run, onReal, onOwn] of [
          [0, 'theirs', 'ours'],
          [1, 'ours', 'theirs'],
        ] as const) {
          const place = { pool: `book${i}${run}`, number: FIRST_POOL + POOLS_OF_TOPIC * (2 * i + run) };
          const [expected, found] = await Promise.all([
            runTopic(real, onReal, topic, place),
            runTopic(own, onOwn, topic, place),
          ]);
          expect(found, `${onOwn} on our cluster, ${onReal} on a real one`).toEqual(expected);
        }
      },
      TOPIC_TIMEOUT_MS,
    );

    async function runTopic(
      cluster: ImageCluster,
      tool: Tool,
      { lines }: Topic,
      { pool, number }: { readonly pool: string; readonly number: number },
    ): Promise<readonly Outcome[]> {
      await startPool(cluster.conf, pool, number);
      const outcomes: Outcome[] = [];
      for (const line of lines) {
        const { kind, words } = parseLine(await withIds(cluster, pool, line.replaceAll('POOL', pool)));
        if (kind === 'state') {
          outcomes.push({ line, status: 0, stdout: await poolState(cluster.conf, words[0]!), stderr: '' });
          continue;
        }
        if (kind === 'ceph') {
          const { status } = await runTool('ceph', ['-c', cluster.conf, ...words]);
          outcomes.push({ line, status, stdout: '', stderr: '' });
          continue;
        }
        const outcome = async (by: Tool) => {
          const { stdout, ...rest } = masked(await runRbd(cluster, by, words));
          return { ...rest, stdout: kind === 'set' ? sorted(stdout) : stdout };
        };
        const result = await outcome(kind === 'theirs' ? kind : tool);
        if (kind === 'show' || kind === 'set') {
          const other = await outcome(tool === 'ours' ? 'theirs' : 'ours');
          expect({ ...other, line }, 'what either tool shows of the same pool').toEqual({ ...result, line });
        }
        outcomes.push({ line, ...result });
      }
      return outcomes;
    }

    /**
     * `ID(NAME)` stands for the id of an image in the trash, `LOCKER(NAME,ID)` for the client that has that lock of an image, `PEER(SITE)`
     * for the uuid of a site that mirrors the pool.
     */
    async function withIds(cluster: ImageCluster, pool: string, line: string): Promise<string> {
      const [whole, kind, name, lock] = /(ID|LOCKER|PEER)\(([^,)]+)(?:,(\S+))?\)/.exec(line) ?? [];
      if (whole === undefined) return line;
      if (kind === 'PEER') return line.replace(whole, await peerUuid(cluster, pool, name!));
      const ask = kind === 'ID' ? ['trash', 'ls', '--all', pool] : ['lock', 'ls', `${pool}/${name}`];
      const { stdout } = await realRbd(cluster, ...ask, '--format', 'json');
      const entries = JSON.parse(stdout) as readonly { readonly id: string; name?: string; locker?: string }[];
      const entry = entries.find((each) => (kind === 'ID' ? each.name === name : each.id === lock));
      if (!entry) throw new Error(`${whole} is not known: ${stdout}`);
      return line.replace(whole, (kind === 'ID' ? entry.id : entry.locker) ?? '');
    }

    async function peerUuid(cluster: ImageCluster, pool: string, site: string): Promise<string> {
      const { stdout } = await realRbd(cluster, 'mirror', 'pool', 'info', pool, '--format', 'json');
      const { peers } = JSON.parse(stdout) as {
        readonly peers: readonly { readonly site_name: string; uuid: string }[];
      };
      return peers.find(({ site_name }) => site_name === site)?.uuid ?? '';
    }
  });
}
