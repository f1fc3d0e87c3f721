/**
 * Our `rbd` beside Debian's, in a real cluster and in ours: the same lines are sent to either, each in a pool of its own; what they
 * print and what objects they leave is the same, and what one has made the other shows.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rbd } from '../../packages/cli/src/rbd.ts';
import { maskText, parseLine, sorted } from './rbd-bookkeeping/lines.ts';
import { poolState, startPool } from './rbd-bookkeeping/pool-state.ts';
import { type Topic, topics } from './rbd-bookkeeping/topics.ts';
import { type ImageCluster, RBD_TOOLS, realRbd, startOurs, startTheirs } from './rbd-clusters.ts';
import { missingTools } from './real-ceph.ts';
import { runTool, type ToolResult } from './run-tool.ts';

const missing = missingTools([...RBD_TOOLS, 'python3']);
const REAL_PORT_BASE = 23_000;
const TOPIC_TIMEOUT_MS = 120_000;

/** What the library logs is not part of what the tool says. */
const QUIET = { ...process.env, CEPH_ARGS: '--log_to_stderr=false --err_to_stderr=false' };

/** Numbers of pools: a topic makes one or two in each of two runs. */
const FIRST_POOL = 4;
const POOLS_OF_TOPIC = 3;

type Tool = 'theirs' | 'ours';
interface Outcome {
  readonly line: string;
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

describe.skipIf(missing.length > 0)(`bookkeeping of images (skipped without: ${missing.join(' ')})`, () => {
  const dir = mkdtempSync(join(tmpdir(), 'rbd-bookkeeping-'));
  let real: ImageCluster;
  let own: ImageCluster;

  beforeAll(async () => {
    [real, own] = await Promise.all([startTheirs(REAL_PORT_BASE)(), startOurs()()]);
  }, 120_000);
  afterAll(async () => {
    await Promise.all([real?.stop(), own?.stop()]);
    rmSync(dir, { recursive: true, force: true });
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
        const { stdout, ...rest } = masked(await run(cluster, by, words));
        return { ...rest, stdout: kind === 'set' ? sorted(stdout) : stdout };
      };
      const result = await outcome(tool);
      if (kind === 'show' || kind === 'set') {
        const other = await outcome(tool === 'ours' ? 'theirs' : 'ours');
        expect({ ...other, line }, 'what either tool shows of the same pool').toEqual({ ...result, line });
      }
      outcomes.push({ line, ...result });
    }
    return outcomes;
  }

  async function run(cluster: ImageCluster, tool: Tool, words: readonly string[]): Promise<ToolResult> {
    if (tool === 'theirs') {
      return await runTool('rbd', ['-c', cluster.conf, ...words], { timeoutSeconds: 60, env: QUIET });
    }
    let stdout = '';
    let stderr = '';
    const env = {
      stdout: (text: string | Uint8Array) => void (stdout += Buffer.from(text).toString('latin1')),
      stderr: (text: string) => void (stderr += text),
      dir,
    };
    const status = await rbd(['-c', cluster.conf, ...words], env);
    return { status, stdout, stderr };
  }

  /** `ID(NAME)` stands for the id of an image in the trash, `LOCKER(NAME,ID)` for the client that has that lock of an image. */
  async function withIds(cluster: ImageCluster, pool: string, line: string): Promise<string> {
    const [whole, kind, name, lock] = /(ID|LOCKER)\(([^,)]+)(?:,(\S+))?\)/.exec(line) ?? [];
    if (whole === undefined) return line;
    const ask = kind === 'ID' ? ['trash', 'ls', '--all', pool] : ['lock', 'ls', `${pool}/${name}`];
    const { stdout } = await realRbd(cluster, ...ask, '--format', 'json');
    const entries = JSON.parse(stdout) as readonly { readonly id: string; name?: string; locker?: string }[];
    const entry = entries.find((each) => (kind === 'ID' ? each.name === name : each.id === lock));
    if (!entry) throw new Error(`${whole} is not known: ${stdout}`);
    return line.replace(whole, (kind === 'ID' ? entry.id : entry.locker) ?? '');
  }
});

function masked({ status, stdout, stderr }: ToolResult): Omit<Outcome, 'line'> {
  return { status, stdout: maskText(stdout), stderr: maskText(stderr) };
}
