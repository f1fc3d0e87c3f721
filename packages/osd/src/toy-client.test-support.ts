/**
 * A client that writes and reads objects, one request after another on each, and knows what it must see: a read returns
 * what the last write that was acknowledged wrote.
 */
import { fromUtf8, utf8 } from '@spirula/encoding';
import { extentOp, type Message, OsdFlag, type OsdOp, OsdOpCode } from '@spirula/messages';
import { MonClient } from '@spirula/mon-client';
import { Objecter, type ObjectReply } from '@spirula/objecter';
import type { WorldEvent } from '@spirula/world';
import { FSID, type ToyMonitor } from './toy-monitor.test-support.ts';
import type { ToyNetwork, ToyNode } from './toy-network.test-support.ts';

const ENOENT = -2;

interface ObjectState {
  readonly name: string;
  /** Undefined: it does not exist. */
  content: string | undefined;
  busy: boolean;
}

export class ToyClient {
  readonly node: ToyNode;
  readonly violations: string[] = [];
  readonly objects: ObjectState[];
  readonly #network: ToyNetwork;
  readonly #mon: MonClient;
  readonly #objecter: Objecter;
  readonly #pool: number;
  #count = 0;
  done = 0;
  stopped = false;
  /** Called once, as soon as the next write is acknowledged. */
  onceWritten: (() => void) | undefined;

  constructor(network: ToyNetwork, monitor: ToyMonitor, id: number, pool: number, objects: number) {
    this.#network = network;
    this.#pool = pool;
    this.node = network.addNode({ type: 'client', id: String(id) }, 4000 + id);
    this.objects = Array.from({ length: objects }, (_, i) => ({
      name: `c${id}-${i}`,
      content: undefined,
      busy: false,
    }));
    this.#mon = new MonClient({
      world: this.node.world,
      endpoint: 'public',
      monAddrs: [monitor.addrs],
      fsid: FSID,
      onMessage: (message) => {
        if (message.type === 'osd_map') this.#objecter.handleOsdMap(message);
      },
    });
    this.#objecter = new Objecter({ world: this.node.world, endpoint: 'public', mon: this.#mon });
    this.node.onEvent = (event: WorldEvent<Message>) => this.#mon.handle(event) || this.#objecter.handle(event);
    this.#mon.start();
    this.#objecter.start();
  }

  get inflight(): number {
    return this.objects.filter(({ busy }) => busy).length;
  }

  /** Keeps a request under way on every object, with pauses. */
  start(): void {
    for (const object of this.objects) this.#pause(object);
  }

  /** Reads every object once more. */
  readAll(): void {
    for (const object of this.objects) this.#read(object, () => {});
  }

  #pause(object: ObjectState): void {
    this.#network.at(this.#network.now + this.#network.below(400_000), () => {
      if (!this.stopped) this.#next(object);
    });
  }

  #next(object: ObjectState): void {
    const then = () => this.#pause(object);
    switch (this.#network.below(6)) {
      case 0:
      case 1:
        this.#read(object, then);
        return;
      case 2:
        this.#append(object, then);
        return;
      case 3:
        this.#remove(object, then);
        return;
      default:
        this.#writeFull(object, then);
    }
  }

  #read(object: ObjectState, then: () => void): void {
    const expected = object.content;
    this.#submit(object, [extentOp(OsdOpCode.read, 0, 0)], OsdFlag.read, (reply) => {
      const got =
        reply.result === ENOENT
          ? undefined
          : reply.result < 0
            ? `error ${reply.result}`
            : fromUtf8(reply.ops[0]!.output);
      if (got !== expected) {
        this.violations.push(
          `${object.name} at ${this.#network.now}: read ${brief(got)}, written was ${brief(expected)}`,
        );
      }
      then();
    });
  }

  #writeFull(object: ObjectState, then: () => void): void {
    const text = this.#newText();
    const op = extentOp(OsdOpCode.writefull, 0, text.length, utf8(text));
    this.#submit(object, [op], OsdFlag.write, (reply) => this.#onWritten(object, reply, text, then));
  }

  #append(object: ObjectState, then: () => void): void {
    const text = this.#newText();
    const op = extentOp(OsdOpCode.append, 0, text.length, utf8(text));
    const after = (object.content ?? '') + text;
    this.#submit(object, [op], OsdFlag.write, (reply) => this.#onWritten(object, reply, after, then));
  }

  #remove(object: ObjectState, then: () => void): void {
    const existed = object.content !== undefined;
    this.#submit(object, [extentOp(OsdOpCode.delete, 0, 0)], OsdFlag.write, (reply) => {
      if (reply.result !== (existed ? 0 : ENOENT)) {
        this.violations.push(
          `${object.name}: delete answered ${reply.result}, the object ${existed ? 'was' : 'was not'} there`,
        );
      }
      object.content = undefined;
      then();
    });
  }

  #onWritten(object: ObjectState, { result }: ObjectReply, text: string, then: () => void): void {
    if (result !== 0) this.violations.push(`${object.name}: a write answered ${result}`);
    object.content = text;
    const { onceWritten } = this;
    this.onceWritten = undefined;
    onceWritten?.();
    then();
  }

  #newText(): string {
    this.#count += 1;
    return `<${this.node.entity.id}.${this.#count}>`.repeat(
      1 + this.#network.below(this.#network.below(8) === 0 ? 2000 : 20),
    );
  }

  #submit(object: ObjectState, ops: readonly OsdOp[], flags: number, done: (reply: ObjectReply) => void): void {
    object.busy = true;
    const locator = { pool: this.#pool, key: '', nspace: '', hash: -1n };
    this.#objecter.submit({ oid: object.name, locator, ops, flags }, (reply) => {
      object.busy = false;
      this.done += 1;
      done(reply);
    });
  }
}

function brief(text: string | undefined): string {
  if (text === undefined) return 'nothing';
  return text.length <= 40 ? text : `${text.slice(0, 30)}… (${text.length})`;
}
