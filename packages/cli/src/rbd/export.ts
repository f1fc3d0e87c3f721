/** `rbd export` and `export-diff`: an image, or what has changed in it, as a file or down a pipe (tools/rbd/action/Export.cc). */
import { unlinkSync } from 'node:fs';
import { Errno, type RawString, rawFromText } from '@spirula/encoding';
import { RadosError } from '@spirula/rados';
import {
  ahead,
  diffImage,
  Image,
  imageMetadata,
  isUserSnapshot,
  isZero,
  OPERATIONS_AT_ONCE,
  stripePeriod,
} from '@spirula/rbd';
import { describeErrno } from '../ceph/errno-text.ts';
import { type ByteSink, openSink, STANDARD } from './byte-streams.ts';
import { openImage, openPool, orRefuse } from './context.ts';
import { Banner, DiffTag, ImageTag, RecordWriter, type StreamVersion } from './diff-stream.ts';
import { oldestFirst } from './phrases.ts';
import { type OnProgress, withProgress } from './progress.ts';
import { Refusal } from './refusal.ts';
import { takeImageSpec } from './spec.ts';
import { PROGRESS_OPTIONS, SNAPSHOT_OPTIONS, type VerbContext, type VerbDefinition } from './verb.ts';

const EINVAL = 22;

async function exportImage(context: VerbContext): Promise<void> {
  const { env, options, args } = context;
  const spec = takeImageSpec(context);
  const path = options.get('path') ?? args.take();
  if (path === '') throw new Refusal('rbd: path was not specified', EINVAL);
  const version = exportFormat(options);
  const image = await openImage(context, spec, await openPool(context, spec));
  const exporting = withSink(path, env.stdout, (sink) =>
    withProgress(context, 'Exporting image', (onProgress) =>
      version === 1 ? writeBytes(image, sink, onProgress) : writeAll(context, image, sink, onProgress),
    ),
  );
  await orRefuse('rbd: export error', exporting);
}

/** @throws Refusal */
export function exportFormat(options: ReadonlyMap<string, string>): StreamVersion {
  const format = options.get('export_format') ?? '1';
  if (format === '1') return 1;
  if (format === '2') return 2;
  throw new Refusal("rbd: the argument for option '--export-format' is invalid", 1);
}

async function withSink(
  path: string,
  stdout: (bytes: Uint8Array) => void,
  work: (sink: ByteSink) => Promise<void>,
): Promise<void> {
  const sink = await openSink(path, stdout);
  try {
    await work(sink);
    await sink.end();
  } finally {
    await sink.close();
  }
}

/** As many bytes as the image has. */
async function writeBytes(image: Image, sink: ByteSink, onProgress: OnProgress): Promise<void> {
  const period = stripePeriod(image.header.layout);
  const pieces = function* () {
    for (let at = 0; at < image.size; at += period) yield () => image.read(at, period);
  };
  let at = 0;
  for await (const bytes of ahead(pieces(), OPERATIONS_AT_ONCE)) {
    if (isZero(bytes)) await sink.skip(bytes.length);
    else await sink.write(bytes);
    onProgress(at, image.size);
    at += bytes.length;
  }
}

/** Also what it is made of, and its snapshots. */
async function writeAll(
  { rados, env }: VerbContext,
  { header, io }: Image,
  sink: ByteSink,
  onProgress: OnProgress,
): Promise<void> {
  const { layout } = header;
  const front = new RecordWriter(2);
  front.banner(Banner.image);
  front.number(ImageTag.order, header.order);
  front.number(ImageTag.features, header.features);
  front.number(ImageTag.stripeUnit, layout.stripeUnit);
  front.number(ImageTag.stripeCount, layout.stripeCount);
  for (const [name, value] of await imageMetadata(io, header.id)) {
    front.record(ImageTag.metadata, name.length + value.length + 8, (to) => {
      to.rawString(name);
      to.blob(value);
    });
  }
  front.end(ImageTag.end);
  await sink.write(front.finish());

  const whole = await Image.openId(rados, io, header.id);
  const snapshots = oldestFirst(whole);
  const diffs = new RecordWriter(2);
  diffs.banner(Banner.imageDiffs);
  await sink.write(diffs.finish());
  await sink.write(u64(snapshots.length + 1));
  let from: RawString | undefined;
  for (const [i, snapshot] of snapshots.entries()) {
    const { name, id, protection } = snapshot;
    if (!isUserSnapshot(snapshot)) {
      env.stderr(`error setting snapshot context: ${describeErrno(Errno.ENOENT)}\n`);
      throw new RadosError(Errno.ENOENT, `snapshot ${name}`);
    }
    const image = await Image.openSnapshot(rados, io, header.id, id);
    const end = { name, isProtected: protection !== 0 };
    await writeDiff(image, { version: 2, from, end, isWhole: false }, sink, () => {});
    onProgress(i, snapshots.length + 1);
    from = name;
  }
  await writeDiff(whole, { version: 2, from, end: undefined, isWhole: false }, sink, () => {});
}

function u64(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true);
  return bytes;
}

interface DiffRequest {
  readonly version: StreamVersion;
  readonly from: RawString | undefined;
  readonly end: { readonly name: RawString; readonly isProtected: boolean } | undefined;
  readonly isWhole: boolean;
}

async function writeDiff(
  image: Image,
  { version, from, end, isWhole }: DiffRequest,
  sink: ByteSink,
  onProgress: OnProgress,
): Promise<void> {
  const front = new RecordWriter(version);
  front.banner(Banner.diff[version]);
  if (from !== undefined) front.name(DiffTag.fromSnap, from);
  if (end) front.name(DiffTag.toSnap, end.name);
  // It is said to be of eight bytes, and is one.
  if (end && version === 2) front.record(DiffTag.protection, 8, (to) => to.bool(end.isProtected));
  front.number(DiffTag.size, image.size);
  await sink.write(front.finish());

  const request = { ...(from !== undefined && { from }), withParent: true, isWhole };
  for await (const { offset, bytes, length } of readDiff(image, request)) {
    const record = new RecordWriter(version);
    record.stretch(bytes ? DiffTag.write : DiffTag.zero, offset, length);
    await sink.write(record.finish());
    if (bytes) await sink.write(bytes);
    onProgress(offset, image.size);
  }
  const tail = new RecordWriter(version);
  tail.end(DiffTag.end);
  await sink.write(tail.finish());
}

/** What differs, and its bytes unless they are zeros; read ahead, in order. */
async function* readDiff(image: Image, request: Parameters<typeof diffImage>[1]) {
  const reading: Promise<{ offset: number; length: number; bytes: Uint8Array | undefined }>[] = [];
  for await (const { offset, length, exists } of diffImage(image, request)) {
    const read = async () => {
      const bytes = exists ? await image.read(offset, length) : undefined;
      return { offset, length, bytes: bytes && !isZero(bytes) ? bytes : undefined };
    };
    const begun = read();
    begun.catch(() => {});
    reading.push(begun);
    if (reading.length === OPERATIONS_AT_ONCE) yield await reading.shift()!;
  }
  while (reading.length > 0) yield await reading.shift()!;
}

async function exportDiff(context: VerbContext): Promise<void> {
  const { env, options, args } = context;
  const spec = takeImageSpec(context);
  const path = options.get('path') ?? args.take();
  if (path === '') throw new Refusal('rbd: path was not specified', EINVAL);
  const from = options.get('from_snap');
  const image = await openImage(context, spec, await openPool(context, spec));
  const request = {
    version: 1,
    from: from === undefined ? undefined : rawFromText(from),
    end: spec.snapshot === '' ? undefined : { name: rawFromText(spec.snapshot), isProtected: false },
    isWhole: options.has('whole_object'),
  } as const;
  const write = (sink: ByteSink) =>
    withProgress(context, 'Exporting image', (onProgress) => writeDiff(image, request, sink, onProgress));
  const exporting = withSink(path, env.stdout, async (sink) => {
    try {
      await write(sink);
    } catch (error) {
      if (path !== STANDARD) unlinkSync(path);
      throw error;
    }
  });
  await orRefuse('rbd: export-diff error', exporting);
}

export const exportVerbs: readonly VerbDefinition[] = [
  {
    names: ['export'],
    usage: [
      ['export IMAGE[@SNAPSHOT] FILE', 'its bytes (- is standard output) [--no-progress]'],
      ['  --export-format 2', 'and what it is made of, and its snapshots'],
    ],
    options: {
      ...SNAPSHOT_OPTIONS,
      ...PROGRESS_OPTIONS,
      '--path': ['path', 'value'],
      '--export-format': ['export_format', 'value'],
    },
    maxArgs: 2,
    run: exportImage,
  },
  {
    names: ['export-diff'],
    usage: [
      ['export-diff IMAGE[@SNAPSHOT] FILE', 'what it has [--from-snap SNAPSHOT: and that has not] [--whole-object]'],
    ],
    options: {
      ...SNAPSHOT_OPTIONS,
      ...PROGRESS_OPTIONS,
      '--path': ['path', 'value'],
      '--from-snap': ['from_snap', 'value'],
      '--whole-object': ['whole_object', 'flag'],
    },
    maxArgs: 2,
    run: exportDiff,
  },
];
