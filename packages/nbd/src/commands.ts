/** Commands on an export: many at a time, answered in the order in which they are done. */
import { type Bytes, utf8 } from '@spirula/encoding';
import type { ByteReader } from './byte-reader.ts';
import { type NbdStream, ProtocolError } from './nbd-stream.ts';
import type { Chosen } from './negotiation.ts';
import { packet, viewOf } from './packets.ts';
import {
  Allocation,
  Command,
  CommandFlag,
  MAX_COMMAND_BYTES,
  Magic,
  NbdError,
  ReplyFlag,
  ReplyType,
} from './protocol.ts';

/** Commands that are being done, and the bytes they move; the next waits. */
const MAX_AT_ONCE = 64;
const MAX_BYTES_AT_ONCE = 64 << 20;
const HEAD_BYTES = 28;
/** Of a device that is asked how much of it is allocated: one answer tells of so many stretches at most. */
const MAX_EXTENTS = 1024;

interface Request {
  readonly flags: number;
  readonly type: number;
  readonly cookie: bigint;
  readonly offset: number;
  readonly length: number;
  readonly data: Bytes;
}

/** What becomes of a command that may not be. */
class Refused extends Error {
  readonly errno: number;

  constructor(errno: number, message: string) {
    super(message);
    this.errno = errno;
  }
}

/** Ends when the client says so, after what it asked for before is done. @throws ProtocolError, EndOfStream */
export async function serveCommands(reader: ByteReader, stream: NbdStream, chosen: Chosen): Promise<void> {
  const server = new CommandServer(stream, chosen);
  try {
    for (;;) {
      const head = viewOf(await reader.take(HEAD_BYTES));
      if (head.getUint32(0) !== Magic.request) throw new ProtocolError('a command has another magic number');
      const type = head.getUint16(6);
      const length = head.getUint32(24);
      if (type === Command.disconnect) return;
      const data = type === Command.write ? await takeData(reader, length) : undefined;
      await server.begin({
        flags: head.getUint16(4),
        type,
        cookie: head.getBigUint64(8),
        offset: offsetOf(head.getBigUint64(16)),
        length,
        data: data ?? new Uint8Array(0),
      });
    }
  } finally {
    await server.end();
  }
}

/** More than may be written at once is read and thrown away: the command is refused. */
async function takeData(reader: ByteReader, length: number): Promise<Bytes | undefined> {
  if (length <= MAX_COMMAND_BYTES) return await reader.take(length);
  await reader.skip(length);
  return undefined;
}

/** One that no device reaches, of what a number does not hold. */
function offsetOf(offset: bigint): number {
  return offset > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(offset);
}

class CommandServer {
  readonly #stream: NbdStream;
  readonly #chosen: Chosen;
  readonly #running = new Set<Promise<void>>();
  #bytes = 0;
  #failure: unknown;

  constructor(stream: NbdStream, chosen: Chosen) {
    this.#stream = stream;
    this.#chosen = chosen;
  }

  /** Resolves when the next may come. */
  async begin(request: Request): Promise<void> {
    const moved = Math.min(request.length, MAX_COMMAND_BYTES);
    while (this.#running.size >= MAX_AT_ONCE || (this.#running.size > 0 && this.#bytes + moved > MAX_BYTES_AT_ONCE)) {
      await Promise.race(this.#running);
    }
    if (this.#failure !== undefined) throw this.#failure;
    this.#bytes += moved;
    const running: Promise<void> = this.#serve(request)
      .catch((error) => {
        this.#failure ??= error;
      })
      .finally(() => {
        this.#bytes -= moved;
        this.#running.delete(running);
      });
    this.#running.add(running);
  }

  async end(): Promise<void> {
    await Promise.all(this.#running);
  }

  async #serve(request: Request): Promise<void> {
    let answer: readonly Bytes[];
    try {
      this.#check(request);
      answer = await this.#run(request);
    } catch (error) {
      answer = this.#refusal(request, error);
    }
    await this.#stream.write(answer);
    for (const piece of answer) this.#stream.memory?.giveBack(piece);
  }

  #check({ type, flags, offset, length }: Request): void {
    const { device } = this.#chosen;
    const isWrite = type === Command.write || type === Command.trim || type === Command.writeZeroes;
    if (isWrite && device.isReadOnly) throw new Refused(NbdError.EPERM, 'the export is read-only');
    const movesData = type === Command.read || type === Command.write;
    if (movesData && length > MAX_COMMAND_BYTES) {
      throw new Refused(NbdError.EINVAL, `${length} bytes, at most ${MAX_COMMAND_BYTES} go at once`);
    }
    if (type !== Command.flush && offset + length > device.size) {
      const errno = isWrite ? NbdError.ENOSPC : NbdError.EINVAL;
      throw new Refused(errno, `bytes ${offset} to ${offset + length} of ${device.size}`);
    }
    const known = ALLOWED_FLAGS.get(type);
    if (known === undefined) throw new Refused(NbdError.EINVAL, `there is no command ${type}`);
    if ((flags & ~known) !== 0) throw new Refused(NbdError.EINVAL, `flags ${flags} of command ${type}`);
  }

  async #run(request: Request): Promise<readonly Bytes[]> {
    const { device } = this.#chosen;
    const { type, flags, offset, length, data } = request;
    switch (type) {
      case Command.read:
        return this.#dataReply(request, length === 0 ? data : await device.read(offset, length));
      case Command.write:
        if (length > 0) await device.write(offset, data);
        this.#stream.memory?.giveBack(data);
        break;
      case Command.trim:
        if (length > 0) await device.trim(offset, length);
        break;
      case Command.writeZeroes:
        if (length > 0) await device.writeZeroes(offset, length, (flags & CommandFlag.noHole) === 0);
        break;
      case Command.flush:
        await device.flush();
        break;
      default:
        return await this.#blockStatus(request);
    }
    if ((flags & CommandFlag.fua) !== 0) await device.flush();
    return this.#done(request);
  }

  async #blockStatus({ cookie, flags, offset, length }: Request): Promise<readonly Bytes[]> {
    const { device, allocationId } = this.#chosen;
    if (allocationId === undefined) throw new Refused(NbdError.EINVAL, 'base:allocation was not asked for');
    if (length === 0) throw new Refused(NbdError.EINVAL, 'no bytes are asked about');
    const found = await device.extents(offset, length);
    const told = (flags & CommandFlag.oneExtent) !== 0 ? found.slice(0, 1) : found.slice(0, MAX_EXTENTS);
    const extents = told.map((each) =>
      packet([32, each.length], [32, each.isHole ? Allocation.holeOfZeros : Allocation.data]),
    );
    return structured(cookie, ReplyType.blockStatus, [packet([32, allocationId]), ...extents]);
  }

  #dataReply({ cookie, offset }: Request, data: Bytes): readonly Bytes[] {
    if (!this.#chosen.isStructured) return [simple(cookie, 0), data];
    if (data.length === 0) return structured(cookie, ReplyType.none, []);
    return structured(cookie, ReplyType.offsetData, [packet([64, offset]), data]);
  }

  #done({ cookie }: Request): readonly Bytes[] {
    return this.#chosen.isStructured ? structured(cookie, ReplyType.none, []) : [simple(cookie, 0)];
  }

  #refusal({ cookie }: Request, error: unknown): readonly Bytes[] {
    const { errno, message } = error as { errno?: unknown; message: string };
    const known = Object.values(NbdError).find((code) => code === errno) ?? NbdError.EIO;
    if (!this.#chosen.isStructured) return [simple(cookie, known)];
    const text = utf8(message).subarray(0, MAX_MESSAGE_BYTES);
    return structured(cookie, ReplyType.error, [packet([32, known], [16, text.length], text)]);
  }
}

const MAX_MESSAGE_BYTES = 4096;

const ALLOWED_FLAGS: ReadonlyMap<number, number> = new Map([
  [Command.read, CommandFlag.dontFragment],
  [Command.write, CommandFlag.fua],
  [Command.flush, 0],
  [Command.trim, CommandFlag.fua],
  [Command.writeZeroes, CommandFlag.fua | CommandFlag.noHole],
  [Command.blockStatus, CommandFlag.oneExtent],
]);

function simple(cookie: bigint, error: number): Bytes {
  return packet([32, Magic.simpleReply], [32, error], [64, cookie]);
}

/** One chunk, which is all. */
function structured(cookie: bigint, type: number, payload: readonly Bytes[]): readonly Bytes[] {
  const length = payload.reduce((sum, piece) => sum + piece.length, 0);
  const head = packet([32, Magic.structuredReply], [16, ReplyFlag.done], [16, type], [64, cookie], [32, length]);
  return [head, ...payload];
}
