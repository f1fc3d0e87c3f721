/** A client of S3 that costs little beside what it measures: connections kept, SigV2, bodies counted and thrown away. */
import { createHmac } from 'node:crypto';
import { Agent, request } from 'node:http';

export interface S3Target {
  readonly port: number;
  readonly accessKey: string;
  readonly secretKey: string;
}

export interface S3Answer {
  readonly status: number;
  readonly etag: string;
  readonly bytes: number;
  /** Of a body below 1 MiB; '' otherwise. */
  readonly text: string;
}

const MAX_TEXT = 1 << 20;
/** Parameters that are part of what is signed. */
const SIGNED = new Set(['uploads', 'uploadId', 'partNumber']);

export class S3Client {
  readonly #target: S3Target;
  readonly #agent: Agent;

  constructor(target: S3Target, concurrency: number) {
    this.#target = target;
    this.#agent = new Agent({ keepAlive: true, maxSockets: concurrency });
  }

  close(): void {
    this.#agent.destroy();
  }

  /** @throws Error unless the answer is a success */
  async send(method: string, path: string, body?: Uint8Array): Promise<S3Answer> {
    const { port, accessKey, secretKey } = this.#target;
    const date = new Date().toUTCString();
    const signature = createHmac('sha1', secretKey)
      .update(`${method}\n\n\n${date}\n${signedPath(path)}`)
      .digest('base64');
    const headers = {
      date,
      authorization: `AWS ${accessKey}:${signature}`,
      ...(body && { 'content-length': body.length }),
    };
    const answer = await new Promise<S3Answer>((resolve, reject) => {
      const sent = request({ host: '127.0.0.1', port, method, path, headers, agent: this.#agent }, (response) => {
        const pieces: Buffer[] = [];
        let bytes = 0;
        response.on('data', (piece: Buffer) => {
          bytes += piece.length;
          if (bytes < MAX_TEXT) pieces.push(piece);
        });
        response.once('error', reject);
        response.once('end', () => {
          const text = bytes < MAX_TEXT ? Buffer.concat(pieces).toString() : '';
          resolve({ status: response.statusCode ?? 0, etag: response.headers.etag ?? '', bytes, text });
        });
      });
      sent.once('error', reject);
      sent.end(body);
    });
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
    return answer;
  }
}

function signedPath(path: string): string {
  const [name, query = ''] = path.split('?');
  const signed = query.split('&').filter((each) => SIGNED.has(each.split('=', 1)[0]!));
  return signed.length === 0 ? name! : `${name}?${signed.sort().join('&')}`;
}
