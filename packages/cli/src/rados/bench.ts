/**
 * `rados bench` and `rados cleanup` (common/obj_bencher.cc): same object names, contents and metadata object, so that one
 * tool reads and removes what the other has written.
 */
import { hostname } from 'node:os';
import { Decoder, Encoder, Errno, MalformedInput, rawFromText, utf8 } from '@spirula/encoding';
import { ALL_NAMESPACES, type IoCtx, RadosError } from '@spirula/rados';
import { describeErrno } from '../ceph/errno-text.ts';
import {
  BenchReport,
  type BenchRow,
  type BenchSummary,
  dumpReadSummary,
  dumpRow,
  dumpWriteSummary,
  formatReadSummary,
  formatRow,
  formatWriteSummary,
  significant,
} from './bench-report.ts';
import { formatJson, orRefuse, Refusal, requireIo, type VerbContext, wantsJson } from './context.ts';

const DEFAULT_SIZE = 4 << 20;
const DEFAULT_CONCURRENCY = 16;
const METADATA_OBJECT = 'benchmark_last_metadata';
const PREFIX = 'benchmark_data';
/** What an object holds behind its number. */
const FILLER = 'z'.charCodeAt(0);

interface BenchMetadata {
  readonly objectSize: number;
  readonly ops: number;
  readonly pid: number;
  readonly opSize: number;
}

function objectPrefix(pid: number): string {
  return `${PREFIX}_${hostname()}_${pid}`;
}

function encodeMetadata({ objectSize, ops, pid, opSize }: BenchMetadata): Uint8Array {
  const encoder = new Encoder(24);
  encoder.u64(objectSize);
  encoder.u32(ops);
  encoder.u32(pid);
  encoder.u64(opSize);
  return encoder.finish();
}

/** Undefined when there is no run of that name. */
async function readMetadata(io: IoCtx, runName: string): Promise<BenchMetadata | undefined> {
  try {
    const decoder = new Decoder(await io.read(rawFromText(runName)));
    const [objectSize, ops, pid] = [decoder.u64('object size'), decoder.u32('operations'), decoder.u32('pid')];
    // Older releases end here.
    return { objectSize, ops, pid, opSize: decoder.remaining > 0 ? decoder.u64('op size') : objectSize };
  } catch (error) {
    if (error instanceof RadosError && error.code === Errno.ENOENT) return undefined;
    if (error instanceof MalformedInput) throw new Refusal(`${runName} is not the metadata of a benchmark`);
    throw error;
  }
}

/** Content of the piece number `op`: `I'm the …th op!` and filler. */
function fillPiece(piece: Uint8Array, op: number): void {
  piece.fill(FILLER);
  const text = utf8(`I'm the ${String(op).padStart(16)}th op!`);
  piece.set(text.subarray(0, Math.max(0, piece.length - 1)));
  // The text is written as a C string.
  if (piece.length > 0) piece[Math.min(text.length, piece.length - 1)] = 0;
}

interface Settings {
  readonly seconds: number;
  readonly opSize: number;
  readonly objectSize: number;
  readonly concurrency: number;
  readonly maxObjects: number;
  readonly runName: string;
}

/** Bytes, or with a letter K, M or G of 1024 to its powers. */
function readSize(text: string, what: string): number {
  const match = /^(\d+)([kmg]?)i?b?$/i.exec(text);
  const power = { '': 0, k: 1, m: 2, g: 3 }[match?.[2]?.toLowerCase() ?? ''] ?? 0;
  const value = match ? Number(match[1]) * 1024 ** power : Number.NaN;
  if (!Number.isSafeInteger(value) || value <= 0) throw new Refusal(`${what}: ${text} is no size`);
  return value;
}

function readSettings({ options, args }: VerbContext): Settings {
  const seconds = Number(args[0]);
  if (!Number.isFinite(seconds) || seconds < 0) throw new Refusal(`bench: ${args[0]} is no number of seconds`);
  const opSize = readSize(options.get('block_size') ?? String(DEFAULT_SIZE), '-b');
  const objectSize = readSize(options.get('object_size') ?? String(opSize), '-O');
  if (objectSize % opSize !== 0) throw new Refusal('object size must be a multiple of the operation size');
  const concurrency = Number(options.get('concurrent') ?? DEFAULT_CONCURRENCY);
  if (!Number.isInteger(concurrency) || concurrency < 1) throw new Refusal('-t must be at least 1');
  const maxObjects = Number(options.get('max_objects') ?? 0);
  return { seconds, opSize, objectSize, concurrency, maxObjects, runName: options.get('run_name') ?? METADATA_OBJECT };
}

/**
 * Keeps `concurrency` operations under way until the time is up or `next` has none left; prints a line every second.
 * An operation that fails ends the run when those under way have ended.
 */
async function drive(
  settings: Settings,
  report: BenchReport,
  next: (op: number) => (() => Promise<unknown>) | undefined,
): Promise<BenchSummary> {
  let started = 0;
  let failure: unknown;
  const deadline = performance.now() + settings.seconds * 1000;
  report.begin();
  const worker = async () => {
    while (failure === undefined && performance.now() < deadline) {
      const run = next(started);
      if (!run) return;
      started += 1;
      report.onStart();
      const at = performance.now();
      try {
        await run();
      } catch (error) {
        failure = error;
      }
      report.onFinish((performance.now() - at) / 1000);
    }
  };
  await Promise.all(Array.from({ length: settings.concurrency }, worker));
  const summary = report.end();
  if (failure !== undefined) throw failure;
  return summary;
}

export async function bench(context: VerbContext): Promise<void> {
  const { env, args } = context;
  const mode = args[1];
  if (mode !== 'write' && mode !== 'seq' && mode !== 'rand') {
    throw new Refusal(`unrecognized operation ${mode}; -h or --help for usage`);
  }
  env.stdout(`hints = ${context.options.has('no_hints') ? 0 : 1}\n`);
  try {
    await (mode === 'write' ? writeBench(context) : readBench(context, mode));
  } catch (error) {
    if (!(error instanceof RadosError)) throw error;
    throw new Refusal(
      `error during benchmark: ${describeErrno(error.code)}\nerror ${-error.code}: ${describeErrno(error.code)}`,
    );
  }
}

/** Where the rows go: printed as they come, or kept for one JSON document at the end. */
function makeRows({ env, options }: VerbContext): { rows: BenchRow[]; show: (row: BenchRow) => void } {
  const rows: BenchRow[] = [];
  const show = (row: BenchRow) => void (wantsJson(options) ? rows.push(row) : env.stdout(formatRow(row)));
  return { rows, show };
}

async function writeBench(context: VerbContext): Promise<void> {
  const { env, options } = context;
  const json = wantsJson(options);
  const settings = readSettings(context);
  const io = requireIo(context);
  const { opSize, objectSize, concurrency, seconds, maxObjects, runName } = settings;
  const prefix = objectPrefix(process.pid);
  if (!json)
    env.stdout(
      `Maintaining ${concurrency} concurrent writes of ${opSize} bytes to objects of size ${objectSize} ` +
        `for up to ${seconds} seconds or ${maxObjects} objects\nObject prefix: ${prefix}\n`,
    );
  const perObject = objectSize / opSize;
  const pieces: Uint8Array[] = [];
  const { rows, show } = makeRows(context);
  const summary = await drive(settings, new BenchReport(opSize, show), (op) => {
    const object = Math.floor(op / perObject);
    if (maxObjects > 0 && object >= maxObjects) return undefined;
    const piece = pieces.pop() ?? new Uint8Array(opSize);
    fillPiece(piece, op);
    const oid = rawFromText(`${prefix}_object${object}`);
    return async () => {
      await io.write(oid, piece, (op % perObject) * opSize);
      pieces.push(piece);
    };
  });
  if (json) {
    const document = {
      concurrent_ios: String(concurrency),
      object_size: String(objectSize),
      op_size: String(opSize),
      seconds_to_run: String(seconds),
      max_objects: String(maxObjects),
      object_prefix: prefix,
      datas: rows.map(dumpRow),
      ...dumpWriteSummary(summary, opSize),
    };
    env.stdout(`${formatJson(options, document)}\n`);
  } else env.stdout(formatWriteSummary(summary, opSize, objectSize));
  await io.writeFull(
    rawFromText(runName),
    encodeMetadata({ objectSize, ops: summary.finished, pid: process.pid, opSize }),
  );
  if (options.has('no_cleanup')) return;
  if (!json) env.stdout('Cleaning up (deleting benchmark objects)\n');
  const at = performance.now();
  await removeRun(context, runName);
  if (!json)
    env.stdout(`Clean up completed and total clean up time :${significant((performance.now() - at) / 1000)}\n`);
}

async function readBench(context: VerbContext, mode: 'seq' | 'rand'): Promise<void> {
  const { env, options } = context;
  const io = requireIo(context);
  const asked = readSettings(context);
  const metadata = await readMetadata(io, asked.runName);
  if (!metadata || metadata.ops === 0) {
    env.stderr('Must write data before running a read benchmark!\n');
    throw new RadosError(Errno.ENOENT, 'benchmark metadata');
  }
  const settings = { ...asked, opSize: metadata.opSize, objectSize: metadata.objectSize };
  const perObject = metadata.objectSize / metadata.opSize;
  const prefix = objectPrefix(metadata.pid);
  const expected = new Uint8Array(metadata.opSize);
  let wrong = 0;
  const { rows, show } = makeRows(context);
  const summary = await drive(settings, new BenchReport(metadata.opSize, show), (op) => {
    if (mode === 'seq' && op >= metadata.ops) return undefined;
    const slot = mode === 'seq' ? op : Math.floor(Math.random() * metadata.ops);
    const oid = rawFromText(`${prefix}_object${Math.floor(slot / perObject)}`);
    return async () => {
      const piece = await io.read(oid, (slot % perObject) * metadata.opSize, metadata.opSize);
      if (options.has('no_verify')) return;
      fillPiece(expected, slot);
      if (Buffer.compare(piece, expected) === 0) return;
      env.stderr(`${oid} is not correct!\n`);
      wrong += 1;
    };
  });
  if (wantsJson(options)) {
    const totals = dumpReadSummary(summary, metadata.opSize, metadata.objectSize);
    env.stdout(`${formatJson(options, { datas: rows.map(dumpRow), ...totals })}\n`);
  } else env.stdout(formatReadSummary(summary, metadata.opSize, metadata.objectSize));
  if (wrong > 0) throw new RadosError(Errno.EIO, `${wrong} reads were not correct`);
}

export async function cleanup(context: VerbContext): Promise<void> {
  const { options, env } = context;
  const prefix = options.get('prefix');
  if (prefix !== undefined && !prefix.startsWith(PREFIX)) {
    const errno = describeErrno(Errno.EINVAL);
    throw new Refusal(
      `Specified --prefix invalid, it must begin with "${PREFIX}"\nerror during cleanup: ${errno}\nerror 22: ${errno}`,
    );
  }
  if (prefix !== undefined) await removeByPrefix(context, prefix);
  else if (!(await removeRun(context, options.get('run_name') ?? METADATA_OBJECT))) {
    if (options.has('run_name'))
      throw new Refusal(
        `error during cleanup: ${describeErrno(Errno.ENOENT)}\nerror 2: ${describeErrno(Errno.ENOENT)}`,
      );
    env.stderr('Warning: using slow linear search\n');
    await removeByPrefix(context, PREFIX);
  }
}

/** Removes what the run named has written. Returns false when there is no such run. */
async function removeRun(context: VerbContext, runName: string): Promise<boolean> {
  const io = requireIo(context);
  const metadata = await readMetadata(io, runName);
  if (!metadata) return false;
  const prefix = objectPrefix(metadata.pid);
  const objects = Math.ceil(metadata.ops / (metadata.objectSize / metadata.opSize));
  const names = Array.from({ length: objects }, (_, i) => `${prefix}_object${i}`);
  const removed = await removeAll(context, io, names.map(rawFromText));
  await removeAll(context, io, [rawFromText(runName)]);
  context.env.stdout(`Removed ${removed} object${removed === 1 ? '' : 's'}\n`);
  return true;
}

async function removeByPrefix(context: VerbContext, prefix: string): Promise<void> {
  const base = requireIo(context);
  const isAll = context.options.has('all');
  const io = isAll ? base.with({ nspace: ALL_NAMESPACES }) : base;
  const found = new Map<string, string[]>();
  for await (const { oid, nspace } of io.listObjects()) {
    if (oid.startsWith(rawFromText(prefix))) found.set(nspace, [...(found.get(nspace) ?? []), oid]);
  }
  let removed = 0;
  for (const [nspace, oids] of found) removed += await removeAll(context, base.with({ nspace }), oids);
  context.env.stdout(`Removed ${removed} object${removed === 1 ? '' : 's'}\n`);
}

/** Removes objects, several at a time; returns how many existed. */
async function removeAll({ options }: VerbContext, io: IoCtx, oids: readonly string[]): Promise<number> {
  const concurrency = Number(options.get('concurrent') ?? DEFAULT_CONCURRENCY);
  let at = 0;
  let removed = 0;
  const worker = async () => {
    while (at < oids.length) {
      const oid = oids[at++]!;
      try {
        await io.remove(oid);
        removed += 1;
      } catch (error) {
        if (!(error instanceof RadosError) || error.code !== Errno.ENOENT) throw error;
      }
    }
  };
  await orRefuse('error during cleanup', Promise.all(Array.from({ length: concurrency }, worker)));
  return removed;
}
