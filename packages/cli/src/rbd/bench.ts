/** `rbd bench` (tools/rbd/action/Bench.cc). */
import { formatBytes } from '@spirula/formatter';
import { RadosError } from '@spirula/rados';
import type { Image, WritableImage } from '@spirula/rbd';
import { describeErrno } from '../ceph/errno-text.ts';
import { openImage, openPool, orRefuse, withImage } from './context.ts';
import { Refusal } from './refusal.ts';
import { parseSize } from './size.ts';
import { takeImageSpec } from './spec.ts';
import { type OfflineContext, SNAPSHOT_OPTIONS, type VerbContext, type VerbDefinition } from './verb.ts';

const EINVAL = 22;

type Kind = 'read' | 'write' | 'readwrite';
type Pattern = 'rand' | 'seq' | 'full-seq';

interface Load {
  readonly kind: Kind;
  /** Bytes of an operation. */
  readonly size: number;
  readonly threads: number;
  /** Bytes of all. */
  readonly total: number;
  readonly pattern: Pattern;
  /** Of a hundred operations, how many read. */
  readonly reads: number;
}

const PATTERN_NAMES: Readonly<Record<Pattern, string>> = {
  rand: 'random',
  seq: 'sequential',
  'full-seq': 'full sequential',
};

async function bench(context: VerbContext): Promise<void> {
  const load = loadOf(context);
  const spec = takeImageSpec(context, { snapshot: load.kind === 'read' ? 'permitted' : 'none' });
  const io = await openPool(context, spec);
  const run = (image: Image | WritableImage) => orRefuse('bench failed', new Bench(context, image, load).run());
  if (load.kind === 'read') await run(await openImage(context, spec, io));
  else await withImage(context, io, spec.image, run);
}

/** @throws Refusal */
function loadOf({ options }: OfflineContext): Load {
  const kind = kindOf(options.get('io_type'));
  const pattern = options.get('io_pattern') ?? 'seq';
  if (!isPattern(pattern)) throw invalid('io-pattern');
  const size = parseSize(options.get('io_size') ?? '4096', 'io-size', 'B');
  const total = parseSize(options.get('io_total') ?? '1G', 'io-total', 'B');
  const threads = parseCount(options.get('io_threads') ?? '16', 'io-threads');
  const mixed = parseCount(options.get('rw_mix_read') ?? '50', 'rw-mix-read');
  if (size === 0) throw new Refusal('rbd: --io-size should be greater than zero.', EINVAL);
  if (threads === 0) throw new Refusal('rbd: --io-threads should be greater than zero.', EINVAL);
  if (kind === 'readwrite' && mixed > 100) {
    throw new Refusal('rbd: --rw-mix-read should not be larger than 100.', EINVAL);
  }
  const reads = kind === 'readwrite' ? mixed : kind === 'read' ? 100 : 0;
  return { kind, size, threads, total, pattern, reads };
}

function kindOf(text: string | undefined): Kind {
  if (text === undefined) throw new Refusal('rbd: --io-type must be specified.', EINVAL);
  if (text === 'read' || text === 'write' || text === 'readwrite') return text;
  if (text === 'rw') return 'readwrite';
  throw invalid('io-type');
}

function isPattern(text: string): text is Pattern {
  return text in PATTERN_NAMES;
}

function parseCount(text: string, option: string): number {
  if (!/^\d+$/.test(text)) throw invalid(option);
  return Number(text);
}

function invalid(option: string): Refusal {
  return new Refusal(`rbd: the argument for option '--${option}' is invalid`, 1);
}

/** Seconds of which the middle is shown. */
const WINDOW = 5;

/** Operations that are under way beside one another, and how fast they go. */
class Bench {
  readonly #env: VerbContext['env'];
  readonly #image: Image | WritableImage;
  readonly #load: Load;
  readonly #bytes: Uint8Array;
  readonly #startedAt = performance.now();
  #begun = 0;
  #readsBegun = 0;
  readonly #running = new Set<Promise<void>>();
  #failure: unknown;
  /** Of the last seconds: how long each was, and what was begun in it. */
  readonly #window: { readonly seconds: number; readonly operations: number }[] = [];
  #shownAt = 0;
  #shown = 0;

  constructor({ env }: VerbContext, image: Image | WritableImage, load: Load) {
    this.#env = env;
    this.#image = image;
    this.#load = load;
    this.#bytes = new Uint8Array(Math.min(load.size, image.size)).fill(Math.floor(256 * Math.random()));
  }

  async run(): Promise<void> {
    const { size, total } = this.#load;
    if (size > this.#image.size) {
      const [wanted, there] = [formatBytes(size), formatBytes(this.#image.size)];
      this.#env.stderr(`rbd: io-size ${wanted} larger than image size ${there}\n`);
      throw new RadosError(-EINVAL, 'the size');
    }
    this.#sayLoad();
    const places = new Places(this.#load, this.#image.size);
    while (this.#begun * size < total && this.#failure === undefined) {
      for (const offset of places.next(this.#begun * size)) {
        if (this.#begun * size >= total) break;
        if (this.#running.size >= this.#load.threads) await Promise.race(this.#running);
        this.#begin(offset);
      }
      this.#sayWhile();
    }
    await Promise.all(this.#running);
    if (this.#failure !== undefined) throw this.#failure;
    if ('flush' in this.#image) await this.#image.flush();
    this.#sayEnd();
  }

  #begin(offset: number): void {
    const { size, reads, kind } = this.#load;
    const isRead = Math.random() * 100 < reads;
    this.#begun += 1;
    if (isRead) this.#readsBegun += 1;
    const work =
      isRead || !('write' in this.#image) ? this.#image.read(offset, size) : this.#image.write(offset, this.#bytes);
    const running = work.then(
      () => {},
      (error: unknown) => {
        if (error instanceof RadosError) this.#env.stdout(`${kind} error: ${describeErrno(error.code)}\n`);
        this.#failure ??= error;
      },
    );
    const tracked = running.finally(() => this.#running.delete(tracked));
    this.#running.add(tracked);
  }

  get #elapsed(): number {
    return (performance.now() - this.#startedAt) / 1000;
  }

  #sayLoad(): void {
    const { kind, size, threads, total, pattern, reads } = this.#load;
    const mix = kind === 'readwrite' ? ` read:write=${reads}:${100 - reads}` : '';
    const how = `io_size ${size} io_threads ${threads} bytes ${total} pattern ${PATTERN_NAMES[pattern]}`;
    this.#env.stdout(`bench  type ${kind}${mix} ${how}\n  SEC       OPS   OPS/SEC   BYTES/SEC\n`);
  }

  /** Once a second. */
  #sayWhile(): void {
    const elapsed = this.#elapsed;
    if (Math.floor(elapsed) === Math.floor(this.#shownAt)) return;
    this.#window.push({ seconds: elapsed - this.#shownAt, operations: this.#begun - this.#shown });
    if (this.#window.length > WINDOW) this.#window.shift();
    this.#shownAt = elapsed;
    this.#shown = this.#begun;
    const sum = (of: 'seconds' | 'operations') => this.#window.reduce((total, each) => total + each[of], 0);
    const rate = sum('operations') / sum('seconds');
    const columns = [
      String(Math.floor(elapsed)).padStart(5),
      String(this.#begun - this.#load.threads).padStart(10),
      general(rate).padStart(10),
      `${formatBytes(rate * this.#load.size).padStart(10)}/s`,
    ];
    this.#env.stdout(`${columns.join('')}\n`);
  }

  #sayEnd(): void {
    const { kind, size } = this.#load;
    const elapsed = this.#elapsed;
    const line = (prefix: string, count: number) => {
      const rate = count / elapsed;
      return `${prefix}ops: ${count}   ${prefix}ops/sec: ${general(rate)}   ${prefix}bytes/sec: ${formatBytes(rate * size)}/s\n`;
    };
    this.#env.stdout(`elapsed: ${Math.floor(elapsed)}   ${line('', this.#begun)}`);
    if (kind !== 'readwrite') return;
    this.#env.stdout(line('read_', this.#readsBegun) + line('write_', this.#begun - this.#readsBegun));
  }
}

/** Where operations are next, one for each thread. */
class Places {
  readonly #load: Load;
  readonly #imageSize: number;
  /** Bytes that are one thread's, when all go from front to back. */
  readonly #chunk: number;
  #offsets: number[];

  constructor(load: Load, imageSize: number) {
    this.#load = load;
    this.#imageSize = imageSize;
    this.#chunk = Math.floor(imageSize / load.size / load.threads) * load.size;
    this.#offsets = Array.from({ length: load.threads }, (_, i) => {
      if (load.pattern === 'rand') return this.#random();
      return load.pattern === 'seq' ? this.#chunk * i : i * load.size;
    });
  }

  /** @param done bytes of the operations before */
  next(done: number): readonly number[] {
    if (done > 0) this.#offsets = this.#offsets.map((offset, i) => this.#advance(offset, i, done));
    return this.#offsets;
  }

  #advance(offset: number, i: number, done: number): number {
    const { pattern, size, threads } = this.#load;
    if (pattern === 'rand') return this.#random();
    if (pattern === 'full-seq') {
      const next = offset + size * threads;
      return next + size > this.#imageSize ? i * size : next;
    }
    const next = done < this.#chunk * threads ? offset + size : done + i * size;
    return next + size > this.#imageSize ? this.#chunk * i : next;
  }

  #random(): number {
    return Math.floor(Math.random() * Math.floor(this.#imageSize / this.#load.size)) * this.#load.size;
  }
}

/** As C++ prints a double: six digits that count. */
function general(value: number): string {
  const text = Number(value.toPrecision(6));
  return Math.abs(text) >= 1e6 ? text.toExponential().replace(/e\+(\d)$/, 'e+0$1') : String(text);
}

export const benchVerbs: readonly VerbDefinition[] = [
  {
    names: ['bench'],
    usage: [
      ['bench IMAGE --io-type KIND', 'read, write or readwrite [--io-size B] [--io-threads N] [--io-total B]'],
      ['', '[--io-pattern rand|seq|full-seq] [--rw-mix-read PERCENT]'],
    ],
    options: {
      ...SNAPSHOT_OPTIONS,
      '--io-type': ['io_type', 'value'],
      '--io-size': ['io_size', 'value'],
      '--io-threads': ['io_threads', 'value'],
      '--io-total': ['io_total', 'value'],
      '--io-pattern': ['io_pattern', 'value'],
      '--rw-mix-read': ['rw_mix_read', 'value'],
    },
    maxArgs: 1,
    run: bench,
  },
];
