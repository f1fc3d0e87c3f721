/** `spirula osdmaptool` and Ceph's tool, each in a folder of its own with the same files. */
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { UTime } from '@spirula/encoding';
import type { OsdMapToolIo } from '../../packages/cli/src/osdmaptool/tool-io.ts';
import { osdmaptool } from '../../packages/cli/src/osdmaptool.ts';
import { goldenBytes, goldenNames } from '../golden-data.ts';
import { runTool } from '../interop/run-tool.ts';

export type Files = Readonly<Record<string, Uint8Array | string>>;

export interface ToolRun {
  readonly status: number | null;
  readonly stdout: string;
  /** Without what Ceph's log writes. */
  readonly stderr: string;
  /** What is in the folder afterwards, in base64. */
  readonly files: Readonly<Record<string, string>>;
}

export function goldenMap(name: string): Uint8Array {
  const file = goldenNames(`osdmap/${name}`).find((each) => each.startsWith('osdmap.bin'));
  return goldenBytes(`osdmap/${name}/${file}`);
}

function inFolder<T>(files: Files, act: (dir: string) => T): T {
  const dir = mkdtempSync(join(tmpdir(), 'spirula-osdmaptool-'));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(dir, name, '..'), { recursive: true });
    writeFileSync(join(dir, name), content);
  }
  return act(dir);
}

function filesOf(dir: string): ToolRun['files'] {
  const names = readdirSync(dir, { withFileTypes: true }).filter((entry) => entry.isFile());
  const files = Object.fromEntries(names.map(({ name }) => [name, readFileSync(join(dir, name), 'base64')]));
  rmSync(dir, { recursive: true, force: true });
  return files;
}

/** Lines of Ceph's log on stderr: what it says of itself, not what the tool says. */
const LOG_LINE = /^\d{4}-\d\d-\d\dT\S+ [0-9a-f]+ +-?\d+ .*\n\n?/gm;

/** What the command line finds; `now` is the time for maps that it makes. */
export function runOurs(args: readonly string[], files: Files, now: UTime = { sec: 1, nsec: 0 }): Promise<ToolRun> {
  return inFolder(files, async (dir) => {
    const text = { stdout: '', stderr: '' };
    const at = (path: string) => (path.startsWith('/') ? path : join(dir, path));
    const io: OsdMapToolIo = {
      stdout: (more) => void (text.stdout += more),
      stderr: (more) => void (text.stderr += more),
      readFile: (path) => readFileSync(at(path)),
      writeFile: (path, bytes) => writeFileSync(at(path), bytes),
      appendFile: (path, more) => appendFileSync(at(path), more),
      exists: (path) => existsSync(at(path)),
      now: () => now,
      seconds: () => 0,
      random: () => 0,
      pause: async () => undefined,
      env: {},
    };
    const status = await osdmaptool(args, io);
    return { status, stdout: text.stdout, stderr: text.stderr.replaceAll(LOG_LINE, ''), files: filesOf(dir) };
  });
}

export function runCephs(args: readonly string[], files: Files): Promise<ToolRun> {
  return inFolder(files, async (dir) => {
    const { CEPH_ARGS: _args, CEPH_CONF: _conf, ...env } = process.env;
    const { status, stdout, stderr } = await runTool('osdmaptool', args, { cwd: dir, env });
    const text = Buffer.from(stdout, 'latin1').toString();
    return { status, stdout: text, stderr: stderr.replaceAll(LOG_LINE, ''), files: filesOf(dir) };
  });
}
