/** Time from `spirula up` on an empty folder to HEALTH_OK with all PGs active+clean. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { printTable } from './table.ts';

const run = promisify(execFile);
const SPIRULA = new URL('../../packages/cli/bin/spirula.mjs', import.meta.url).pathname;
const ROUNDS = 3;

/** Prints the table. */
export async function benchStartUp(): Promise<void> {
  const rows = [['daemons', 'first start s', 'second start s']];
  for (const flags of [[], ['--processes']]) {
    const first: number[] = [];
    const second: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const dir = mkdtempSync(join(tmpdir(), 'spirula-bench-'));
      for (const times of [first, second]) {
        const { stdout } = await run(process.execPath, [
          ...[SPIRULA, 'up', '--dir', dir, '--detach', '--port-base', '27800', ...flags],
        ]);
        times.push(Number(/HEALTH_OK after ([\d.]+) s/.exec(stdout)![1]));
        await run(process.execPath, [SPIRULA, 'down', '--dir', dir]);
      }
      rmSync(dir, { recursive: true, force: true });
    }
    const spread = (times: number[]) => times.map((time) => time.toFixed(1)).join(' / ');
    rows.push([flags.length === 0 ? 'in one process' : 'a process each', spread(first), spread(second)]);
  }
  printTable('spirula up to HEALTH_OK, all PGs active+clean', rows);
}
