/** What server and client agree on before the first command. */
import { type Bytes, utf8 } from '@spirula/encoding';
import type { BlockExport, ExportList } from './block-export.ts';
import { ByteReader } from './byte-reader.ts';
import { type NbdStream, ProtocolError } from './nbd-stream.ts';
import { type Field, packet, viewOf } from './packets.ts';
import {
  BASE_ALLOCATION,
  ExportFlag,
  HandshakeFlag,
  Info,
  MAX_COMMAND_BYTES,
  MAX_NAME_BYTES,
  MAX_OPTION_BYTES,
  Magic,
  Option,
  OptionReply,
} from './protocol.ts';

export interface Chosen {
  readonly device: BlockExport;
  /** Whether answers to commands are structured. */
  readonly isStructured: boolean;
  /** The number under which `base:allocation` was asked for; undefined: it was not. */
  readonly allocationId: number | undefined;
}

/** A client that asks for more is sent away. */
const MAX_OPTIONS = 1000;
const ALLOCATION_ID = 1;
/** What reads and writes are best made of. */
const PREFERRED_BLOCK = 4096;
const MIN_BLOCK = 1;
const SERVER_FLAGS = HandshakeFlag.fixedNewstyle | HandshakeFlag.noZeroes;

/** What is answered where TLS is required and has not begun. */
const IN_THE_CLEAR: ReadonlySet<number> = new Set([Option.startTls, Option.abort]);

class Malformed extends Error {}

/** A stream, and what reads it: others once TLS has begun. */
export interface Talk {
  readonly reader: ByteReader;
  readonly stream: NbdStream;
}

/** Undefined: the client wants nothing. @throws ProtocolError, EndOfStream, and what TLS ends with */
export async function negotiate(talk: Talk, exports: ExportList): Promise<(Talk & { chosen: Chosen }) | undefined> {
  await talk.stream.write([packet([64, Magic.hello], [64, Magic.option], [16, SERVER_FLAGS])]);
  const clientFlags = viewOf(await talk.reader.take(4)).getUint32(0);
  if ((clientFlags & ~SERVER_FLAGS) !== 0) throw new ProtocolError(`flags ${clientFlags} were not offered`);
  if ((clientFlags & HandshakeFlag.fixedNewstyle) === 0) throw new ProtocolError('not fixed newstyle');
  const noZeroes = (clientFlags & HandshakeFlag.noZeroes) !== 0;
  const outcome = await takeOptions(talk, new Negotiation({ ...talk, exports, noZeroes, isSecured: false }));
  if (outcome === 'ended') return undefined;
  if (outcome !== 'tls') return { ...talk, chosen: outcome };
  const secured = await startTls(talk);
  // What was said in the clear may have been said by anyone.
  const chosen = await takeOptions(secured, new Negotiation({ ...secured, exports, noZeroes, isSecured: true }));
  if (chosen === 'tls') throw new ProtocolError('TLS begins twice');
  return chosen === 'ended' ? undefined : { ...secured, chosen };
}

async function takeOptions({ reader }: Talk, session: Negotiation): Promise<Chosen | 'ended' | 'tls'> {
  for (let count = 0; count < MAX_OPTIONS; count++) {
    const head = viewOf(await reader.take(16));
    if (head.getBigUint64(0) !== Magic.option) throw new ProtocolError('an option has another magic number');
    const [option, length] = [head.getUint32(8), head.getUint32(12)];
    if (length > MAX_OPTION_BYTES) {
      await reader.skip(length);
      await session.reply(option, OptionReply.tooBig);
      continue;
    }
    const outcome = await session.take(option, await reader.take(length));
    if (outcome !== 'more') return outcome;
  }
  throw new ProtocolError(`more than ${MAX_OPTIONS} options`);
}

async function startTls({ reader, stream }: Talk): Promise<Talk> {
  // A client waits for the answer: what follows at once comes from somebody in between.
  if (reader.hasMore) throw new ProtocolError('bytes in the clear behind the option that begins TLS');
  await reader.release();
  const secured = await stream.tls!.start();
  return { stream: secured, reader: readerOf(secured) };
}

export function readerOf({ input, memory }: NbdStream): ByteReader {
  return new ByteReader(input, memory && ((bytes) => memory.take(bytes)));
}

interface NegotiationOptions {
  readonly stream: NbdStream;
  readonly exports: ExportList;
  readonly noZeroes: boolean;
  /** Whether TLS has begun. */
  readonly isSecured: boolean;
}

class Negotiation {
  readonly #stream: NbdStream;
  readonly #exports: ExportList;
  readonly #noZeroes: boolean;
  readonly #isSecured: boolean;
  #isStructured = false;
  /** The export for which `base:allocation` was asked. */
  #allocationOf: string | undefined;

  constructor({ stream, exports, noZeroes, isSecured }: NegotiationOptions) {
    this.#stream = stream;
    this.#exports = exports;
    this.#noZeroes = noZeroes;
    this.#isSecured = isSecured;
  }

  async reply(option: number, type: number, data: Bytes = new Uint8Array(0)): Promise<void> {
    await this.#stream.write([packet([64, Magic.optionReply], [32, option], [32, type], [32, data.length], data)]);
  }

  async take(option: number, data: Bytes): Promise<Chosen | 'more' | 'ended' | 'tls'> {
    try {
      if (this.#stream.tls?.isRequired === true && !IN_THE_CLEAR.has(option)) {
        if (option === Option.exportName) throw new ProtocolError('an export is asked for without TLS');
        await this.reply(option, OptionReply.tlsRequired, utf8('TLS is required'));
        return 'more';
      }
      switch (option) {
        case Option.exportName:
          return await this.#exportName(new Fields(data).rest());
        case Option.abort:
          await this.reply(option, OptionReply.ack);
          return 'ended';
        case Option.list:
          await this.#list(data);
          return 'more';
        case Option.info:
        case Option.go:
          return await this.#infoOrGo(option, data);
        case Option.structuredReply:
          if (data.length > 0) throw new Malformed();
          this.#isStructured = true;
          await this.reply(option, OptionReply.ack);
          return 'more';
        case Option.startTls:
          return await this.#startTls(data);
        case Option.listMetaContext:
        case Option.setMetaContext:
          await this.#metaContext(option, data);
          return 'more';
        default:
          await this.reply(option, OptionReply.unsupported);
          return 'more';
      }
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      await this.reply(option, OptionReply.invalid);
      return 'more';
    }
  }

  async #startTls(data: Bytes): Promise<'more' | 'tls'> {
    if (data.length > 0 || this.#isSecured) throw new Malformed();
    const isOffered = this.#stream.tls !== undefined;
    await this.reply(Option.startTls, isOffered ? OptionReply.ack : OptionReply.unsupported);
    return isOffered ? 'tls' : 'more';
  }

  /** There is no way to refuse but to hang up. */
  async #exportName(name: string): Promise<Chosen> {
    const device = await this.#exports.open(name);
    if (!device) throw new ProtocolError(`there is no export '${name}'`);
    const zeros = new Uint8Array(this.#noZeroes ? 0 : 124);
    await this.#stream.write([packet([64, device.size], [16, flagsOf(device, this.#isStructured)], zeros)]);
    return this.#chosen(device, name);
  }

  #chosen(device: BlockExport, name: string): Chosen {
    const hasAllocation = this.#isStructured && this.#allocationOf === name;
    return { device, isStructured: this.#isStructured, allocationId: hasAllocation ? ALLOCATION_ID : undefined };
  }

  async #list(data: Bytes): Promise<void> {
    if (data.length > 0) throw new Malformed();
    for (const { name, description } of await this.#exports.list()) {
      const bytes = utf8(name);
      await this.reply(Option.list, OptionReply.server, packet([32, bytes.length], bytes, description));
    }
    await this.reply(Option.list, OptionReply.ack);
  }

  async #infoOrGo(option: number, data: Bytes): Promise<Chosen | 'more'> {
    const fields = new Fields(data);
    const name = fields.name();
    const asked = fields.list16();
    fields.end();
    const device = await this.#exports.open(name);
    if (!device) {
      await this.reply(option, OptionReply.unknownExport, utf8(`There is no export '${name}'`));
      return 'more';
    }
    const info = (type: number, ...rest: readonly Field[]) =>
      this.reply(option, OptionReply.info, packet([16, type], ...rest));
    await info(Info.export, [64, device.size], [16, flagsOf(device, this.#isStructured)]);
    if (asked.includes(Info.name)) await info(Info.name, name);
    if (asked.includes(Info.blockSize)) {
      await info(Info.blockSize, [32, MIN_BLOCK], [32, PREFERRED_BLOCK], [32, MAX_COMMAND_BYTES]);
    }
    await this.reply(option, OptionReply.ack);
    if (option === Option.go) return this.#chosen(device, name);
    await device.close();
    return 'more';
  }

  async #metaContext(option: number, data: Bytes): Promise<void> {
    const fields = new Fields(data);
    const name = fields.name();
    const queries = Array.from({ length: fields.count32() }, () => fields.name());
    fields.end();
    if (!this.#isStructured) throw new Malformed();
    const isAsked =
      queries.some((query) => query === BASE_ALLOCATION || (option === Option.listMetaContext && query === 'base:')) ||
      (option === Option.listMetaContext && queries.length === 0);
    if (option === Option.setMetaContext) this.#allocationOf = isAsked ? name : undefined;
    if (isAsked) await this.reply(option, OptionReply.metaContext, packet([32, ALLOCATION_ID], BASE_ALLOCATION));
    await this.reply(option, OptionReply.ack);
  }
}

function flagsOf({ isReadOnly, isShared }: BlockExport, isStructured: boolean): number {
  const writes = ExportFlag.flush | ExportFlag.fua | ExportFlag.trim | ExportFlag.writeZeroes;
  return (
    ExportFlag.hasFlags |
    (isReadOnly ? ExportFlag.readOnly : writes) |
    (isStructured ? ExportFlag.dontFragment : 0) |
    (isShared ? ExportFlag.multiConn : 0)
  );
}

/** The data of an option, field after field. */
class Fields {
  readonly #data: Bytes;
  #at = 0;

  constructor(data: Bytes) {
    this.#data = data;
  }

  #take(count: number): Bytes {
    if (this.#at + count > this.#data.length) throw new Malformed();
    this.#at += count;
    return this.#data.subarray(this.#at - count, this.#at);
  }

  count32(): number {
    const count = viewOf(this.#take(4)).getUint32(0);
    if (count > this.#data.length) throw new Malformed();
    return count;
  }

  list16(): number[] {
    const count = viewOf(this.#take(2)).getUint16(0);
    return Array.from({ length: count }, () => viewOf(this.#take(2)).getUint16(0));
  }

  name(): string {
    const length = this.count32();
    if (length > MAX_NAME_BYTES) throw new Malformed();
    return textOf(this.#take(length));
  }

  rest(): string {
    return textOf(this.#take(this.#data.length - this.#at));
  }

  end(): void {
    if (this.#at !== this.#data.length) throw new Malformed();
  }
}

function textOf(bytes: Bytes): string {
  return new TextDecoder().decode(bytes);
}
