import { gzipSync } from 'node:zlib';
import { MalformedArchive } from '@spirula/rgw';
import { type Pack, pack } from 'tar-stream';
import { expect, test } from 'vitest';
import { archives } from './archives.ts';

async function bytesOf(packed: Pack): Promise<Buffer> {
  packed.finalize();
  const pieces: Buffer[] = [];
  for await (const piece of packed) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

async function* inPieces(bytes: Uint8Array, length = 1000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}

async function sample(): Promise<Buffer> {
  const packed = pack();
  packed.entry({ name: 'folder/', type: 'directory' });
  packed.entry({ name: 'folder/a' }, 'some text');
  packed.entry({ name: 'link', type: 'symlink', linkname: '/etc/passwd' });
  packed.entry({ name: `${'long/'.repeat(60)}ü` }, 'x'.repeat(5000));
  packed.entry({ name: 'empty' }, '');
  return await bytesOf(packed);
}

const told = [
  ['folder/', 'directory', ''],
  ['folder/a', 'file', 'some text'],
  ['link', 'other', ''],
  [`${'long/'.repeat(60)}ü`, 'file', 'x'.repeat(5000)],
  ['empty', 'file', ''],
];

test.each([
  ['tar', (bytes: Uint8Array) => bytes],
  ['tar.gz', (bytes: Uint8Array) => gzipSync(bytes)],
] as const)('%s: names, kinds and data, in order', async (format, compress) => {
  const found: string[][] = [];
  for await (const { path, kind, data } of archives.expand(format, inPieces(compress(await sample())))) {
    let text = '';
    for await (const piece of data) text += Buffer.from(piece).toString();
    found.push([path, kind, text]);
  }

  expect(found).toEqual(told);
});

test('what is not read of a file is passed over', async () => {
  const paths: string[] = [];
  for await (const { path } of archives.expand('tar', inPieces(await sample()))) paths.push(path);

  expect(paths).toEqual(told.map(([path]) => path));
});

test.each([
  ['no archive', 'tar', Buffer.alloc(2000, 7)],
  ['one that ends in a file', 'tar', undefined],
  ['not compressed', 'tar.gz', Buffer.from('this is not compressed')],
] as const)('%s is refused', async (_, format, bytes) => {
  const given = bytes ?? (await sample()).subarray(0, 1100);
  const read = async () => {
    for await (const { data } of archives.expand(format, inPieces(given))) for await (const __ of data);
  };

  await expect(read()).rejects.toThrow(MalformedArchive);
});

test('a client that goes away is told of as such, and no more is asked of it than there is room for', async () => {
  let asked = 0;
  async function* leaving(): AsyncGenerator<Uint8Array> {
    const packed = pack();
    packed.entry({ name: 'large', size: 1 << 30 });
    const head = ((await packed[Symbol.asyncIterator]().next()) as { readonly value: Buffer }).value;
    yield head;
    for (; asked < 200; asked++) yield new Uint8Array(64 << 10);
    throw Object.assign(new Error('gone'), { code: 'ECONNRESET' });
  }
  const entries = archives.expand('tar', leaving())[Symbol.asyncIterator]();
  const { data } = (await entries.next()).value!;
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(asked).toBeLessThan(20);
  const rest = async () => {
    for await (const _ of data);
    await entries.next();
  };

  await expect(rest()).rejects.toMatchObject({ code: 'ECONNRESET' });
});
