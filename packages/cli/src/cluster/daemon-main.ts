import { join } from 'node:path';
import type { HostExit } from '@spirula/runtime-node';
import { readClusterFile } from './cluster-file.ts';
import { startDaemon } from './daemon-factory.ts';
import { loadOf } from './in-process-runner.ts';
import type { ChildMessage } from './process-runner.ts';
import { readFaultTexts } from './s3-faults.ts';

/** `spirula daemon NAME`: one daemon, under a supervisor that speaks over the IPC channel. */
export async function daemonMain(dir: string, name: string, faultTexts: readonly string[]): Promise<void> {
  const tell = (message: ChildMessage) =>
    new Promise<void>((resolve) => (process.connected ? process.send!(message, () => resolve()) : resolve()));
  const cluster = readClusterFile(dir);
  if (cluster === undefined) {
    await tell({ tell: 'failed', problem: `${dir} holds no cluster` });
    process.exit(1);
  }
  try {
    const exited = ({ how }: HostExit) => process.exit(how === 'failed' ? 1 : 0);
    const host = await startDaemon(dir, cluster, name, { kind: 'disk', dir: join(dir, name) }, exited, {
      s3Faults: readFaultTexts(faultTexts),
    });
    process.on('message', () => void tell({ tell: 'load', load: loadOf(host) }));
    process.once('SIGTERM', () => void host.terminate());
    // A supervisor that is gone leaves no daemon behind.
    process.once('disconnect', () => void host.terminate());
    await tell({ tell: 'started' });
  } catch (error) {
    await tell({ tell: 'failed', problem: (error as Error).message });
    process.exit(1);
  }
}
