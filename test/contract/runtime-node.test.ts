import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Message } from '@spirula/messages';
import { DaemonHost, MemoryDisk, type StoreConfig } from '@spirula/runtime-node';
import { type Daemon, makeConfig, type World } from '@spirula/world';
import { describe, expect, test } from 'vitest';
import { FailingFiles } from '../src/failing-files.ts';
import type { ContractFixture, DiskOperation, HttpAnswer, Received } from './contract-fixture.ts';
import { WORLD_CONTRACT } from './world-contract.ts';

const TIMEOUT_MS = 5000;
const quiet = () => {};
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };

/** Daemons in this process, with real clocks, sockets on loopback and files. */
class NodeFixture implements ContractFixture {
  readonly #stores: (id: number, files: FailingFiles) => StoreConfig;
  readonly #hosts = new Map<number, DaemonHost>();
  readonly #files = new Map<number, FailingFiles>();
  readonly #ends = new Map<number, string>();
  #receiver: Server | undefined;

  constructor(stores: (id: number, files: FailingFiles) => StoreConfig) {
    this.#stores = stores;
  }

  async start(id: number, make: (world: World<Message>) => Daemon<Message>): Promise<void> {
    const files = this.#files.get(id) ?? new FailingFiles();
    this.#files.set(id, files);
    this.#ends.delete(id);
    const host = await DaemonHost.start(
      {
        entity: { type: 'osd', id: `${id}` },
        gid: BigInt(id),
        store: this.#stores(id, files),
        deviceBytes: 1 << 20,
        endpoints: { public: 0 },
        config: makeConfig(),
        log,
        bounds: { highWater: 4 << 20, overflow: 32 << 20 },
        onExit: ({ detail }) => this.#ends.set(id, detail),
      },
      make,
    );
    this.#hosts.set(id, host);
  }

  /** A kill: which unfinished writes the kernel has by then is not ours to choose. */
  async crash(id: number): Promise<void> {
    await this.#hosts.get(id)!.kill();
  }

  async breakDisk(id: number, operation: DiskOperation): Promise<void> {
    this.#files.get(id)!.fail(operation, 'EIO');
  }

  async mendDisk(id: number): Promise<void> {
    this.#files.get(id)!.heal();
  }

  endOf(id: number): string | undefined {
    return this.#ends.get(id);
  }

  async receive(answer: (request: Received) => HttpAnswer) {
    const bodies: Uint8Array[] = [];
    const receiver = createServer(async (request, response) => {
      const pieces: Uint8Array[] = [];
      for await (const piece of request) pieces.push(piece);
      bodies.push(Buffer.concat(pieces));
      const given = answer({ method: request.method!, headers: request.headers });
      if (given === 'lost') request.socket.destroy();
      else if (given !== 'silent') {
        const headers = { location: '/elsewhere', ...Object.fromEntries(given.headers ?? []) };
        response.writeHead(given.status, headers).end(given.body ?? 'said');
      }
    });
    this.#receiver = receiver;
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
    return { origin: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`, bodies };
  }

  async act(_id: number, work: () => void): Promise<void> {
    work();
  }

  async until(done: () => boolean): Promise<void> {
    const deadline = performance.now() + TIMEOUT_MS;
    while (!done()) {
      if (performance.now() > deadline) throw new Error(`waited ${TIMEOUT_MS} ms for ${done}`);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  wait(microseconds: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, Math.ceil(microseconds / 1000) + 1));
  }

  async cleanup(): Promise<void> {
    this.#receiver?.closeAllConnections();
    await new Promise<void>((resolve) => (this.#receiver ? this.#receiver.close(() => resolve()) : resolve()));
    for (const host of this.#hosts.values()) await host.kill();
  }
}

describe('a world on Node, stored on disk', () => {
  test.each(WORLD_CONTRACT)('$name', async ({ run }) => {
    const dir = mkdtempSync(join(tmpdir(), 'spirula-contract-'));
    const fixture = new NodeFixture((id, files) => ({ kind: 'disk', dir: join(dir, `osd.${id}`), files }));
    try {
      await run(fixture);
    } finally {
      await fixture.cleanup();
      rmSync(dir, { recursive: true });
    }
    expect(openHandles()).toEqual([]);
  });
});

describe('a world on Node, stored in memory', () => {
  test.each(WORLD_CONTRACT.filter(({ name }) => /^(kv|block):/.test(name)))('$name', async ({ run }) => {
    const disks = new Map<number, MemoryDisk>();
    const fixture = new NodeFixture((id) => {
      const disk = disks.get(id) ?? new MemoryDisk();
      disks.set(id, disk);
      return { kind: 'memory', disk };
    });
    try {
      await run(fixture);
    } finally {
      await fixture.cleanup();
    }
  });
});

/** What a stopped daemon must not leave behind. */
function openHandles(): string[] {
  return process.getActiveResourcesInfo().filter((kind) => /TCP|Immediate|FSReq/.test(kind));
}
