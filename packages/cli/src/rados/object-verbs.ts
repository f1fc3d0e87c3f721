import { closeSync, openSync, readSync, writeFileSync, writeSync } from 'node:fs';
import { type Bytes, bytesFromRaw, type RawString, rawFromText, textFromRaw, utf8 } from '@spirula/encoding';
import { formatStamp } from '@spirula/formatter';
import { describeErrno } from '../ceph/errno-text.ts';
import { orRefuse, Refusal, requireIo, type Verb, type VerbContext } from './context.ts';
import { hexDump } from './hex-dump.ts';

/** Bytes moved at a time by put and get (op_size's default). */
const CHUNK = 4 << 20;
const STDIN = 0;

/** An object verb's words: the object's name as given and as it travels, and the rest. */
function objectOf({ args }: VerbContext): { name: string; oid: RawString; rest: readonly string[] } {
  const [name = '', ...rest] = args;
  return { name, oid: rawFromText(name), rest };
}

export const objectVerbs: Readonly<Record<string, Verb>> = {
  put: { run: put, least: 2 },
  get: { run: get, least: 2 },
  append: { run: append, least: 2 },
  truncate: { run: truncate, least: 2 },
  create: { run: create, least: 1 },
  rm: { run: rm, least: 1 },
  cp: { run: cp, least: 2 },
  stat: { run: stat, least: 1 },
  listxattr: { run: listxattr, least: 1 },
  getxattr: { run: getxattr, least: 2 },
  setxattr: { run: setxattr, least: 3 },
  rmxattr: { run: rmxattr, least: 2 },
  listomapkeys: { run: listomapkeys, least: 1 },
  listomapvals: { run: listomapvals, least: 1 },
  getomapval: { run: getomapval, least: 2 },
  setomapval: { run: setomapval, least: 3 },
  rmomapkey: { run: rmomapkey, least: 2 },
  getomapheader: { run: getomapheader, least: 1 },
  setomapheader: { run: setomapheader, least: 2 },
  clearomap: { run: clearomap, least: 1 },
};

/** Yields a file in pieces of CHUNK bytes, the last shorter; an empty file yields one empty piece. */
function* readFileInPieces(path: string): Generator<Bytes> {
  let file: number;
  try {
    file = path === '-' ? STDIN : openSync(path, 'r');
  } catch (error) {
    throw new Refusal(
      `error reading input file ${path}: ${describeErrno((error as NodeJS.ErrnoException).errno ?? 5)}`,
    );
  }
  try {
    for (let pieces = 0; ; pieces++) {
      const piece = new Uint8Array(CHUNK);
      let filled = 0;
      for (let count = -1; count !== 0 && filled < CHUNK; filled += count) {
        count = readSync(file, piece, filled, CHUNK - filled, null);
      }
      if (filled > 0 || pieces === 0) yield piece.subarray(0, filled);
      if (filled < CHUNK) return;
    }
  } finally {
    if (file !== STDIN) closeSync(file);
  }
}

async function put(context: VerbContext): Promise<void> {
  const { name, oid, rest } = objectOf(context);
  const io = requireIo(context);
  const start = Number(context.options.get('offset') ?? 0);
  let offset = start;
  for (const piece of readFileInPieces(rest[0]!)) {
    // The first piece replaces the object, unless an offset asks for a part of it.
    const write = offset === 0 ? io.writeFull(oid, piece) : io.write(oid, piece, offset);
    if (piece.length > 0 || offset === 0) await orRefuse(`error putting ${context.pool}/${name}`, write);
    offset += piece.length;
  }
}

async function append(context: VerbContext): Promise<void> {
  const { name, oid, rest } = objectOf(context);
  for (const piece of readFileInPieces(rest[0]!)) {
    await orRefuse(`error appending ${context.pool}/${name}`, requireIo(context).append(oid, piece));
  }
}

async function get(context: VerbContext): Promise<void> {
  const { name, oid, rest } = objectOf(context);
  const path = rest[0]!;
  const io = requireIo(context);
  let file: number | undefined;
  try {
    for (let offset = 0, done = false; !done; ) {
      const piece = await orRefuse(`error getting ${context.pool}/${name}`, io.read(oid, offset, CHUNK));
      if (path === '-') context.env.stdout(piece);
      else {
        file ??= openForWriting(path);
        writeSync(file, piece);
      }
      offset += piece.length;
      done = piece.length < CHUNK;
    }
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

function openForWriting(path: string): number {
  try {
    return openSync(path, 'w');
  } catch (error) {
    throw new Refusal(`error opening ${path}: ${describeErrno((error as NodeJS.ErrnoException).errno ?? 5)}`);
  }
}

async function truncate(context: VerbContext): Promise<void> {
  const { name, oid, rest } = objectOf(context);
  const size = Number(rest[0]);
  if (!Number.isSafeInteger(size)) throw new Refusal(`could not parse length: ${rest[0]}`);
  if (size < 0) throw new Refusal('error, cannot truncate to negative value');
  await orRefuse(`error truncating oid ${name} to ${size}`, requireIo(context).truncate(oid, size));
}

async function create(context: VerbContext): Promise<void> {
  const { name, oid } = objectOf(context);
  await orRefuse(`error creating ${context.pool}/${name}`, requireIo(context).create(oid, true));
}

async function rm(context: VerbContext): Promise<void> {
  const io = requireIo(context);
  for (const name of context.args) {
    const nspace = context.options.get('namespace');
    const shown = nspace === undefined ? `${context.pool}>${name}` : `${context.pool}/${nspace}>${name}`;
    await orRefuse(`error removing ${shown}`, io.remove(rawFromText(name)));
  }
}

async function cp(context: VerbContext): Promise<void> {
  const { name, oid, rest } = objectOf(context);
  const io = requireIo(context);
  const complaint = `error copying object ${context.pool}/${name} => ${context.pool}/${rest[0]}`;
  await orRefuse(complaint, io.copy(oid, rawFromText(rest[0]!)));
}

async function stat(context: VerbContext): Promise<void> {
  const { name, oid } = objectOf(context);
  const { size, mtime } = await orRefuse(` error stat-ing ${context.pool}/${name}`, requireIo(context).stat(oid));
  // Whole seconds, as rados_stat gives them.
  context.env.stdout(`${context.pool}/${name} mtime ${formatStamp({ sec: mtime.sec, nsec: 0 })}, size ${size}\n`);
}

async function listxattr(context: VerbContext): Promise<void> {
  const { name, oid } = objectOf(context);
  const complaint = `error getting xattr set ${context.pool}/${name}`;
  const xattrs = await orRefuse(complaint, requireIo(context).listXattrs(oid));
  for (const attr of [...xattrs.keys()].sort()) context.env.stdout(`${textFromRaw(attr)}\n`);
}

async function getxattr(context: VerbContext): Promise<void> {
  const { name, oid, rest } = objectOf(context);
  const complaint = `error getting xattr ${context.pool}/${name}/${rest[0]}`;
  context.env.stdout(await orRefuse(complaint, requireIo(context).getXattr(oid, rawFromText(rest[0]!))));
}

async function setxattr(context: VerbContext): Promise<void> {
  const { name, oid, rest } = objectOf(context);
  const complaint = `error setting xattr ${context.pool}/${name}/${rest[0]}`;
  await orRefuse(complaint, requireIo(context).setXattr(oid, rawFromText(rest[0]!), utf8(rest[1]!)));
}

async function rmxattr(context: VerbContext): Promise<void> {
  const { name, oid, rest } = objectOf(context);
  const complaint = `error removing xattr ${context.pool}/${name}/${rest[0]}`;
  await orRefuse(complaint, requireIo(context).rmXattr(oid, rawFromText(rest[0]!)));
}

async function listomapkeys(context: VerbContext): Promise<void> {
  const { name, oid } = objectOf(context);
  const complaint = `error getting omap key set ${context.pool}/${name}`;
  const keys = await orRefuse(complaint, requireIo(context).omapGetKeys(oid));
  for (const key of keys) context.env.stdout(`${textFromRaw(key)}\n`);
}

async function listomapvals(context: VerbContext): Promise<void> {
  const { name, oid } = objectOf(context);
  const complaint = `error getting omap keys ${context.pool}/${name}`;
  const values = await orRefuse(complaint, requireIo(context).omapGetAll(oid));
  for (const [key, value] of values) {
    context.env.stdout(`${showKey(key)}value (${value.length} bytes) :\n${hexDump(value)}\n`);
  }
}

/** A key on a line of its own; one with bytes that do not print, as a hex dump. */
function showKey(key: RawString): string {
  if (/^[\x20-\x7e]*$/.test(key)) return `${key}\n`;
  return `key (${key.length} bytes):\n${hexDump(bytesFromRaw(key))}\n`;
}

/** Prints a value as a hex dump, or writes it to a file as it is. */
function showValue({ env }: VerbContext, title: string, value: Bytes, path: string | undefined): void {
  if (path === undefined) env.stdout(`${title} (${value.length} bytes) :\n${hexDump(value)}\n`);
  else {
    env.stderr(`Writing to ${path}\n`);
    writeFileSync(path, value);
  }
}

async function getomapval(context: VerbContext): Promise<void> {
  const { name, oid, rest } = objectOf(context);
  const [keyText = '', path] = rest;
  const key = rawFromText(keyText);
  const complaint = `error getting omap value ${context.pool}/${name}/${keyText}`;
  const value = (await orRefuse(complaint, requireIo(context).omapGetByKeys(oid, [key]))).get(key);
  if (value) showValue(context, 'value', value, path);
  else {
    context.env.stdout(`No such key: ${context.pool}/${name}/${keyText}\n`);
    throw new Refusal('');
  }
}

async function setomapval(context: VerbContext): Promise<void> {
  const { name, oid, rest } = objectOf(context);
  const complaint = `error setting omap value ${context.pool}/${name}/${rest[0]}`;
  await orRefuse(complaint, requireIo(context).omapSet(oid, new Map([[rawFromText(rest[0]!), utf8(rest[1]!)]])));
}

async function rmomapkey(context: VerbContext): Promise<void> {
  const { name, oid, rest } = objectOf(context);
  const complaint = `error removing omap key ${context.pool}/${name}/${rest[0]}`;
  await orRefuse(complaint, requireIo(context).omapRmKeys(oid, [rawFromText(rest[0]!)]));
}

async function getomapheader(context: VerbContext): Promise<void> {
  const { name, oid, rest } = objectOf(context);
  const complaint = `error getting omap header ${context.pool}/${name}`;
  showValue(context, 'header', await orRefuse(complaint, requireIo(context).omapGetHeader(oid)), rest[0]);
}

async function setomapheader(context: VerbContext): Promise<void> {
  const { name, oid, rest } = objectOf(context);
  const complaint = `error setting omap value ${context.pool}/${name}`;
  await orRefuse(complaint, requireIo(context).omapSetHeader(oid, utf8(rest[0]!)));
}

async function clearomap(context: VerbContext): Promise<void> {
  const { name, oid } = objectOf(context);
  await orRefuse(`error clearing omap keys ${context.pool}/${name}`, requireIo(context).omapClear(oid));
}
