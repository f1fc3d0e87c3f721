import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromUtf8, utf8 } from '@spirula/encoding';
import type { Message } from '@spirula/messages';
import { type Daemon, DeviceError, makeConfig, type World, type WorldEvent } from '@spirula/world';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { FailingFiles } from '../../../test/src/failing-files.ts';
import { DaemonHost, type HostConfig, type HostExit } from './host.ts';
import { NodeLog } from './log.ts';
import { StorageProblem } from './storage-problem.ts';

const quiet = () => {};
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };

/** Does what the test says, and remembers what it was told. */
class Puppet implements Daemon<Message> {
  readonly world: World<Message>;
  readonly events: WorldEvent<Message>[] = [];
  onEvent: (event: WorldEvent<Message>) => void = (event) => {
    if (event.kind === 'terminate') this.world.lifecycle.stop('asked to');
  };

  constructor(world: World<Message>) {
    this.world = world;
  }

  start(): void {
    this.world.clock.arm('started', 0);
  }

  handle(event: WorldEvent<Message>): void {
    this.events.push(event);
    this.onEvent(event);
  }
}

const hosts: DaemonHost[] = [];
const dirs: string[] = [];

afterEach(async () => {
  for (const host of hosts.splice(0)) await host.kill();
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true, force: true });
});

function tempDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'spirula-host-'));
  dirs.push(dir);
  return dir;
}

async function start(config: Partial<HostConfig> = {}): Promise<[DaemonHost, Puppet, HostExit[]]> {
  const exits: HostExit[] = [];
  let puppet: Puppet | undefined;
  const host = await DaemonHost.start(
    {
      entity: { type: 'osd', id: '0' },
      gid: 0n,
      store: { kind: 'memory' },
      deviceBytes: 1 << 20,
      endpoints: { public: 0, client: 'dial' },
      config: makeConfig(),
      log,
      onExit: (exit) => exits.push(exit),
      ...config,
    },
    (world) => (puppet = new Puppet(world)),
  );
  hosts.push(host);
  return [host, puppet!, exits];
}

const at = (puppet: Puppet, kind: WorldEvent['kind']) =>
  vi.waitFor(() => expect(puppet.events.map((event) => event.kind)).toContain(kind), { interval: 2 });

test('one that does not authenticate its peers listens on loopback only', async () => {
  await expect(start({ bind: '0.0.0.0' })).rejects.toThrow(
    'refusing to listen on 0.0.0.0: without authentication only 127.0.0.0/8 is allowed',
  );
});

describe('a daemon in its host', () => {
  test('what was committed is there after a kill and a new start', async () => {
    const dir = tempDir();
    const [first, puppet] = await start({ store: { kind: 'disk', dir } });
    puppet.world.kv.submit([{ op: 'put', key: utf8('k'), value: utf8('v') }], 1);
    puppet.world.block.write(0, new Uint8Array(4096).fill(9));
    puppet.world.block.flush(2);
    await at(puppet, 'committed');
    await at(puppet, 'flushed');
    await first.kill();
    const [, again] = await start({ store: { kind: 'disk', dir } });

    expect(fromUtf8(again.world.kv.get(utf8('k'))!)).toBe('v');
    expect(again.world.block.read(0, 4096)[7]).toBe(9);
  });

  test('terminate asks; the daemon stops; what it submitted last is on disk', async () => {
    const dir = tempDir();
    const [host, puppet, exits] = await start({ store: { kind: 'disk', dir } });
    puppet.onEvent = (event) => {
      if (event.kind !== 'terminate') return;
      puppet.world.kv.submit([{ op: 'put', key: utf8('k'), value: utf8('last') }], 1);
      puppet.world.lifecycle.stop('farewell');
    };
    await host.terminate();

    expect(exits).toEqual([{ how: 'stopped', detail: 'farewell' }]);
    const [, again] = await start({ store: { kind: 'disk', dir } });
    expect(fromUtf8(again.world.kv.get(utf8('k'))!)).toBe('last');
  });

  test('killed with events waiting, it leaves nothing to do', async () => {
    const [host, puppet] = await start();
    puppet.onEvent = () => void host.kill();
    for (const name of ['a', 'b', 'c']) puppet.world.clock.arm(name, 0);
    await at(puppet, 'timer');
    await host.kill();
    const told = puppet.events.length;
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setTimeout(resolve, 1));

    expect(puppet.events).toHaveLength(told);
    expect(process.getActiveResourcesInfo()).not.toContain('Immediate');
  });

  test('a bug ends the daemon, says so once, and gives all back', async () => {
    const dir = tempDir();
    const [host, puppet, exits] = await start({ store: { kind: 'disk', dir } });
    puppet.onEvent = () => {
      throw new Error('a rule is broken');
    };
    puppet.world.clock.arm('x', 0);
    await vi.waitFor(() => expect(exits).toEqual([{ how: 'failed', detail: 'a rule is broken' }]));

    expect(host.running).toBe(false);
    expect(existsSync(join(dir, 'lock'))).toBe(false);
  });

  test('a daemon that cannot go on with its disk ends, in its own words', async () => {
    const [, puppet, exits] = await start({ store: { kind: 'disk', dir: tempDir() } });
    puppet.onEvent = () => {
      throw new DeviceError(-28, 'osd.0: the device is full');
    };

    await vi.waitFor(() => expect(exits).toEqual([{ how: 'failed', detail: 'osd.0: the device is full' }]));
  });

  test.each(['commit', 'flush', 'write'] as const)(
    'a disk that is full at a %s ends it with a line that names the folder',
    async (operation) => {
      const dir = tempDir();
      const files = new FailingFiles();
      const [, puppet, exits] = await start({ store: { kind: 'disk', dir, files } });
      files.fail(operation, 'ENOSPC');
      puppet.onEvent = () => {
        puppet.onEvent = () => {};
        puppet.world.kv.submit([], 1);
        puppet.world.block.write(0, new Uint8Array(4096));
        puppet.world.block.flush(2);
      };
      puppet.world.clock.arm('x', 0);
      await vi.waitFor(() => expect(exits).toHaveLength(1));

      const path = operation === 'write' ? join(dir, 'block') : dir;
      const detail = `${path}: no space left. Free some space or choose another folder.`;
      expect(exits).toEqual([{ how: 'failed', detail }]);
      expect(existsSync(join(dir, 'lock'))).toBe(false);
    },
  );

  test('hung, it is told nothing; resumed, all that came', async () => {
    const [host, puppet] = await start();
    await at(puppet, 'timer');
    host.hang();
    puppet.events.length = 0;
    puppet.world.clock.arm('later', 0);
    puppet.world.kv.submit([], 5);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(puppet.events).toEqual([]);
    host.resume();

    await at(puppet, 'timer');
    expect(puppet.events).toContainEqual({ kind: 'committed', token: 5 });
  });

  test('load tells of the handlers since the last ask', async () => {
    const [host, puppet] = await start();
    await at(puppet, 'timer');

    expect(host.load()).toMatchObject({ events: 1, queued: 0 });
    expect(host.load()).toMatchObject({ events: 0, longestHandlerMs: 0 });
  });
});

describe('a folder', () => {
  test('is one daemon’s at a time, and one daemon’s for good', async () => {
    const dir = tempDir();
    const [first] = await start({ store: { kind: 'disk', dir } });

    await expect(start({ store: { kind: 'disk', dir } })).rejects.toThrow('another process uses this folder');
    await first.kill();
    await expect(start({ store: { kind: 'disk', dir }, entity: { type: 'osd', id: '1' } })).rejects.toThrow(
      'belongs to osd.0, not osd.1',
    );
    writeFileSync(join(dir, 'lock'), '999999999 1');
    writeFileSync(join(dir, 'owner.json'), '{"format":7,"owner":"osd.0"}');
    await expect(start({ store: { kind: 'disk', dir } })).rejects.toThrow('written in format 7');
  });

  test('that cannot be used is refused in one line', async () => {
    const dir = tempDir();
    const file = join(dir, 'file');
    writeFileSync(file, '');
    await expect(start({ store: { kind: 'disk', dir: join(file, 'osd.0') } })).rejects.toThrow(StorageProblem);
    if (process.getuid?.() === 0) return;
    chmodSync(dir, 0o500);
    await expect(start({ store: { kind: 'disk', dir: join(dir, 'osd.0') } })).rejects.toThrow('permission denied');
  });
});

test('the log is one object a line', () => {
  const path = join(tempDir(), 'log');
  const file = new NodeLog({ name: 'osd.0', level: 'info', path });
  file.debug('not this');
  file.info('booted', { epoch: 3 });
  file.close();

  expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ name: 'osd.0', msg: 'booted', epoch: 3 });
});
