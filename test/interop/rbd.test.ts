/** Debian's unmodified rbd, qemu-img, qemu-io, fio and python3-rbd on a real Ceph 16.2 cluster and on ours: they come to the same. */
import { startCluster } from '@spirula/cli';
import { beforeAll, describe, expect, test } from 'vitest';
import { comparable, difference, type Result } from './commands/normalise.ts';
import { runSteps } from './commands/run-steps.ts';
import { stepOf, type Topic } from './commands/topic.ts';
import { topics } from './rbd/topics.ts';
import { missingTools, startRealCeph } from './real-ceph.ts';
import { PYTHON } from './run-tool.ts';

const DRIVER = new URL('./rbd/driver.py', import.meta.url);
const SETUP_TIMEOUT_MS = 3_600_000;
const missing = missingTools([
  ...['ceph-mon', 'ceph-osd', 'ceph-mgr', 'ceph', 'monmaptool', 'rbd', 'qemu-img', 'qemu-io', 'fio', PYTHON],
]);

describe.skipIf(missing.length > 0)(`images (skipped when not installed: ${missing.join(' ') || 'none'})`, () => {
  const theirs = new Map<string, readonly Result[]>();
  const ours = new Map<string, readonly Result[]>();

  beforeAll(async () => {
    const onReal = async () => {
      const real = await startRealCeph({ osds: 3, portBase: 20_600, store: 'bluestore', auth: 'cephx' });
      try {
        for (const [i, topic] of topics.entries()) theirs.set(topic.name, await runTopic(real.confPath, topic, i));
      } finally {
        await real.stop();
      }
    };
    const onOurs = async () => {
      const cluster = await startCluster({ mons: 1, osds: 3, store: 'disk', auth: 'cephx' });
      try {
        for (const [i, topic] of topics.entries()) ours.set(topic.name, await runTopic(cluster.cephConf, topic, i));
      } finally {
        await cluster.stop();
      }
    };
    await Promise.all([onReal(), onOurs()]);
  }, SETUP_TIMEOUT_MS);

  test.each(topics)('$name: lines come to what they come to on Ceph, but for the known differences', (topic) => {
    const differing = topic.steps
      .map((step, i) => ({ line: stepOf(step).line, differs: differenceAt(topic, i) }))
      .filter(({ line, differs }) => differs.length > 0 && !isKnown(topic, line));

    expect(differing).toEqual([]);
  });

  const known = topics.flatMap((topic) =>
    (topic.known ?? []).flatMap(({ lines }) => lines.map((line) => ({ topic, line }))),
  );

  test.skipIf(known.length === 0)('each known difference is still one: those listed are to be removed', () => {
    expect(known.filter(({ topic, line }) => isSame(topic, line)).map(({ line }) => line)).toEqual([]);
  });

  function isSame(topic: Topic, known: string): boolean {
    return topic.steps.every((step, i) => stepOf(step).line !== known || differenceAt(topic, i).length === 0);
  }

  function differenceAt({ name, steps }: Topic, i: number): readonly string[] {
    const { compare } = stepOf(steps[i]!);
    const [a, b] = [theirs.get(name)?.[i], ours.get(name)?.[i]];
    return difference(a ? comparable(a, compare) : ['no answer from Ceph'], b ? comparable(b, compare) : ['no answer']);
  }
});

function isKnown(topic: Topic, line: string): boolean {
  return (topic.known ?? []).some(({ lines }) => lines.includes(line));
}

/** In a pool of the topic's own. */
async function runTopic(confPath: string, topic: Topic, number: number): Promise<readonly Result[]> {
  const pool = `rbd${number}`;
  const before = [`number-pools-from ${10 * (number + 1)}`, 'ceph osd pool create POOL 8', 'rbd pool init POOL'];
  const after = 'python remove_pools.py POOL';
  const results = await runSteps(DRIVER, [confPath, pool], [...before, ...topic.steps, after]);
  for (const [i, line] of before.entries()) expect(results[i], line).toMatchObject({ code: 0 });
  return results.slice(before.length, before.length + topic.steps.length);
}
