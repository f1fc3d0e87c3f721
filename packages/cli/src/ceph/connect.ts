import { randomInt } from 'node:crypto';
import { hostname } from 'node:os';
import { crc32c, type UTime } from '@spirula/encoding';
import type { Message } from '@spirula/messages';
import { Rados, RadosError } from '@spirula/rados';
import { NodeNet } from '@spirula/runtime-node';
import { type Clock, type Log, makeConfig, seconds, type World, type WorldEvent } from '@spirula/world';
import { UserError } from '../cluster/user-error.ts';
import type { ClusterAddress } from './environment.ts';

/** A client of a cluster, connected. */
export interface ClusterConnection {
  readonly rados: Rados;
  /** Ends every session, after what was sent has left. */
  close(): Promise<void>;
}

const ENDPOINT = 'public';
const MANAGER_TIMEOUT_SECONDS = 30;

/**
 * Connects a client of its own, over TCP.
 *
 * @throws UserError when no monitor answers in time.
 */
export async function connectRados(cluster: ClusterAddress, timeoutSeconds: number): Promise<ClusterConnection> {
  const deliver = (event: WorldEvent<Message>) => rados.handle(event);
  const clock = new ClientClock((name) => deliver({ kind: 'timer', name }));
  const net = new NodeNet({
    entity: { type: 'client', id: 'admin' },
    crc32c,
    log: SILENT,
    deliver,
    authorize: () => ({ kind: 'refuse', code: -13 }),
  });
  net.addClientEndpoint(ENDPOINT);
  const rados = new Rados(clientWorld(net, clock), {
    monAddrs: cluster.monAddrs,
    endpoint: ENDPOINT,
    hostname: hostname(),
    connectTimeoutUs: seconds(timeoutSeconds),
    mgrTimeoutUs: seconds(MANAGER_TIMEOUT_SECONDS),
    ...(cluster.fsid && { fsid: cluster.fsid }),
  });
  const close = async () => {
    rados.shutdown();
    clock.stop();
    await net.shutdown();
  };
  try {
    await rados.connect();
  } catch (error) {
    await close();
    if (!(error instanceof RadosError)) throw error;
    throw new UserError(`No monitor answers within ${timeoutSeconds} s. Is the cluster running?`);
  }
  return { rados, close };
}

/** Named timers over the host's; wall time is the host's. */
class ClientClock implements Clock {
  readonly #fire: (name: string) => void;
  readonly #timers = new Map<string, NodeJS.Timeout>();

  constructor(fire: (name: string) => void) {
    this.#fire = fire;
  }

  now(): number {
    return Math.floor(performance.now() * 1000);
  }

  wall(): UTime {
    const ms = Date.now();
    return { sec: Math.floor(ms / 1000), nsec: (ms % 1000) * 1e6 };
  }

  arm(name: string, at: number): void {
    this.disarm(name);
    const delayMs = Math.max(0, Math.ceil((at - this.now()) / 1000));
    const timer = setTimeout(() => {
      this.#timers.delete(name);
      this.#fire(name);
    }, delayMs);
    this.#timers.set(name, timer);
  }

  disarm(name: string): void {
    clearTimeout(this.#timers.get(name));
    this.#timers.delete(name);
  }

  stop(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }
}

/** What a daemon would log, a command line tool reports as its result. */
const SILENT: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** The ports a client uses: no store, no cryptography. */
function clientWorld(net: NodeNet, clock: Clock): World<Message> {
  const absent = (port: string): never => {
    throw new Error(`A client has no ${port}.`);
  };
  return {
    config: makeConfig(),
    clock,
    random: { u32: () => randomInt(2 ** 32), below: (bound) => randomInt(bound), float: () => Math.random() },
    net,
    log: SILENT,
    lifecycle: { stop: () => {} },
    buggify: () => false,
    get crypto() {
      return absent('cryptography');
    },
    get kv() {
      return absent('key-value store');
    },
    get block() {
      return absent('block device');
    },
  };
}
