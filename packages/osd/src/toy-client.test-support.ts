/**
 * A client that writes and reads objects, one request after another on each, and knows what it must see: a read returns
 * what the last write that was acknowledged wrote, data, xattrs and omap.
 */
import { Decoder, Encoder, fromUtf8, type RawString, utf8 } from '@spirula/encoding';
import {
  decodeOpEntries,
  extentOp,
  type Message,
  OpFlag,
  OsdFlag,
  type OsdOp,
  OsdOpCode,
  omapGetValsOp,
  plainOp,
  xattrOp,
} from '@spirula/messages';
import { MonClient } from '@spirula/mon-client';
import { Objecter, type ObjectReply } from '@spirula/objecter';
import type { WorldEvent } from '@spirula/world';
import { FSID, type ToyMonitor } from './toy-monitor.test-support.ts';
import type { ToyNetwork, ToyNode } from './toy-network.test-support.ts';

const ENOENT = -2;

/** What an object holds. */
interface Content {
  readonly data: string;
  readonly attrs: ReadonlyMap<string, string>;
  readonly header: string;
  readonly omap: ReadonlyMap<string, string>;
}

const NOTHING: Content = { data: '', attrs: new Map(), header: '', omap: new Map() };

interface ObjectState {
  readonly name: string;
  /** Undefined: it does not exist. */
  content: Content | undefined;
  busy: boolean;
}

/** What a write does: the ops, and what the object holds after them. */
interface Change {
  readonly ops: readonly OsdOp[];
  readonly after: Content | undefined;
}

const REMOVAL: Change = { ops: [plainOp(OsdOpCode.delete)], after: undefined };

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

  /** Reads every object that no request is under way on once more. */
  readAll(): void {
    for (const object of this.objects) if (!object.busy) this.#read(object, () => {});
  }

  /** One write to every object that none is under way on. Large ones have tens of parts in recovery. */
  writeAll(size: 'small' | 'large'): void {
    for (const object of this.objects) {
      if (object.busy) continue;
      const large = size === 'large' && this.#network.below(2) === 0;
      this.#write(object, large ? this.#large() : this.#change(object), () => {});
    }
  }

  #pause(object: ObjectState): void {
    this.#network.at(this.#network.now + this.#network.below(400_000), () => {
      if (!this.stopped) this.#next(object);
    });
  }

  #next(object: ObjectState): void {
    const then = () => this.#pause(object);
    if (this.#network.below(3) === 0) this.#read(object, then);
    else this.#write(object, this.#change(object), then);
  }

  #read(object: ObjectState, then: () => void): void {
    const expected = object.content && describe(object.content);
    const ops = [
      extentOp(OsdOpCode.read, 0, 0),
      plainOp(OsdOpCode.getxattrs),
      plainOp(OsdOpCode.omapGetHeader),
      omapGetValsOp('', 100_000),
    ];
    this.#submit(object, ops, OsdFlag.read, (reply) => {
      const got =
        reply.result === ENOENT
          ? undefined
          : reply.result < 0
            ? `error ${reply.result}`
            : describe(contentOf(reply.ops.map(({ output }) => output)));
      if (got !== expected) {
        this.violations.push(
          `${object.name} at ${this.#network.now}: read ${brief(got)}, written was ${brief(expected)}`,
        );
      }
      then();
    });
  }

  #write(object: ObjectState, { ops, after }: Change, then: () => void): void {
    const existed = object.content !== undefined;
    this.#submit(object, ops, OsdFlag.write, ({ result }) => {
      const expected = after === undefined && !existed ? ENOENT : 0;
      if (result !== expected) this.violations.push(`${object.name}: a write answered ${result}, not ${expected}`);
      object.content = after;
      const { onceWritten } = this;
      this.onceWritten = undefined;
      onceWritten?.();
      then();
    });
  }

  #change(object: ObjectState): Change {
    const { content } = object;
    const text = this.#newText();
    if (!content) return this.#network.below(8) === 0 ? REMOVAL : writeFull(NOTHING, text);
    const key = `k${this.#network.below(8)}`;
    const value = text.slice(0, 100);
    const at = this.#network.below(content.data.length + 100);
    switch (this.#network.below(11)) {
      case 0:
        return REMOVAL;
      case 1: {
        const [name] = content.attrs.keys();
        if (name === undefined) return setXattr(content, key, value);
        const attrs = new Map(content.attrs);
        attrs.delete(name);
        return { ops: [xattrOp(OsdOpCode.rmxattr, name)], after: { ...content, attrs } };
      }
      case 2:
        return {
          ops: [extentOp(OsdOpCode.append, 0, text.length, utf8(text))],
          after: { ...content, data: content.data + text },
        };
      case 3:
        return {
          ops: [extentOp(OsdOpCode.write, at, text.length, utf8(text))],
          after: { ...content, data: fit(content.data, at) + text + content.data.slice(at + text.length) },
        };
      case 4:
        return { ops: [extentOp(OsdOpCode.truncate, at, 0)], after: { ...content, data: fit(content.data, at) } };
      case 5:
        return setXattr(content, key, value);
      case 6:
        return setOmap(content, new Map([[key, value]]));
      case 7:
        return { ops: [plainOp(OsdOpCode.omapSetHeader, utf8(value))], after: { ...content, header: value } };
      case 8:
      case 9: {
        const omap = new Map(content.omap);
        const keys = [key, ...[...omap.keys()].slice(0, 3)];
        for (const each of keys) omap.delete(each);
        return { ops: [plainOp(OsdOpCode.omapRmKeys, encodeKeys(keys))], after: { ...content, omap } };
      }
      default:
        return writeFull(content, text);
    }
  }

  /** All of it anew, each part plenty or little, in one request. */
  #large(): Change {
    const word = this.#newText().slice(0, 9);
    const entries = new Map<string, string>();
    const count = (plenty: number) => this.#network.below(this.#network.below(2) === 0 ? plenty : 4);
    for (let i = count(200); i > 0; i--) entries.set(`key ${this.#network.below(1000)}`, word.repeat(i));
    const changes = [writeFull(NOTHING, word.repeat(count(6000)))];
    changes.push(setOmap(changes.at(-1)!.after!, entries));
    for (let i = this.#network.below(5); i > 0; i--) {
      changes.push(setXattr(changes.at(-1)!.after!, `x${i}`, word.repeat(count(1500))));
    }
    const removal = plainOp(OsdOpCode.delete, undefined, OpFlag.failok);
    return { ops: [removal, ...changes.flatMap(({ ops }) => ops)], after: changes.at(-1)!.after };
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

function writeFull(before: Content, data: string): Change {
  return { ops: [extentOp(OsdOpCode.writefull, 0, data.length, utf8(data))], after: { ...before, data } };
}

function setXattr(before: Content, name: string, value: string): Change {
  const attrs = new Map(before.attrs).set(name, value);
  return { ops: [xattrOp(OsdOpCode.setxattr, name, utf8(value))], after: { ...before, attrs } };
}

function setOmap(before: Content, entries: ReadonlyMap<string, string>): Change {
  const input = new Encoder(256);
  input.map(
    entries,
    (key) => input.rawString(key),
    (value) => input.blob(utf8(value)),
  );
  const omap = new Map([...before.omap, ...entries]);
  return { ops: [plainOp(OsdOpCode.omapSetVals, input.finish())], after: { ...before, omap } };
}

function encodeKeys(keys: readonly RawString[]) {
  const input = new Encoder(64);
  input.list(keys, (key) => input.rawString(key));
  return input.finish();
}

/** The first `size` bytes, with zeros where there are none. */
function fit(data: string, size: number): string {
  return data.slice(0, size).padEnd(size, '\0');
}

/** What data, xattrs, header and omap were answered with. */
function contentOf([data, attrs, header, omap]: readonly Uint8Array[]): Content {
  return { data: fromUtf8(data!), attrs: decodeEntries(attrs!), header: fromUtf8(header!), omap: decodeEntries(omap!) };
}

function decodeEntries(bytes: Uint8Array): ReadonlyMap<string, string> {
  return new Map([...decodeOpEntries(new Decoder(bytes))].map(([key, value]) => [key, fromUtf8(value)]));
}

function describe({ data, attrs, header, omap }: Content): string {
  const lines = (map: ReadonlyMap<string, string>) => [...map].map(([key, value]) => `${key}=${value}`).sort();
  return [data, header, ...lines(attrs), '', ...lines(omap)].join('\n');
}

function brief(text: string | undefined): string {
  if (text === undefined) return 'nothing';
  return text.length <= 40 ? text : `${text.slice(0, 30)}… (${text.length})`;
}
