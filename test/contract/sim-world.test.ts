import type { Message } from '@spirula/messages';
import { EXACT_CLOCK, type NetworkProfile, QUICK_DISK, type SimProcess, Simulation } from '@spirula/sim-world';
import { type Daemon, makeConfig, SECOND, type World } from '@spirula/world';
import { describe, expect, test } from 'vitest';
import type { ContractFixture, DiskOperation, HttpAnswer, Received } from './contract-fixture.ts';
import { WORLD_CONTRACT } from './world-contract.ts';

/** One seed may be lucky: what a crash leaves, how packets fall, and how clocks run are drawn. */
const SEEDS = [1, 2, 3, 4];
const STEP = 100;

type Make = (world: World<Message>) => Daemon<Message>;

/** Daemons in simulated worlds: time passes only while a case waits. */
class SimFixture implements ContractFixture {
  readonly #simulation: Simulation;
  readonly #processes = new Map<number, SimProcess>();
  readonly #makes = new Map<number, Make>();

  readonly #ends = new Map<SimProcess, string>();

  constructor(seed: number, network: Partial<NetworkProfile>) {
    this.#simulation = new Simulation({ seed, network });
    this.#simulation.onProcessExit((process, reason) => this.#ends.set(process, reason));
  }

  async start(id: number, make: Make): Promise<void> {
    this.#makes.set(id, make);
    let process = this.#processes.get(id);
    if (process === undefined) {
      process = this.#simulation.addProcess({
        entity: { type: 'osd', id: `${id}` },
        gid: BigInt(id),
        endpoints: { public: 6800 },
        deviceBytes: 1 << 20,
        config: makeConfig(),
        disk: QUICK_DISK,
        clock: { ...EXACT_CLOCK, wallSkewUs: -id * SECOND, driftPpm: id * 100, timerSlackUs: 1 + id * 500 },
        make: (world) => this.#makes.get(id)!(world),
      });
      this.#processes.set(id, process);
    }
    process.start();
  }

  async crash(id: number): Promise<void> {
    this.#processes.get(id)!.crash();
  }

  async breakDisk(id: number, operation: DiskOperation): Promise<void> {
    this.#processes.get(id)!.disk.faults.fail(operation);
  }

  async mendDisk(id: number): Promise<void> {
    this.#processes.get(id)!.disk.faults.heal();
  }

  endOf(id: number): string | undefined {
    const process = this.#processes.get(id)!;
    return process.state === 'stopped' ? this.#ends.get(process) : undefined;
  }

  async receive(answer: (request: Received) => HttpAnswer) {
    const bodies: Uint8Array[] = [];
    const origin = 'http://outside:80';
    this.#simulation.httpServers.serve(origin, ({ body, method = 'POST', headers = {} }) => {
      bodies.push(body);
      return answer({ method, headers });
    });
    return { origin, bodies };
  }

  async act(id: number, work: () => void): Promise<void> {
    let failure: unknown;
    this.#processes.get(id)!.call(() => {
      try {
        work();
      } catch (error) {
        failure = error;
      }
    });
    if (failure !== undefined) throw failure;
  }

  async until(done: () => boolean): Promise<void> {
    const deadline = this.#simulation.now + 5 * SECOND;
    while (!done()) {
      if (this.#simulation.now > deadline) throw new Error(`waited 5 s for ${done}`);
      this.#simulation.runFor(STEP);
    }
  }

  async wait(microseconds: number): Promise<void> {
    this.#simulation.runFor(microseconds);
  }

  async cleanup(): Promise<void> {
    for (const process of this.#processes.values()) process.crash();
    expect(this.#simulation.violations).toEqual([]);
  }
}

describe.each([
  ['messages handed over', { codecOneIn: 0 }],
  ['every message through its codec', { codecOneIn: 1, spikeOneIn: 5, spikeUs: 20_000, bytesPerSecond: 1 << 30 }],
])('a simulated world, %s', (_, network) => {
  test.each(WORLD_CONTRACT)('$name', async ({ run }) => {
    for (const seed of SEEDS) {
      const fixture = new SimFixture(seed, network);
      await run(fixture);
      await fixture.cleanup();
    }
  });
});
