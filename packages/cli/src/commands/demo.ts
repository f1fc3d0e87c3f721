import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SingleBar } from 'cli-progress';
import { type DemoReport, storeTreeUnderFire } from '../demo/store-tree.ts';

export interface DemoOptions {
  readonly tree?: string;
  readonly dir?: string;
}

/** `spirula demo`: returns the exit status. */
export async function demo(options: DemoOptions): Promise<number> {
  const tree = resolve(options.tree ?? fileURLToPath(new URL('../node_modules', import.meta.url)));
  const dir = options.dir === undefined ? mkdtempSync(join(tmpdir(), 'spirula-demo-')) : resolve(options.dir);
  let bar: SingleBar | undefined;
  let stage = '';
  try {
    console.log(`Every file of ${tree} becomes an object; meanwhile OSDs are killed and come back.`);
    const report = await storeTreeUnderFire({
      dir,
      tree,
      onEvent: (text) => {
        bar?.stop();
        bar = undefined;
        console.log(text);
      },
      onProgress: (name, done, total) => {
        if (!process.stdout.isTTY) return;
        if (bar === undefined || stage !== name) {
          bar?.stop();
          stage = name;
          bar = new SingleBar({
            format: `${name} {bar} {value}/{total} files, {eta_formatted} left`,
            hideCursor: true,
          });
          bar.start(total, 0);
        }
        bar.update(done);
        if (done === total) {
          bar.stop();
          bar = undefined;
        }
      },
    });
    console.log(summary(report));
    return report.problems.length === 0 ? 0 : 1;
  } finally {
    bar?.stop();
    if (options.dir === undefined) rmSync(dir, { recursive: true, force: true });
  }
}

function summary(report: DemoReport): string {
  const megabytes = (report.bytes / 1e6).toFixed(0);
  const lines = [
    `${report.files} files, ${megabytes} MB, stored in ${report.storeSeconds.toFixed(1)} s, read back in ${report.readSeconds.toFixed(1)} s`,
    `${report.kills} OSD processes killed; all PGs active+clean ${report.healSeconds.toFixed(1)} s after the last came back`,
    `${report.replicas} replicas compared on the OSDs' own disks`,
  ];
  const shown = report.problems.slice(0, 20);
  return [
    ...lines,
    report.problems.length === 0 ? 'Nothing lost, nothing differs.' : `${report.problems.length} problems:`,
    ...shown,
  ].join('\n');
}
