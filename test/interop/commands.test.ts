/** The same `ceph` command lines to a real Ceph 16.2 cluster and to ours: what they answer is the same. */
import { startCluster } from '@spirula/cli';
import { beforeAll, describe, expect, test } from 'vitest';
import { comparable, difference, type Result } from './commands/normalise.ts';
import { runSteps } from './commands/run-steps.ts';
import { stepOf, type Topic } from './commands/topic.ts';
import { topics } from './commands/topics.ts';
import { missingTools, startRealCeph } from './real-ceph.ts';
import { PYTHON } from './run-tool.ts';

const DRIVER = new URL('./commands/driver.py', import.meta.url);
const SETUP_TIMEOUT_MS = 900_000;
const missing = missingTools(['ceph-mon', 'ceph-osd', 'ceph-mgr', 'ceph', 'monmaptool', PYTHON]);

describe.skipIf(missing.length > 0)(`commands (skipped when not installed: ${missing.join(' ') || 'none'})`, () => {
  const theirs = new Map<string, readonly Result[]>();
  const ours = new Map<string, readonly Result[]>();

  beforeAll(async () => {
    // One after the other: neither waits for the other's share of the machine.
    const real = await startRealCeph({ osds: 3, portBase: 27_800, store: 'memstore' });
    try {
      await prepare(real.confPath, [...FIRST_POOL, ...SAME_DEVICES]);
      for (const topic of topics) theirs.set(topic.name, await runTopic(real.confPath, topic));
    } finally {
      await real.stop();
    }
    const cluster = await startCluster({ mons: 1, osds: 3, store: 'memory', auth: 'none' });
    try {
      await prepare(cluster.cephConf, SAME_DEVICES);
      for (const topic of topics) ours.set(topic.name, await runTopic(cluster.cephConf, topic));
    } finally {
      await cluster.stop();
    }
  }, SETUP_TIMEOUT_MS);

  test.each(topics)('$name: answers what Ceph answers, but for the known differences', (topic) => {
    const differing = topic.steps
      .map((step, i) => ({ line: stepOf(step).line, differs: differenceAt(topic, i) }))
      .filter(({ line, differs }) => differs.length > 0 && !isKnown(topic, line));

    expect(differing).toEqual([]);
  });

  test('each known difference is still one: those listed here are to be removed', () => {
    const same = topics.flatMap((topic) =>
      (topic.known ?? []).flatMap(({ lines }) => lines.filter((line) => isSame(topic, line))),
    );

    expect(same).toEqual([]);
  });

  function isSame(topic: Topic, known: string): boolean {
    return topic.steps.every((step, i) => !matches(known, stepOf(step).line) || differenceAt(topic, i).length === 0);
  }

  function differenceAt({ name, steps }: Topic, i: number): readonly string[] {
    const { compare } = stepOf(steps[i]!);
    const [a, b] = [theirs.get(name)?.[i], ours.get(name)?.[i]];
    return difference(a ? comparable(a, compare) : ['no answer from Ceph'], b ? comparable(b, compare) : ['no answer']);
  }
});

/** The pool that our clusters begin with. */
const FIRST_POOL = ['osd pool create data 32'];

/** What comes of the machines and disks the OSDs find themselves on. */
const SAME_DEVICES = [
  'osd crush rm-device-class osd.0 osd.1 osd.2',
  'osd crush set-device-class ssd osd.0 osd.1 osd.2',
  'osd crush reweight-subtree default 1',
  'settle',
];

function isKnown(topic: Topic, line: string): boolean {
  return (topic.known ?? []).some(({ lines }) => lines.some((known) => matches(known, line)));
}

/** A line of the table stands for itself, or, with a star at its end, for all that begin like it. */
function matches(known: string, line: string): boolean {
  return known.endsWith('*') ? line.startsWith(known.slice(0, -1)) : line === known;
}

async function prepare(confPath: string, lines: readonly string[]): Promise<void> {
  const results = await runSteps(DRIVER, [confPath], lines);
  for (const [i, line] of lines.entries()) expect(results[i], line).toMatchObject({ code: 0 });
}

async function runTopic(confPath: string, topic: Topic): Promise<readonly Result[]> {
  return await runSteps(DRIVER, [confPath], topic.steps);
}
