/** Small daemons that note what they are told, for tests of the world around them. */
import type { Message } from '@spirula/messages';
import { type Daemon, type Instant, makeConfig, type World, type WorldEvent } from '@spirula/world';
import { EXACT_CLOCK } from './clock.ts';
import { QUICK_DISK } from './disk-profile.ts';
import type { SimProcess } from './process.ts';
import type { ProcessSpec } from './process-spec.ts';
import type { Simulation } from './simulation.ts';

interface Heard {
  readonly at: Instant;
  readonly event: WorldEvent<Message>;
}

class Listener implements Daemon<Message> {
  readonly world: World<Message>;
  readonly heard: Heard[] = [];
  onEvent: (event: WorldEvent<Message>) => void = () => {};
  readonly #simulation: Simulation;

  constructor(world: World<Message>, simulation: Simulation) {
    this.world = world;
    this.#simulation = simulation;
  }

  start(): void {}

  handle(event: WorldEvent<Message>): void {
    this.heard.push({ at: this.#simulation.now, event });
    this.onEvent(event);
    if (event.kind === 'terminate') this.world.lifecycle.stop('asked to');
  }

  /** Numbers of the notes that came, in order. */
  get notes(): number[] {
    return this.heard.flatMap(({ event }) => noteOf(event) ?? []);
  }

  /** When the note of a number came; undefined: it did not. */
  noteAt(number: number): Instant | undefined {
    return this.heard.find(({ event }) => noteOf(event) === number)?.at;
  }

  get resets(): string[] {
    return this.heard.flatMap(({ event }) => (event.kind === 'reset' ? event.reason : []));
  }
}

function noteOf(event: WorldEvent<Message>): number | undefined {
  return event.kind === 'message' && event.message.type === 'command' ? Number(event.message.tid) : undefined;
}

export interface Place {
  readonly process: SimProcess;
  readonly daemon: Listener;
  /** Opens a connection to an endpoint of another. */
  open(to: Place, endpoint?: string): number;
  /** Sends a note with so many bytes. */
  note(session: number, number: number, bytes?: number): void;
}

const ENDPOINTS = { public: 6800, cluster: 6801, hb_front: 6802, hb_back: 6803 };

/** Adds a machine with such a daemon, an OSD to look at, and starts it. */
export function addListener(simulation: Simulation, id: number, spec: Partial<ProcessSpec> = {}): Place {
  let daemon: Listener | undefined;
  const process = simulation.addProcess({
    entity: { type: 'osd', id: `${id}` },
    gid: BigInt(id),
    endpoints: ENDPOINTS,
    deviceBytes: 1 << 20,
    config: makeConfig(),
    disk: QUICK_DISK,
    clock: EXACT_CLOCK,
    make: (world) => {
      daemon = new Listener(world, simulation);
      return daemon;
    },
    ...spec,
  });
  process.start();
  return {
    process,
    get daemon() {
      return daemon!;
    },
    open(to, endpoint = 'public') {
      let session = 0;
      process.call(() => {
        session = daemon!.world.net.open(endpoint, { type: 'osd', addrs: to.process.addrs(endpoint) });
      });
      return session;
    },
    note(session, number, bytes = 0) {
      const data = new Uint8Array(bytes);
      process.call(() =>
        daemon!.world.net.send(session, {
          type: 'command',
          fsid: new Uint8Array(16),
          tid: BigInt(number),
          cmd: [],
          data,
        }),
      );
    },
  };
}
