/** Clients that read and write objects they share, and say when they are told what cannot be. */
import { type Bytes, bytesFromRaw, Decoder, Errno, type PoolId, type RawString } from '@spirula/encoding';
import type { Message, OsdOp } from '@spirula/messages';
import { MonClient, type MonClientOptions } from '@spirula/mon-client';
import { Objecter, type ObjectReply } from '@spirula/objecter';
import { ObjectOperation } from '@spirula/rados';
import type { SeededRandom } from '@spirula/sim-world';
import type { Daemon, Instant, World, WorldEvent } from '@spirula/world';
import { ObjectHistory, type OpId } from './linearizability.ts';
import {
  type Change,
  type Content,
  describeData,
  describeState,
  readState,
  sameRead,
  stateOf,
} from './object-model.ts';

interface WorkloadConfig {
  readonly objects: number;
  /** Requests that a client keeps under way. */
  readonly workers: number;
  /** A worker rests for up to so long between requests. */
  readonly restUs: Instant;
  /** And stays with an object for up to so many requests. */
  readonly stay: number;
  /** One time in so many it only reads meanwhile. */
  readonly onlyReadsOneIn: number;
  /** One request in so many is given up after `timeoutUs`; 0: none is. */
  readonly timeoutOneIn: number;
  readonly timeoutUs: Instant;
  /** Most bytes of one write, and of the few large ones. */
  readonly writeBytes: number;
  readonly largeWriteBytes: number;
  readonly largeOneIn: number;
}

/** Requests under way on one object, and those with unknown outcome: the more, the more ways a checker must follow. */
const MAX_PENDING_WRITES = 4;
const MAX_ABANDONED = 3;
const MAX_OBJECT_BYTES = 256 << 10;
const OMAP_KEYS = 6;
const XATTRS = 3;
const OMAP_PAGE = 1000;

/** The objects that all clients of a workload share, and what is known of each. */
export class SharedObjects {
  readonly names: readonly RawString[];
  readonly #histories: ReadonlyMap<RawString, ObjectHistory>;
  #lastOp: OpId = 0;
  #lastRequest = 0;

  constructor(count: number) {
    this.names = Array.from({ length: count }, (_, i) => `object-${i}`);
    this.#histories = new Map(this.names.map((name) => [name, new ObjectHistory()]));
  }

  history(name: RawString): ObjectHistory {
    return this.#histories.get(name)!;
  }

  nextOp(): OpId {
    this.#lastOp += 1;
    return this.#lastOp;
  }

  nextRequest(): number {
    this.#lastRequest += 1;
    return this.#lastRequest;
  }

  get unchecked(): number {
    return [...this.#histories.values()].filter(({ checked }) => !checked).length;
  }
}

export interface WorkloadOptions {
  readonly name: string;
  readonly monAddrs: MonClientOptions['monAddrs'];
  readonly fsid: NonNullable<MonClientOptions['fsid']>;
  readonly config: WorkloadConfig;
  readonly objects: SharedObjects;
  readonly random: SeededRandom;
  onViolation(problem: string): void;
  /** A write of this object, of so many bytes, was acknowledged just now. */
  onAcknowledged(name: RawString, bytes: number): void;
  /** For traces: `id` counts the requests of all clients. */
  onRequest(id: number, name: RawString, ops: readonly OsdOp[]): void;
  onAnswer(id: number, name: RawString, result: number): void;
  /** A read was answered just now. */
  onRead(): void;
}

const WORKER_TIMER = 'worker ';
const FOCUS_TIMER = 'focus';
/** Rest between requests on the object in focus. */
const FOCUS_REST: Instant = 200_000;

/** The object that is used above all others for a while. */
interface Focus {
  readonly name: RawString;
  readonly how: 'reading' | 'writing';
}

/** What a worker is at. */
interface Stay {
  readonly name: RawString;
  readonly onlyReads: boolean;
  readonly requestsLeft: number;
}

/** One client process: as real ones, a mon client and an objecter. */
export class WorkloadClient implements Daemon<Message> {
  readonly mon: MonClient;
  readonly objecter: Objecter;
  readonly #world: World<Message>;
  readonly #options: WorkloadOptions;
  #pool: PoolId = 0;
  #working = false;
  /** Beside the workers' requests. */
  #focus: Focus | undefined;
  /** By worker. */
  readonly #stays = new Map<string, Stay>();
  #underWay = 0;
  #writes = 0;
  /** Requests answered, and those given up. */
  done = 0;
  timedOut = 0;

  constructor(world: World<Message>, options: WorkloadOptions) {
    this.#world = world;
    this.#options = options;
    const { monAddrs, fsid } = options;
    this.mon = new MonClient({
      world,
      endpoint: 'public',
      monAddrs,
      fsid,
      onMessage: (message) => {
        if (message.type === 'osd_map') this.objecter.handleOsdMap(message);
      },
    });
    this.objecter = new Objecter({ world, endpoint: 'public', mon: this.mon });
  }

  start(): void {
    this.objecter.start();
    this.mon.start();
  }

  handle(event: WorldEvent<Message>): void {
    if (event.kind === 'timer' && event.name.startsWith(WORKER_TIMER)) this.#work(event.name);
    else if (event.kind === 'timer' && event.name === FOCUS_TIMER) this.#goOn();
    else if (!this.mon.handle(event)) this.objecter.handle(event);
  }

  /** Requests without an answer. */
  get underWay(): number {
    return this.#underWay;
  }

  beginWork(pool: PoolId): void {
    this.#pool = pool;
    this.#working = true;
    for (let i = 0; i < this.#options.config.workers; i++) this.#rest(WORKER_TIMER + i);
  }

  stopWork(): void {
    this.#working = false;
  }

  /** Reads or writes an object again and again, until `endFocus`. */
  focusOn(name: RawString, how: Focus['how']): void {
    const isIdle = this.#focus === undefined;
    this.#focus = { name, how };
    if (isIdle) this.#goOn();
  }

  endFocus(): void {
    this.#focus = undefined;
  }

  #goOn(): void {
    const { clock } = this.#world;
    if (this.#focus === undefined) return;
    const { name, how } = this.#focus;
    if (!this.#working) {
      this.#focus = undefined;
      return;
    }
    const then = () => clock.arm(FOCUS_TIMER, clock.now() + this.#options.random.below(FOCUS_REST));
    const mayWrite = this.#options.objects.history(name).pendingWrites < MAX_PENDING_WRITES;
    if (how === 'writing' && mayWrite) this.#write(name, this.#drawChanges(), undefined, then);
    else this.#readWhole(name, undefined, then);
  }

  /** Reads every object whole, once. */
  readAll(pool: PoolId): void {
    this.#pool = pool;
    for (const name of this.#options.objects.names) this.#readWhole(name, undefined, () => {});
  }

  #rest(worker: string): void {
    const { clock } = this.#world;
    clock.arm(worker, clock.now() + this.#options.random.below(this.#options.config.restUs));
  }

  #work(worker: string): void {
    if (!this.#working) return;
    const { random, objects, config } = this.#options;
    const { name, onlyReads } = this.#drawStay(worker);
    const then = () => this.#rest(worker);
    const timeoutUs = random.oneIn(config.timeoutOneIn) ? config.timeoutUs : undefined;
    const history = objects.history(name);
    const mayWrite = !onlyReads && history.pendingWrites < MAX_PENDING_WRITES;
    if (mayWrite && random.below(10) < 6) {
      this.#write(name, this.#drawChanges(), history.abandoned < MAX_ABANDONED ? timeoutUs : undefined, then);
    } else if (random.oneIn(3)) this.#readPart(name, timeoutUs, then);
    else this.#readWhole(name, timeoutUs, then);
  }

  #drawStay(worker: string): Stay {
    const { random, objects, config } = this.#options;
    let stay = this.#stays.get(worker);
    if (stay === undefined || stay.requestsLeft === 0) {
      const onlyReads = random.oneIn(config.onlyReadsOneIn);
      stay = { name: random.pick(objects.names), onlyReads, requestsLeft: random.between(1, config.stay) };
    }
    this.#stays.set(worker, { ...stay, requestsLeft: stay.requestsLeft - 1 });
    return stay;
  }

  // Writes

  #drawChanges(): Change[] {
    const { random } = this.#options;
    if (random.oneIn(5)) return [{ kind: 'remove' }];
    const changes = [this.#drawChange()];
    while (random.oneIn(3)) changes.push(this.#drawChange());
    return changes;
  }

  #drawChange(): Change {
    const { random } = this.#options;
    switch (random.below(9)) {
      case 0:
      case 1:
        return { kind: 'append', data: this.#newData() };
      case 2:
      case 3:
        return { kind: 'writeFull', data: this.#newData() };
      case 4:
        return { kind: 'truncate', size: random.below(random.pick([100, 10_000, MAX_OBJECT_BYTES])) };
      case 5:
        return { kind: 'setXattr', name: `x${random.below(XATTRS)}`, value: this.#newMark() };
      case 6:
        return { kind: 'omapSet', key: `k${random.below(OMAP_KEYS)}`, value: this.#newMark() };
      case 7:
        return { kind: 'omapRm', key: `k${random.below(OMAP_KEYS)}` };
      default: {
        const offset = random.below(random.pick([1, 1000, 20_000, MAX_OBJECT_BYTES]));
        return { kind: 'write', offset, data: this.#newData() };
      }
    }
  }

  /** Bytes that nothing else writes. */
  #newMark(): Bytes {
    this.#writes += 1;
    return bytesFromRaw(`<${this.#options.name}.${this.#writes}>`);
  }

  #newData(): Bytes {
    const { random, config } = this.#options;
    const mark = this.#newMark();
    const length = 1 + random.below(random.oneIn(config.largeOneIn) ? config.largeWriteBytes : config.writeBytes);
    const data = new Uint8Array(length);
    data.set(mark.subarray(0, length));
    for (let filled = mark.length; filled < length; filled *= 2) data.copyWithin(filled, 0, filled);
    return data;
  }

  #write(name: RawString, changes: readonly Change[], timeoutUs: Instant | undefined, then: () => void): void {
    const operation = new ObjectOperation();
    for (const change of changes) addChange(operation, change);
    const history = this.#options.objects.history(name);
    const id = this.#options.objects.nextOp();
    history.beginWrite(id, changes);
    this.#submit(name, operation, timeoutUs, (reply) => {
      if (isUnknown(reply)) history.abandonWrite(id);
      else {
        const problem = history.endWrite(id, reply.result);
        if (reply.result >= 0) this.#options.onAcknowledged(name, sumOfBytes(changes));
        if (problem !== undefined) this.#violate(`${name}: ${changes.map(({ kind }) => kind).join('+')}: ${problem}`);
      }
      then();
    });
  }

  // Reads

  #readWhole(name: RawString, timeoutUs: Instant | undefined, then: () => void): void {
    const operation = new ObjectOperation().read().getXattrs().omapGetVals('', OMAP_PAGE);
    this.#read(name, operation, timeoutUs, then, (history, id, reply) => {
      const read = stateOf(reply.result < 0 ? undefined : decodeContent(reply));
      const problem = history.endRead(id, ({ key }) => key === read.key);
      return problem && `read [${describeState(read)}]; ${problem}`;
    });
  }

  #readPart(name: RawString, timeoutUs: Instant | undefined, then: () => void): void {
    const { random } = this.#options;
    const offset = random.below(random.pick([1, 5000, MAX_OBJECT_BYTES]));
    const length = 1 + random.below(random.pick([100, 9000, MAX_OBJECT_BYTES]));
    this.#read(name, new ObjectOperation().read(offset, length), timeoutUs, then, (history, id, reply) => {
      const read = reply.result < 0 ? undefined : reply.ops[0]!.output;
      const problem = history.endRead(id, (state) => sameRead(readState(state, offset, length), read));
      return problem && `read ${offset}~${length} ${read ? describeData(read) : 'nothing'}; ${problem}`;
    });
  }

  #read(
    name: RawString,
    operation: ObjectOperation,
    timeoutUs: Instant | undefined,
    then: () => void,
    judge: (history: ObjectHistory, id: OpId, reply: ObjectReply) => string | undefined,
  ): void {
    const history = this.#options.objects.history(name);
    const id = this.#options.objects.nextOp();
    history.beginRead(id);
    this.#submit(name, operation, timeoutUs, (reply) => {
      if (isUnknown(reply)) history.abandonRead(id);
      else if (reply.result < 0 && reply.result !== Errno.ENOENT) {
        history.abandonRead(id);
        this.#violate(`${name}: a read was answered with ${reply.result}`);
      } else {
        this.#options.onRead();
        const problem = judge(history, id, reply);
        if (problem !== undefined) this.#violate(`${name}: ${problem}`);
      }
      then();
    });
  }

  #submit(
    oid: RawString,
    operation: ObjectOperation,
    timeoutUs: Instant | undefined,
    done: (reply: ObjectReply) => void,
  ): void {
    this.#underWay += 1;
    const locator = { pool: this.#pool, key: '', nspace: '', hash: -1n };
    const { ops, flags } = operation;
    const request = this.#options.objects.nextRequest();
    this.#options.onRequest(request, oid, ops);
    this.objecter.submit({ oid, locator, ops, flags, ...(timeoutUs !== undefined && { timeoutUs }) }, (reply) => {
      this.#options.onAnswer(request, oid, reply.result);
      this.#underWay -= 1;
      if (isUnknown(reply)) this.timedOut += 1;
      else this.done += 1;
      done(reply);
    });
  }

  #violate(problem: string): void {
    this.#options.onViolation(`${this.#options.name}: ${problem}`);
  }
}

/** Given up here: whether an OSD has done it, or will, is not known. */
function isUnknown({ result }: ObjectReply): boolean {
  return result === Errno.ETIMEDOUT;
}

function sumOfBytes(changes: readonly Change[]): number {
  return changes.reduce((sum, change) => sum + ('data' in change ? change.data.length : 0), 0);
}

function addChange(operation: ObjectOperation, change: Change): void {
  switch (change.kind) {
    case 'write':
      operation.write(change.data, change.offset);
      break;
    case 'writeFull':
      operation.writeFull(change.data);
      break;
    case 'append':
      operation.append(change.data);
      break;
    case 'truncate':
      operation.truncate(change.size);
      break;
    case 'remove':
      operation.remove();
      break;
    case 'setXattr':
      operation.setXattr(change.name, change.value);
      break;
    case 'omapSet':
      operation.omapSet(new Map([[change.key, change.value]]));
      break;
    case 'omapRm':
      operation.omapRmKeys([change.key]);
      break;
  }
}

/** The reply to a read of everything. @throws MalformedInput */
function decodeContent({ ops }: ObjectReply): Content {
  const [data, xattrs, omap] = ops;
  return { data: data!.output, xattrs: decodeMap(xattrs!.output), omap: decodeMap(omap!.output) };
}

function decodeMap(bytes: Bytes): Map<RawString, Bytes> {
  const decoder = new Decoder(bytes);
  return decoder.map(
    'values',
    8,
    () => decoder.rawString('key'),
    () => decoder.blob('value'),
  );
}
