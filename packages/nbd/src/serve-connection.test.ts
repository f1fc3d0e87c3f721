import { type Bytes, concatBytes } from '@spirula/encoding';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { BlockExport, ExportList } from './block-export.ts';
import { ByteReader } from './byte-reader.ts';
import { ProtocolError } from './nbd-stream.ts';
import { type Field, packet, viewOf } from './packets.ts';
import { Command, CommandFlag, Magic, NbdError, Option, OptionReply, ReplyType } from './protocol.ts';
import { serveConnection } from './serve-connection.ts';

const SIZE = 10_000;

/** A device in memory, with a hole behind its first half. */
class MemoryExport implements BlockExport {
  readonly bytes = new Uint8Array(SIZE);
  readonly size = SIZE;
  readonly isShared = true;
  isReadOnly = false;
  calls: string[] = [];
  isClosed = false;

  async read(offset: number, length: number) {
    return this.bytes.slice(offset, offset + length);
  }
  async write(offset: number, data: Bytes) {
    this.calls.push(`write ${offset} ${data.length}`);
    if (offset === 666) throw Object.assign(new Error('no room'), { errno: NbdError.ENOSPC });
    if (offset === 667) throw new Error('broken');
    this.bytes.set(data, offset);
  }
  async writeZeroes(offset: number, length: number, mayFree: boolean) {
    this.calls.push(`zero ${offset} ${length} ${mayFree}`);
    this.bytes.fill(0, offset, offset + length);
  }
  async trim(offset: number, length: number) {
    this.calls.push(`trim ${offset} ${length}`);
  }
  async flush() {
    this.calls.push('flush');
  }
  async extents(offset: number, length: number) {
    const data = Math.max(0, SIZE / 2 - offset);
    return [
      { length: Math.min(data, length), isHole: false },
      { length: length - Math.min(data, length), isHole: true },
    ].filter((each) => each.length > 0);
  }
  async close() {
    this.isClosed = true;
  }
}

/** Bytes from one side to the other. */
class Pipe implements AsyncIterable<Bytes> {
  readonly #pieces: Bytes[] = [];
  #isEnded = false;
  #wake: (() => void) | undefined;

  push(bytes: Bytes): void {
    this.#pieces.push(bytes);
    this.#wake?.();
  }

  end(): void {
    this.#isEnded = true;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Bytes> {
    for (;;) {
      const piece = this.#pieces.shift();
      if (piece) yield piece;
      else if (this.#isEnded) return;
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }
}

interface CommandExtras {
  readonly flags?: number;
  readonly data?: Bytes;
  readonly cookie?: number;
}

class Client {
  readonly device = new MemoryExport();
  readonly toServer = new Pipe();
  readonly fromServer = new Pipe();
  /** What goes over it once TLS has begun. */
  readonly secured = { toServer: new Pipe(), fromServer: new Pipe() };
  #reader = new ByteReader(this.fromServer);
  readonly served: Promise<void>;

  /** @param tls whether it is required; undefined: there is none */
  constructor(tls?: { readonly isRequired: boolean }) {
    const exports: ExportList = {
      list: async () => [
        { name: 'disk', description: 'a disk' },
        { name: 'ä', description: '' },
      ],
      open: async (name) => (name === 'disk' || name === '' ? this.device : undefined),
    };
    const write = async (pieces: readonly Bytes[]) => this.fromServer.push(concatBytes(pieces));
    const { secured } = this;
    const start = async () => ({
      input: secured.toServer,
      write: async (pieces: readonly Bytes[]) => secured.fromServer.push(concatBytes(pieces)),
    });
    const stream = { input: this.toServer, write, ...(tls && { tls: { ...tls, start } }) };
    this.served = serveConnection(stream, exports).finally(() => {
      for (const pipe of [this.fromServer, secured.fromServer]) pipe.end();
    });
    this.served.catch(() => {});
  }

  send(...fields: readonly Field[]): void {
    this.#output.push(packet(...fields));
  }

  #output = this.toServer;

  /** Nothing is in the clear from here on. */
  secure(): void {
    this.#output = this.secured.toServer;
    this.#reader = new ByteReader(this.secured.fromServer);
  }

  take(count: number): Promise<Bytes> {
    return this.#reader.take(count);
  }

  async hello(flags = 3): Promise<void> {
    expect([...(await this.take(18))]).toEqual([...packet('NBDMAGICIHAVEOPT', [16, 3])]);
    this.send([32, flags]);
  }

  option(option: number, ...fields: readonly Field[]): void {
    const data = packet(...fields);
    this.send([64, Magic.option], [32, option], [32, data.length], data);
  }

  async reply(): Promise<{ option: number; type: number; data: Bytes }> {
    const head = viewOf(await this.take(20));
    expect(head.getBigUint64(0)).toBe(Magic.optionReply);
    return { option: head.getUint32(8), type: head.getUint32(12), data: await this.take(head.getUint32(16)) };
  }

  /** Up to the first command. */
  async go({ structured }: { readonly structured: boolean }): Promise<void> {
    await this.hello();
    if (structured) {
      this.option(Option.structuredReply);
      expect((await this.reply()).type).toBe(OptionReply.ack);
      this.option(Option.setMetaContext, [32, 4], 'disk', [32, 1], [32, 15], 'base:allocation');
      expect((await this.reply()).data).toEqual(packet([32, 1], 'base:allocation'));
      expect((await this.reply()).type).toBe(OptionReply.ack);
    }
    this.option(Option.go, [32, 4], 'disk', [16, 0]);
    expect((await this.reply()).type).toBe(OptionReply.info);
    expect((await this.reply()).type).toBe(OptionReply.ack);
  }

  command(
    type: number,
    offset: number,
    length: number,
    { flags = 0, data = new Uint8Array(0), cookie = 7 }: CommandExtras = {},
  ): void {
    this.send([32, Magic.request], [16, flags], [16, type], [64, cookie], [64, offset], [32, length], data);
  }

  /** Of a simple answer its error. */
  async simple(): Promise<number> {
    const head = viewOf(await this.take(16));
    expect(head.getUint32(0)).toBe(Magic.simpleReply);
    expect(head.getBigUint64(8)).toBe(7n);
    return head.getUint32(4);
  }

  async structured(): Promise<{ type: number; cookie: bigint; payload: Bytes }> {
    const head = viewOf(await this.take(20));
    expect([head.getUint32(0), head.getUint16(4)]).toEqual([Magic.structuredReply, 1]);
    return { type: head.getUint16(6), cookie: head.getBigUint64(8), payload: await this.take(head.getUint32(16)) };
  }

  /** A structured refusal: its error. */
  async refusal(): Promise<number> {
    const { type, payload } = await this.structured();
    expect(type).toBe(ReplyType.error);
    expect(payload.length).toBe(6 + viewOf(payload).getUint16(4));
    return viewOf(payload).getUint32(0);
  }
}

test('a client lists what there is, asks about it, and ends without having chosen', async () => {
  const client = new Client();
  await client.hello();
  client.option(Option.list);
  expect((await client.reply()).data).toEqual(packet([32, 4], 'disk', 'a disk'));
  expect((await client.reply()).data).toEqual(packet([32, 2], 'ä'));
  expect((await client.reply()).type).toBe(OptionReply.ack);
  client.option(Option.info, [32, 4], 'disk', [16, 2], [16, 1], [16, 3]);
  const infos = [await client.reply(), await client.reply(), await client.reply()];
  expect(infos.map(({ data }) => viewOf(data).getUint16(0))).toEqual([0, 1, 3]);
  expect(viewOf(infos[0]!.data).getBigUint64(2)).toBe(BigInt(SIZE));
  expect((await client.reply()).type).toBe(OptionReply.ack);
  client.option(Option.go, [32, 4], 'none', [16, 0]);
  expect((await client.reply()).type).toBe(OptionReply.unknownExport);
  client.option(Option.startTls);
  expect((await client.reply()).type).toBe(OptionReply.unsupported);
  client.option(99);
  expect((await client.reply()).type).toBe(OptionReply.unsupported);
  client.option(Option.structuredReply, 'x');
  expect((await client.reply()).type).toBe(OptionReply.invalid);
  client.option(Option.go, [32, 400], 'disk', [16, 0]);
  expect((await client.reply()).type).toBe(OptionReply.invalid);
  client.option(Option.list, new Uint8Array(70_000));
  expect((await client.reply()).type).toBe(OptionReply.tooBig);
  client.option(Option.abort);
  expect((await client.reply()).type).toBe(OptionReply.ack);
  await client.served;
});

test('the oldest way to choose: a name, and no answers that are refusals', async () => {
  const client = new Client();
  await client.hello(1);
  client.option(Option.exportName, 'disk');
  const head = viewOf(await client.take(8 + 2 + 124));
  expect(head.getBigUint64(0)).toBe(BigInt(SIZE));
  client.command(Command.write, 5, 3, { data: packet('abc') });
  expect(await client.simple()).toBe(0);
  client.command(Command.read, 4, 5);
  expect(await client.simple()).toBe(0);
  expect(await client.take(5)).toEqual(packet(Uint8Array.of(0), 'abc', Uint8Array.of(0)));
  client.command(Command.blockStatus, 0, 10);
  expect(await client.simple()).toBe(NbdError.EINVAL);
  client.command(Command.disconnect, 0, 0);
  await client.served;
  expect(client.device.isClosed).toBe(true);

  const other = new Client();
  await other.hello();
  other.option(Option.exportName, 'none');
  await expect(other.served).rejects.toThrow(ProtocolError);
});

test('commands and what they are answered', async () => {
  const client = new Client();
  await client.go({ structured: true });
  const done = async () => expect(await client.structured()).toMatchObject({ type: ReplyType.none, cookie: 7n });
  client.command(Command.write, 0, 2, { data: packet('hi'), flags: CommandFlag.fua });
  await done();
  client.command(Command.read, 0, 2, { flags: CommandFlag.dontFragment });
  expect((await client.structured()).payload).toEqual(packet([64, 0], 'hi'));
  client.command(Command.writeZeroes, 10, 20);
  await done();
  client.command(Command.writeZeroes, 10, 20, { flags: CommandFlag.noHole });
  await done();
  client.command(Command.trim, 30, 40);
  await done();
  client.command(Command.flush, 0, 0);
  await done();
  expect(client.device.calls).toEqual([
    'write 0 2',
    'flush',
    'zero 10 20 true',
    'zero 10 20 false',
    'trim 30 40',
    'flush',
  ]);
  client.command(Command.blockStatus, 4000, 4000);
  expect((await client.structured()).payload).toEqual(packet([32, 1], [32, 1000], [32, 0], [32, 3000], [32, 3]));
  client.command(Command.blockStatus, 4000, 4000, { flags: CommandFlag.oneExtent });
  expect((await client.structured()).payload).toEqual(packet([32, 1], [32, 1000], [32, 0]));
});

test('what may not be is refused, and the next command is served', async () => {
  const client = new Client();
  await client.go({ structured: true });
  const refused = async (errno: number) => expect(await client.refusal()).toBe(errno);
  client.command(Command.read, SIZE - 1, 2);
  await refused(NbdError.EINVAL);
  client.command(Command.write, SIZE - 1, 2, { data: packet('xx') });
  await refused(NbdError.ENOSPC);
  client.send([32, Magic.request], [16, 0], [16, Command.read], [64, 7], [64, 0xffff_ffff_ffff_ffffn], [32, 1]);
  await refused(NbdError.EINVAL);
  client.command(Command.read, 0, 0xffff_ffff);
  await refused(NbdError.EINVAL);
  client.command(Command.read, 0, 1, { flags: 1 << 9 });
  await refused(NbdError.EINVAL);
  client.command(99, 0, 1);
  await refused(NbdError.EINVAL);
  client.command(Command.write, 666, 1, { data: packet('x') });
  await refused(NbdError.ENOSPC);
  client.command(Command.write, 667, 1, { data: packet('x') });
  await refused(NbdError.EIO);
  client.device.isReadOnly = true;
  client.command(Command.write, 0, 1, { data: packet('x') });
  await refused(NbdError.EPERM);
  client.command(Command.read, 0, 1);
  expect((await client.structured()).type).toBe(ReplyType.offsetData);
  client.send([32, 0x1234]);
  client.send(new Uint8Array(24));
  await expect(client.served).rejects.toThrow(ProtocolError);
  expect(client.device.isClosed).toBe(true);
});

test('many at a time are answered each, whole', async () => {
  const client = new Client();
  await client.go({ structured: true });
  const cookies = Array.from({ length: 300 }, (_, i) => i);
  for (const cookie of cookies) client.command(Command.read, cookie, 100, { cookie });
  const answered = new Set<bigint>();
  for (const _ of cookies) {
    const { cookie, payload } = await client.structured();
    expect(viewOf(payload).getBigUint64(0)).toBe(cookie);
    answered.add(cookie);
  }
  expect(answered.size).toBe(300);
  client.toServer.end();
  await client.served;
});

test('whatever a client sends, its connection ends when it does, and the export is closed', async () => {
  const start = [
    packet([32, 3]),
    packet([32, 3], [64, Magic.option], [32, Option.go], [32, 10], [32, 4], 'disk', [16, 0]),
    packet([32, 3], [64, Magic.option], [32, Option.list], [32, 0]),
  ];
  const command = fc
    .record({ type: fc.nat(9), flags: fc.nat(20), offset: fc.nat(12_000), length: fc.nat(3000), data: fc.uint8Array() })
    .map(({ type, flags, offset, length, data }) =>
      packet([32, Magic.request], [16, flags], [16, type], [64, 1], [64, offset], [32, length], data),
    );
  const pieces = fc.array(fc.oneof(command, fc.uint8Array({ maxLength: 40 }), fc.constantFrom(...start)), {
    maxLength: 6,
  });
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...start), pieces, fc.nat(200), async (first, rest, cut) => {
      const client = new Client();
      const all = concatBytes([first, ...rest]);
      client.toServer.push(all.subarray(0, all.length - Math.min(cut, all.length)));
      client.toServer.end();
      await client.served.catch((error) => expect(error).toBeInstanceOf(ProtocolError));
      for await (const _ of client.fromServer);
      if (client.device.calls.length > 0) expect(client.device.isClosed).toBe(true);
    }),
    { numRuns: 500 },
  );
});

test('TLS begins where it is offered, once, and what was agreed on before is agreed on anew', async () => {
  const client = new Client({ isRequired: false });
  await client.hello();
  client.option(Option.structuredReply);
  expect((await client.reply()).type).toBe(OptionReply.ack);
  client.option(Option.startTls, 'x');
  expect((await client.reply()).type).toBe(OptionReply.invalid);
  client.option(Option.startTls);
  expect((await client.reply()).type).toBe(OptionReply.ack);
  client.secure();
  client.option(Option.startTls);
  expect((await client.reply()).type).toBe(OptionReply.invalid);
  client.option(Option.go, [32, 4], 'disk', [16, 0]);
  expect((await client.reply()).type).toBe(OptionReply.info);
  expect((await client.reply()).type).toBe(OptionReply.ack);
  client.command(Command.read, 0, 1);
  // Structured replies were asked for in the clear.
  expect(await client.simple()).toBe(0);
  await client.take(1);
  client.command(Command.disconnect, 0, 0);
  await client.served;
  expect(client.device.isClosed).toBe(true);
});

test('where TLS is required nothing is told without it', async () => {
  const client = new Client({ isRequired: true });
  await client.hello();
  for (const option of [Option.list, Option.structuredReply, 99]) {
    client.option(option);
    expect((await client.reply()).type).toBe(OptionReply.tlsRequired);
  }
  client.option(Option.go, [32, 4], 'disk', [16, 0]);
  expect((await client.reply()).type).toBe(OptionReply.tlsRequired);
  client.option(Option.startTls);
  expect((await client.reply()).type).toBe(OptionReply.ack);
  client.secure();
  client.option(Option.list);
  expect((await client.reply()).type).toBe(OptionReply.server);

  const oldest = new Client({ isRequired: true });
  await oldest.hello();
  oldest.option(Option.exportName, 'disk');
  await expect(oldest.served).rejects.toThrow(ProtocolError);
});

test('what somebody puts in behind the option that begins TLS is not taken for what the client says', async () => {
  const client = new Client({ isRequired: true });
  await client.hello();
  const list = packet([64, Magic.option], [32, Option.list], [32, 0]);
  client.send(packet([64, Magic.option], [32, Option.startTls], [32, 0]), list);
  await expect(client.served).rejects.toThrow(ProtocolError);
});
