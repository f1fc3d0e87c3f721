/** In what order files of tests begin: what takes long does not begin last, when nothing is left to run beside it. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** All that take more than 20 s alone on two cores, by how long they take; vitest knows of a new checkout no more than how large they are. */
const LONGEST = [
  'sim/standard',
  'interop/rbd',
  'sim/past-finds',
  'interop/rbd-bookkeeping',
  'interop/rbd-interrupted',
  'interop/storage-classes',
  'interop/rbd-migration',
  'interop/rbd-writes',
  'interop/radosgw-beside',
  'interop/rbd-data',
  'interop/rbd-mirroring',
  'sim/gateways',
  'interop/rbd-copies',
  'interop/commands',
  'interop/librados',
  'interop/administration',
  'e2e/demo',
  'interop/real-clients',
  'sim/planted-bugs',
  'e2e/rgw-processes',
  'interop/swift',
  'client/real-ceph',
  'interop/rbd-support',
].map((name) => fileURLToPath(new URL(`${name}.test.ts`, import.meta.url)));

const gone = LONGEST.filter((path) => !existsSync(path));
if (gone.length > 0) throw new Error(`test/longest-first.ts names what there is not: ${gone.join(' ')}`);

export class LongestFirst extends BaseSequencer {
  /** The longest, the others, and the short ones that share their modules, which only do so one behind the other. */
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId, project }: TestSpecification) => {
      if (!project.config.isolate) return LONGEST.length + 1;
      const place = LONGEST.indexOf(moduleId);
      return place < 0 ? LONGEST.length : place;
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}
