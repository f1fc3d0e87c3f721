/** `npm run bench -- [crush] [rados] [rbd] [s3] [sim] [start-up] [upmap]`: all of them without a name. */
import { benchCrush } from './crush.ts';
import { benchRados } from './rados.ts';
import { benchRbd } from './rbd.ts';
import { benchS3 } from './s3.ts';
import { benchSim } from './sim.ts';
import { benchStartUp } from './start-up.ts';
import { benchUpmap } from './upmap.ts';

const benches: Record<string, () => Promise<void>> = {
  crush: benchCrush,
  rados: benchRados,
  rbd: benchRbd,
  s3: benchS3,
  sim: benchSim,
  'start-up': benchStartUp,
  upmap: benchUpmap,
};

const names = process.argv.slice(2).filter((name) => name !== '--');
for (const name of names) {
  if (!(name in benches)) {
    console.error(`There is no benchmark ${name}. There are: ${Object.keys(benches).join(' ')}.`);
    process.exit(1);
  }
}
for (const name of names.length === 0 ? Object.keys(benches) : names) await benches[name]!();
