/** Machines on which programs run that have an image open. */
import { Errno } from '@spirula/encoding';
import type { Message } from '@spirula/messages';
import { Rados, RadosError } from '@spirula/rados';
import { WritableImage } from '@spirula/rbd';
import type { Lab } from '@spirula/sim-scenarios';
import type { SimProcess } from '@spirula/sim-world';
import { type Daemon, SECOND, Sleeper, type World, type WorldEvent } from '@spirula/world';

export interface OpenedImage {
  readonly pool: string;
  readonly name: string;
  /** Bytes of writes that it holds back at most. */
  readonly cacheBytes: number;
}

/** A program that has the image open. */
class ImageUser implements Daemon<Message> {
  readonly rados: Rados;
  readonly #opened: OpenedImage;
  readonly #sleeper: Sleeper;
  readonly #world: World<Message>;
  readonly #onOpen: (image: WritableImage) => void;
  readonly #onFailure: () => void;

  constructor(
    opened: OpenedImage,
    rados: Rados,
    world: World<Message>,
    onOpen: (image: WritableImage) => void,
    onFailure: () => void,
  ) {
    this.#opened = opened;
    this.rados = rados;
    this.#world = world;
    this.#sleeper = new Sleeper(world.clock, 'image');
    this.#onOpen = onOpen;
    this.#onFailure = onFailure;
  }

  get auth() {
    return this.rados.auth;
  }

  start(): void {
    this.#open().then(this.#onOpen, this.#onFailure);
  }

  handle(event: WorldEvent<Message>): void {
    if (event.kind === 'timer' && event.name === 'image') this.#sleeper.onTimer();
    else this.rados.handle(event);
  }

  async #open(): Promise<WritableImage> {
    await this.rados.connect();
    const sleep = (us: number) => this.#sleeper.sleep(us);
    const { clock, crypto } = this.#world;
    const world = { sleep, randomBytes: (count: number) => crypto.randomBytes(count), wall: () => clock.wall() };
    const { pool, name, cacheBytes } = this.#opened;
    return await WritableImage.open(this.rados, await this.rados.ioctx(pool), name, world, { cacheBytes });
  }
}

/** A machine on which one runs, again and again. */
export class ImagePlace {
  readonly process: SimProcess;
  image: WritableImage | undefined;
  #onGone: (() => void)[] = [];
  #current: unknown;

  constructor(lab: Lab, name: string, opened: OpenedImage) {
    lab.cluster.addTools(name, (world, monAddrs, auth) => {
      this.#current = world;
      const rados = new Rados(world, { monAddrs, auth, fsid: lab.cluster.fsid });
      const onOpen = (image: WritableImage) => {
        if (this.#current === world) this.image = image;
      };
      const onFailure = () => {
        if (this.#current === world) this.process.restart(SECOND);
      };
      return new ImageUser(opened, rados, world, onOpen, onFailure);
    });
    this.process = lab.simulation.processes.at(-1)!;
    lab.simulation.onProcessExit((process) => {
      if (process !== this.process) return;
      this.image = undefined;
      this.#current = undefined;
      for (const told of this.#onGone.splice(0)) told();
    });
  }

  /** Whether it was done. One that was taken for dead begins anew. */
  async attempt(work: (image: WritableImage) => Promise<void>): Promise<boolean> {
    const gone = new Promise<boolean>((resolve) => this.#onGone.push(() => resolve(false)));
    const done = work(this.image!).then(
      () => true,
      (error: unknown) => {
        if (!(error instanceof RadosError)) throw error;
        if (error.code === Errno.ESHUTDOWN) this.process.restart(SECOND);
        return false;
      },
    );
    return await Promise.race([done, gone]);
  }
}
