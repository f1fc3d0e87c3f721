/** Our `rbd` dies before each of its writes in turn: Debian's ends what was begun, or takes it back, and nothing is left of it. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ImageCluster, makePools, must, RBD_TOOLS, realRbd, startOurs } from './rbd-clusters.ts';
import { runAndDie } from './rbd-dying.ts';
import { missingTools } from './real-ceph.ts';
import { runTool } from './run-tool.ts';

const missing = missingTools(RBD_TOOLS);
/** Who dies is missed after so long. */
const WATCH_SECONDS = 1;
const MAX_WRITES = 60;
const TIMEOUT_MS = 180_000;
const [DONE, NOT_THERE] = [0, 2];

interface Interrupted {
  /** `N` in names is another number each time. */
  readonly before: readonly string[];
  readonly line: string;
  /** Debian's: with what they may end. */
  readonly after: readonly (readonly [line: string, ...statuses: number[]])[];
  /** What is shown then. */
  readonly shown: readonly (readonly [line: string, text: string | RegExp])[];
  readonly last: readonly string[];
}

const PLAIN = '--size 8M --object-size 4M --image-feature layering';

const CASES: Readonly<Record<string, Interrupted>> = {
  'an image that goes into the trash': {
    before: [`create images/aN ${PLAIN}`],
    line: 'trash mv images/aN',
    after: [['trash mv images/aN', DONE, NOT_THERE]],
    shown: [
      ['ls images', ''],
      ['trash ls images --all', /^\S+ aN\n$/],
    ],
    last: ['trash purge images --no-progress'],
  },
  'an image that is removed': {
    before: [`create images/aN ${PLAIN}`],
    line: 'rm images/aN --no-progress',
    after: [['rm images/aN --no-progress', DONE, NOT_THERE]],
    shown: [
      ['ls images', ''],
      ['trash ls images --all', ''],
    ],
    last: [],
  },
  'an image that comes into a group': {
    before: [`create images/aN ${PLAIN}`, 'group create images/gN'],
    line: 'group image add images/gN images/aN',
    after: [['group image add images/gN images/aN', DONE]],
    shown: [['group image ls images/gN', /^images\/aN ?\n$/]],
    last: ['group rm images/gN', 'rm images/aN --no-progress'],
  },
  'a snapshot of a group': {
    before: [
      `create images/aN ${PLAIN}`,
      'group create images/gN',
      'group image add images/gN images/aN',
      `create images/bN ${PLAIN}`,
      'group image add images/gN images/bN',
    ],
    line: 'group snap create images/gN@s',
    after: [['group snap rm images/gN@s', DONE, NOT_THERE]],
    shown: [
      ['group snap ls images/gN', ''],
      ['snap ls --all images/aN', ''],
      ['snap ls --all images/bN', ''],
    ],
    last: ['group rm images/gN', 'rm images/aN --no-progress', 'rm images/bN --no-progress'],
  },
  'an image that is mirrored': {
    before: [`create images/aN ${PLAIN}`],
    line: 'mirror image enable images/aN snapshot',
    after: [
      ['mirror image enable images/aN snapshot', DONE],
      ['mirror image snapshot images/aN', DONE],
    ],
    shown: [['mirror pool status images', /images: 1 total/]],
    last: ['mirror image disable images/aN', 'rm images/aN --no-progress'],
  },
  'an image that is mirrored no more': {
    before: [`create images/aN ${PLAIN}`, 'mirror image enable images/aN snapshot'],
    line: 'mirror image disable images/aN',
    after: [['mirror image disable images/aN', DONE]],
    shown: [
      ['mirror pool status images', /images: 0 total/],
      // One that was being removed goes with the image.
      ['snap ls --all images/aN', /^(SNAPID.*\n.* trash \(.*\n)?\n?$/],
    ],
    last: ['rm images/aN --no-progress'],
  },
  'an object map that comes': {
    before: [`create images/aN --size 8M --image-feature exclusive-lock`],
    line: 'feature enable images/aN object-map',
    after: [
      ['feature enable images/aN object-map', DONE, 22],
      ['object-map rebuild images/aN --no-progress', DONE],
      ['object-map check images/aN --no-progress', DONE],
    ],
    shown: [['info images/aN', /features: exclusive-lock, object-map, fast-diff\n\top_features: \n\tflags: \n/]],
    last: ['rm images/aN --no-progress'],
  },
};

describe.skipIf(missing.length > 0)(`our rbd dies (skipped without: ${missing.join(' ')})`, () => {
  let cluster: ImageCluster;
  let number = 0;

  beforeAll(async () => {
    cluster = await startOurs()();
    await makePools(cluster);
    const option = ['config', 'set', 'osd', 'osd_client_watch_timeout', String(WATCH_SECONDS)];
    await must(runTool('ceph', ['-c', cluster.conf, ...option]), 'watch timeout');
    await must(realRbd(cluster, 'mirror', 'pool', 'enable', 'images', 'image'), 'mirroring');
    await must(realRbd(cluster, 'mirror', 'pool', 'peer', 'add', 'images', 'client.far@there'), 'a peer');
  }, 60_000);
  afterAll(() => cluster?.stop(), 30_000);

  test.each(Object.entries(CASES))(
    '%s',
    async (_, { before, line, after, shown, last }) => {
      for (let write = 1, isDead = true; isDead; write++) {
        expect(write).toBeLessThan(MAX_WRITES);
        number++;
        const words = (text: string) => text.replaceAll('N', String(number)).split(' ');
        for (const each of before) await must(realRbd(cluster, ...words(each)), each);
        isDead = await runAndDie(cluster.conf, words(line), write);
        if (isDead) await missed();
        const told = `${line}, dead before write ${write}`;
        for (const [each, ...statuses] of after) {
          const { status, stderr } = await realRbd(cluster, ...words(each));
          if (isDead) expect(statuses, `${told}: ${each}: ${stderr}`).toContain(status);
        }
        for (const [each, text] of shown) {
          const { stdout } = await realRbd(cluster, ...words(each));
          const found = stdout.replaceAll(new RegExp(`([abg])${number}\\b`, 'g'), '$1N');
          expect(found, `${told}: ${each}`).toEqual(typeof text === 'string' ? text : expect.stringMatching(text));
        }
        for (const each of last) await must(realRbd(cluster, ...words(each)), `${told}: ${each}`);
      }
    },
    TIMEOUT_MS,
  );

  /** Its watch ends. */
  async function missed(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 1.3 * WATCH_SECONDS * 1000));
  }
});
