/** Object gateways in a simulated cluster, and requests to them as clients sign and send them. */
import { createHash, createHmac } from 'node:crypto';
import type { Message } from '@spirula/messages';
import { type Gateway, type HttpResponse, RgwDaemon } from '@spirula/rgw';
import type { Lab } from '@spirula/sim-scenarios';
import { SECOND, type World } from '@spirula/world';

const USER = { uid: 'alice', displayName: 'Alice', accessKey: 'ALICE', secret: 'secret of alice' };

export interface Answered {
  readonly status: number;
  readonly etag: string;
  readonly size: number;
  readonly body: Uint8Array;
  /** '' when the answer names none. */
  readonly versionId: string;
}

interface Asked {
  readonly method: string;
  /** Path and query; the query in the order in which it is signed. */
  readonly target: string;
  readonly body?: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A gateway: its machine, and the one that runs there now. */
export class GatewayPlace {
  readonly name: string;
  readonly #lab: Lab;
  #world: World<Message> | undefined;
  #gateway: Gateway | undefined;
  #onCrash: (() => void)[] = [];

  constructor(lab: Lab, name: string) {
    this.#lab = lab;
    this.name = name;
    lab.cluster.addTools(name, (world, monAddrs, auth) => {
      const daemon = new RgwDaemon(world, { rados: { monAddrs, auth, fsid: lab.cluster.fsid }, user: USER });
      this.#world = world;
      daemon.ready.then(
        (gateway) => {
          if (this.#world === world) this.#gateway = gateway;
        },
        (error: Error) => lab.simulation.addViolation(`${name} does not start: ${error.message}`),
      );
      return daemon;
    });
  }

  /** Undefined while none is ready. */
  get gateway(): Gateway | undefined {
    return this.#gateway;
  }

  /** Whoever waits for an answer is told that there will be none. */
  crash(downUs: number): void {
    const process = this.#process;
    if (process.state !== 'running') return;
    this.#gateway = undefined;
    process.crash();
    for (const told of this.#onCrash.splice(0)) told();
    this.#lab.simulation.after(downUs, () => process.start());
  }

  /** In order, and for good. */
  stop(): void {
    this.#gateway = undefined;
    this.#process.terminate();
  }

  get #process() {
    return this.#lab.simulation.processes.find(({ name }) => name === `client.${this.name}`)!;
  }

  /** Undefined: the gateway crashed. A body that breaks off is an answer of status 0. */
  async ask(asked: Asked): Promise<Answered | undefined> {
    return await this.unlessCrashed(this.#gateway!.handle(this.#sign(asked)).then(readAnswer));
  }

  async unlessCrashed<T>(promise: Promise<T>): Promise<T | undefined> {
    return await Promise.race([
      promise,
      new Promise<undefined>((resolve) => this.#onCrash.push(() => resolve(undefined))),
    ]);
  }

  #sign({ method, target, body = new Uint8Array(0), headers = {} }: Asked) {
    const date = new Date(this.#world!.clock.wall().sec * 1000).toUTCString();
    const amz = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`);
    const toSign = `${method}\n\n\n${date}\n${amz.join('')}${signedTarget(target)}`;
    const signature = createHmac('sha1', USER.secret).update(toSign).digest('base64');
    return {
      method,
      target,
      headers: new Map([
        ['host', 's3'],
        ['date', date],
        ['content-length', String(body.length)],
        ['authorization', `AWS ${USER.accessKey}:${signature}`],
        ...Object.entries(headers),
      ]),
      body: inPieces(body),
      secure: false,
      remoteAddr: '10.0.0.1',
    };
  }
}

const SIGNED = ['acl', 'delete', 'partNumber', 'uploadId', 'uploads', 'versionId', 'versioning', 'versions'];

function signedTarget(target: string): string {
  const [path, query = ''] = target.split('?');
  const signed = query.split('&').filter((each) => SIGNED.includes(each.split('=', 1)[0]!));
  return signed.length === 0 ? path! : `${path}?${signed.join('&')}`;
}

const PIECE_BYTES = 1 << 20;

async function* inPieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) yield bytes.subarray(at, at + PIECE_BYTES);
}

async function readAnswer({ status, headers, body }: HttpResponse): Promise<Answered> {
  const header = (name: string) => headers.find(([each]) => each.toLowerCase() === name)?.[1] ?? '';
  const answered = {
    status,
    etag: header('etag').replaceAll('"', ''),
    size: Number(header('content-length')),
    versionId: header('x-amz-version-id'),
  };
  if (body instanceof Uint8Array) return { ...answered, body };
  const pieces: Uint8Array[] = [];
  try {
    for await (const piece of body) pieces.push(piece);
  } catch {
    return { ...answered, status: 0, body: new Uint8Array(0) };
  }
  return { ...answered, body: Buffer.concat(pieces) };
}

export function md5(...bytes: readonly Uint8Array[]): string {
  const hash = createHash('md5');
  for (const each of bytes) hash.update(each);
  return hash.digest('hex');
}

/** Lets virtual time pass until `done`; what hangs on promises is settled before it moves. */
export async function runUntil(lab: Lab, done: () => boolean, withinSeconds: number): Promise<boolean> {
  const { simulation } = lab;
  const deadline = simulation.now + withinSeconds * SECOND;
  while (!done() && simulation.now < deadline && simulation.violations.length === 0) {
    await simulation.runWithPromises(Math.min(deadline, simulation.now + SECOND / 50));
  }
  return done();
}

export async function settle<T>(lab: Lab, promise: Promise<T>, withinSeconds = 300): Promise<T> {
  let settled = false;
  const done = () => {
    settled = true;
  };
  promise.then(done, done);
  if (!(await runUntil(lab, () => settled, withinSeconds))) {
    throw new Error(`no answer in ${withinSeconds} s; ${lab.simulation.violations.join('; ')}`);
  }
  return promise;
}
