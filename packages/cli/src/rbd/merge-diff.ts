/** `rbd merge-diff`: two differences that follow one another as one; no cluster is asked (tools/rbd/action/MergeDiff.cc). */
import { unlinkSync } from 'node:fs';
import { Errno, type RawString } from '@spirula/encoding';
import { RadosError } from '@spirula/rados';
import { type ByteSink, type ByteSource, openSink, openSource, readExact, STANDARD } from './byte-streams.ts';
import { Banner, DiffTag, RecordWriter, readName, readStretch, readTag, readU64 } from './diff-stream.ts';
import { type Complain, orComplain } from './import-diff.ts';
import { type OnProgress, withProgress } from './progress.ts';
import { Refusal } from './refusal.ts';
import { type OfflineContext, PROGRESS_OPTIONS, type VerbDefinition } from './verb.ts';

const EINVAL = 22;
/** Bytes of data that are read at a time. */
const PIECE = 4 << 20;

async function mergeDiff(context: OfflineContext): Promise<void> {
  const { options, args } = context;
  const [first, second] = [args.take(), args.take()];
  if (first === '') throw new Refusal('rbd: first diff was not specified', EINVAL);
  if (second === '') throw new Refusal('rbd: second diff was not specified', EINVAL);
  const path = options.get('path') ?? args.take();
  if (path === '') throw new Refusal('rbd: path was not specified', EINVAL);
  try {
    await withProgress(context, 'Merging image diff', (onProgress) =>
      mergeFiles(context, [first, second, path], onProgress),
    );
  } catch (error) {
    if (!(error instanceof RadosError)) throw error;
    throw new Refusal('rbd: merge-diff error', -error.code);
  }
}

async function mergeFiles(
  { env }: OfflineContext,
  [first, second, path]: readonly [string, string, string],
  onProgress: OnProgress,
): Promise<void> {
  const complain: Complain = (problem) => env.stderr(`${problem}\n`);
  const open = (name: string) => orComplain(complain, `rbd: error opening ${name}`, openSource(name));
  const opened: { close(): Promise<void> }[] = [];
  try {
    const sources: ByteSource[] = [];
    for (const name of [first, second]) {
      const source = await open(name);
      sources.push(source);
      opened.push(source);
    }
    const sink = await orComplain(complain, `rbd: error create ${path}`, openSink(path, env.stdout));
    opened.push(sink);
    try {
      await merge(sources[0]!, sources[1]!, sink, complain, onProgress);
    } catch (error) {
      if (path !== STANDARD) unlinkSync(path);
      throw error;
    }
  } finally {
    for (const each of opened) await each.close();
  }
}

/** What stands before the stretches. */
interface Front {
  readonly from: RawString;
  readonly to: RawString;
  readonly size: number;
}

/** One of two differences: its stretches in order, and behind the last, up to where the longer image ends, one more. */
class Stretches {
  readonly #source: ByteSource;
  readonly #which: 'first' | 'second';
  readonly #complain: Complain;
  #tag: string;
  /** Of what is left of the stretch. */
  offset = 0;
  length = 0;
  hasEnded = false;
  /** Whether its data follow in the source. */
  hasData = false;

  constructor(source: ByteSource, which: 'first' | 'second', tag: string, complain: Complain) {
    this.#source = source;
    this.#which = which;
    this.#tag = tag;
    this.#complain = complain;
  }

  /** @param size of its image @param otherSize of the other */
  async next(size: number, otherSize: number): Promise<void> {
    const before = this.offset;
    const reading = this.#readHead();
    const head = await orComplain(this.#complain, `rbd: failed to read ${this.#which} diff data chunk header`, reading);
    this.hasEnded = head === undefined;
    this.offset = head?.offset ?? size;
    this.length = head?.length ?? Math.max(0, otherSize - size);
    if (before > this.offset) {
      this.#complain(`rbd: out-of-order offset from ${this.#which} diff (${before} > ${this.offset})`);
      throw new RadosError(Errno.EOPNOTSUPP, 'the offset');
    }
  }

  /** Undefined: there are no more. */
  async #readHead(): Promise<{ readonly offset: number; readonly length: number } | undefined> {
    if (this.#tag === '') this.#tag = await readTag(this.#source);
    const tag = this.#tag;
    this.#tag = '';
    this.hasData = tag === DiffTag.write;
    if (tag === DiffTag.end) return undefined;
    if (tag !== DiffTag.write && tag !== DiffTag.zero) throw new RadosError(Errno.EOPNOTSUPP, 'the tag');
    const head = await readStretch(this.#source);
    if (head.length === 0) throw new RadosError(Errno.EOPNOTSUPP, 'the length');
    return head;
  }

  /** The next `count` bytes of the stretch go to `sink`. */
  async copy(sink: ByteSink, count: number): Promise<void> {
    await orComplain(this.#complain, 'rbd: failed to merge diff chunk', this.#copy(sink, count));
  }

  async #copy(sink: ByteSink, count: number): Promise<void> {
    // Behind the end of the second there is nothing: the image ends there.
    if (this.hasEnded && this.#which === 'second') return this.#advance(count);
    const record = new RecordWriter(1);
    record.stretch(this.hasData ? DiffTag.write : DiffTag.zero, this.offset, count);
    await sink.write(record.finish());
    for (let left = this.hasData ? count : 0; left > 0; left -= PIECE) {
      await sink.write(await readExact(this.#source, Math.min(left, PIECE)));
    }
    this.#advance(count);
  }

  /** The other knows better. */
  async drop(count: number): Promise<void> {
    const skip = async () => {
      for (let left = this.hasData ? count : 0; left > 0; left -= PIECE) {
        await readExact(this.#source, Math.min(left, PIECE));
      }
    };
    await orComplain(this.#complain, `rbd: failed to skip ${this.#which} diff data`, skip());
    this.#advance(count);
  }

  #advance(count: number): void {
    this.offset += count;
    this.length -= count;
  }
}

async function merge(
  first: ByteSource,
  second: ByteSource,
  sink: ByteSink,
  complain: Complain,
  onProgress: OnProgress,
): Promise<void> {
  const failed = (which: string) => `rbd: failed to parse ${which} diff header`;
  const a = await orComplain(complain, failed('first'), readFront(first, complain));
  const b = await orComplain(complain, failed('second'), readFront(second, complain));
  if (a.front.to !== b.front.from) {
    complain('The first TO snapshot must be equal with the second FROM snapshot, aborting');
    throw new RadosError(Errno.EINVAL, 'the snapshots');
  }
  await sink.write(encodeFront({ from: a.front.from, to: b.front.to, size: b.front.size }));
  const total = 2 * Math.max(a.front.size, b.front.size);
  const older = new Stretches(first, 'first', a.tag, complain);
  const newer = new Stretches(second, 'second', b.tag, complain);
  while (!older.hasEnded || !newer.hasEnded) {
    onProgress(older.offset + newer.offset, total);
    if (!older.hasEnded && older.length === 0) await older.next(a.front.size, b.front.size);
    if (!newer.hasEnded && newer.length === 0) await newer.next(b.front.size, a.front.size);
    await mergeStep(older, newer, sink);
  }
  const tail = new RecordWriter(1);
  tail.end(DiffTag.end);
  await sink.write(tail.finish());
}

/** What the older has before the newer stays; of where the newer has something, only that. */
async function mergeStep(older: Stretches, newer: Stretches, sink: ByteSink): Promise<void> {
  if (older.length > 0 && older.offset < newer.offset) {
    await older.copy(sink, Math.min(older.length, newer.offset - older.offset));
    if (older.length === 0) return;
  }
  const end = newer.offset + newer.length;
  if (older.length > 0 && older.offset < end) {
    await older.drop(Math.min(older.length, end - older.offset));
    if (older.length === 0) return;
  }
  if (newer.length > 0) await newer.copy(sink, newer.length);
}

/** And the letter behind it. */
async function readFront(
  source: ByteSource,
  complain: Complain,
): Promise<{ readonly front: Front; readonly tag: string }> {
  const found = await readExact(source, Banner.diff[1].length);
  const banner = Buffer.from(found).toString('latin1');
  if (banner !== Banner.diff[1]) {
    complain(`invalid banner '${Buffer.from(found).toString().split('\0')[0]}', expected '${Banner.diff[1]}'`);
    throw new RadosError(Errno.EINVAL, 'the banner');
  }
  const front = { from: '', to: '', size: 0 };
  for (;;) {
    const tag = await readTag(source);
    if (tag === DiffTag.fromSnap) front.from = await readName(source);
    else if (tag === DiffTag.toSnap) front.to = await readName(source);
    else if (tag === DiffTag.size) front.size = Number(await readU64(source));
    else return { front, tag };
  }
}

function encodeFront({ from, to, size }: Front): Uint8Array {
  const writer = new RecordWriter(1);
  writer.banner(Banner.diff[1]);
  if (from !== '') writer.name(DiffTag.fromSnap, from);
  if (to !== '') writer.name(DiffTag.toSnap, to);
  writer.number(DiffTag.size, size);
  return writer.finish();
}

export const mergeDiffVerbs: readonly VerbDefinition[] = [
  {
    names: ['merge-diff'],
    usage: [['merge-diff DIFF DIFF FILE', 'two that follow one another as one (- is standard input, output)']],
    options: { ...PROGRESS_OPTIONS, '--path': ['path', 'value'] },
    maxArgs: 3,
    runOffline: mergeDiff,
  },
];
