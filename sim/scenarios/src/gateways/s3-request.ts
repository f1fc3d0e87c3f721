/** Requests to a gateway as clients sign and send them, and what they are told. */
import { base64 } from '@scure/base';
import { type Bytes, concatBytes, EMPTY, toHex, utf8 } from '@spirula/encoding';
import { formatHttpDate, type HttpRequest, type HttpResponse } from '@spirula/rgw';
import type { Crypto, World } from '@spirula/world';

export const USER = { uid: 'alice', displayName: 'Alice', accessKey: 'ALICE', secret: 'secret of alice' };

export type Keys = Pick<typeof USER, 'accessKey' | 'secret'>;

export interface Answered {
  readonly status: number;
  readonly etag: string;
  readonly size: number;
  readonly body: Bytes;
  /** '' when the answer names none. */
  readonly versionId: string;
}

export interface Asked {
  readonly method: string;
  /** Path and query; the query in the order in which it is signed. */
  readonly target: string;
  readonly body?: Bytes;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Sub-resources that signature version 2 signs, of those that are asked for here. */
const SIGNED = [
  'acl',
  'delete',
  'notification',
  'partNumber',
  'uploadId',
  'uploads',
  'versionId',
  'versioning',
  'versions',
];
const PIECE_BYTES = 1 << 20;

/** With signature version 2. */
export function signed(
  { clock, crypto }: Pick<World, 'clock' | 'crypto'>,
  { method, target, body = EMPTY, headers = {} }: Asked,
  { accessKey, secret }: Keys = USER,
): HttpRequest {
  const date = formatHttpDate(clock.wall());
  const amz = Object.entries(headers)
    .filter(([name]) => name.startsWith('x-amz-'))
    .map(([name, value]) => `${name}:${value}\n`);
  const toSign = `${method}\n\n\n${date}\n${amz.join('')}${signedTarget(target)}`;
  const signature = base64.encode(crypto.hmac('sha1', utf8(secret), utf8(toSign)));
  return {
    method,
    target,
    headers: new Map([
      ['host', 's3'],
      ['date', date],
      ['content-length', String(body.length)],
      ['authorization', `AWS ${accessKey}:${signature}`],
      ...Object.entries(headers),
    ]),
    body: inPieces(body),
    secure: false,
    remoteAddr: '10.0.0.1',
  };
}

function signedTarget(target: string): string {
  const [path, query = ''] = target.split('?');
  const asked = query.split('&').filter((each) => SIGNED.includes(each.split('=', 1)[0]!));
  return asked.length === 0 ? path! : `${path}?${asked.join('&')}`;
}

async function* inPieces(bytes: Bytes): AsyncGenerator<Bytes> {
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) yield bytes.subarray(at, at + PIECE_BYTES);
}

export async function readAnswer({ status, headers, body }: HttpResponse): Promise<Answered> {
  const header = (name: string) => headers.find(([each]) => each.toLowerCase() === name)?.[1] ?? '';
  const answered = {
    status,
    etag: header('etag').replaceAll('"', ''),
    size: Number(header('content-length')),
    versionId: header('x-amz-version-id'),
  };
  if (body instanceof Uint8Array) return { ...answered, body };
  const pieces: Bytes[] = [];
  try {
    for await (const piece of body) pieces.push(piece);
  } catch {
    return { ...answered, status: 0, body: EMPTY };
  }
  return { ...answered, body: concatBytes(pieces) };
}

export function md5(crypto: Crypto, bytes: Bytes): string {
  return toHex(crypto.hash('md5', bytes));
}

/** The texts of an XML page's elements of this name, as they stand there. */
export function elements(page: string, name: string): readonly string[] {
  return [...page.matchAll(new RegExp(`<${name}>(.*?)</${name}>`, 'gs'))].map(([, text]) => text!);
}
