/** An object gateway in a simulated cluster: its machine, and the daemon that runs there now. */
import type { Message } from '@spirula/messages';
import { type Gateway, type HttpRequest, RgwDaemon } from '@spirula/rgw';
import type { SimProcess } from '@spirula/sim-world';
import { type Instant, SECOND, type World } from '@spirula/world';
import type { SimCluster } from '../cluster.ts';
import { type Answered, type Asked, type Keys, readAnswer, signed, USER } from './s3-request.ts';

const RETRY_DELAY: Instant = SECOND;

export class GatewayPlace {
  readonly name: string;
  readonly process: SimProcess;
  #world: World<Message> | undefined;
  #gateway: Gateway | undefined;
  #onGone: (() => void)[] = [];

  constructor(cluster: SimCluster, name: string) {
    this.name = name;
    this.process = cluster.addGateway(name, (world, monAddrs, auth) => {
      const daemon = new RgwDaemon(world, { rados: { monAddrs, auth, fsid: cluster.fsid }, user: USER });
      this.#world = world;
      daemon.ready.then(
        (gateway) => {
          if (this.#world === world) this.#gateway = gateway;
        },
        // The cluster could not be reached: as under an init system, it is tried again.
        () => {
          if (this.#world === world) this.process.restart(RETRY_DELAY);
        },
      );
      return daemon;
    });
    cluster.simulation.onProcessExit((process) => {
      if (process === this.process) this.#leave();
    });
  }

  /** Of the one that runs there now. */
  get config(): World['config'] {
    return this.#world!.config;
  }

  /** Undefined while none is ready. */
  get gateway(): Gateway | undefined {
    return this.#gateway;
  }

  #leave(): void {
    this.#gateway = undefined;
    this.#world = undefined;
    for (const told of this.#onGone.splice(0)) told();
  }

  /** As a client signs it now. */
  sign(asked: Asked, keys?: Keys): HttpRequest {
    return signed(this.#world!, asked, keys);
  }

  /** Undefined: the gateway crashed. A body that breaks off is an answer of status 0. */
  async ask(asked: Asked): Promise<Answered | undefined> {
    return await this.unlessCrashed(this.#gateway!.handle(this.sign(asked)).then(readAnswer));
  }

  async unlessCrashed<T>(promise: Promise<T>): Promise<T | undefined> {
    return await Promise.race([
      promise,
      new Promise<undefined>((resolve) => this.#onGone.push(() => resolve(undefined))),
    ]);
  }
}
