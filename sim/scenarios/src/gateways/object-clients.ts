/**
 * Clients of a bucket without versions: whole objects, uploads in parts, and what a collector of garbage does meanwhile. The
 * state of an object is what its bytes are: half of one write and half of another is a state that no write made.
 */
import { type Bytes, concatBytes, fromUtf8, utf8 } from '@spirula/encoding';
import type { Simulation } from '@spirula/sim-world';
import { SECOND } from '@spirula/world';
import type { GatewayPlace } from './gateway-place.ts';
import { ABSENT, makes, type State, tellsThat } from './object-state.ts';
import { S3Clients } from './s3-clients.ts';
import { type Answered, elements } from './s3-request.ts';

/** The index escapes names that begin with `_`; parts of uploads are named by the object's name and dots. */
const KEYS = ['_a', 'b/c.d', 'e_f', 'g'];

/** Bytes of one line: stripes begin at multiples of it, so that each bears the mark of its write. */
const MARK_BYTES = 16;
/** More than a head holds. */
const LARGE = 4 << 20;
/** The least that a part may have that is not the last. */
const LEAST_PART = 5 << 20;

/** An upload that was begun, for all clients. */
interface Upload {
  readonly key: string;
  readonly id: string;
  /** By number: the newest that was acknowledged. */
  readonly parts: Map<number, { readonly etag: string; readonly bytes: Bytes }>;
  /** Large first part, then a small one; else one part. */
  readonly isLarge: boolean;
}

export interface Mark {
  readonly key: string;
  readonly upload?: string;
}

export class ObjectClients extends S3Clients<State> {
  /** What bears a mark was written for this. */
  readonly marks = new Map<string, Mark>();
  readonly uploads: Upload[] = [];
  /** A gateway crashed while it collected garbage. */
  collectorCrashed = false;
  #collections = 0;

  constructor(simulation: Simulation, places: readonly GatewayPlace[]) {
    super({ simulation, places, bucket: 'shared', keys: KEYS, initial: ABSENT, restUs: SECOND / 2 });
  }

  async read(place: GatewayPlace, key: string): Promise<Answered | undefined> {
    const collections = this.#collections;
    return await this.recorded('reader', key, 'GET', undefined, async () => {
      const answer = await place.ask({ method: 'GET', target: this.pathOf(key) });
      if (answer?.status === 404) return { answer, ...tellsThat(ABSENT) };
      if (answer?.status === 200) {
        if (answer.body.length !== answer.size) this.violate(`${key}: ${answer.body.length} of ${answer.size} bytes`);
        const isWhole = answer.etag.includes('-') || answer.etag === this.md5(answer.body);
        if (!isWhole) this.violate(`${key}: bytes with the ETag of others`);
        return { answer, ...tellsThat(this.#stateOf(answer.body)) };
      }
      // Who reads slower than garbage is collected may find the rest gone; here it is collected at once.
      const isOvertaken = collections !== this.#collections;
      if (answer?.status === 0 && !isOvertaken) this.violate(`${key}: its body breaks off`);
      return { answer };
    });
  }

  async complete(place: GatewayPlace, { key, id, parts }: Upload): Promise<Answered | undefined> {
    const chosen = [...parts].sort(([a], [b]) => a - b);
    const whole = this.#stateOf(concatBytes(chosen.map(([, { bytes }]) => bytes)));
    const xml = chosen
      .map(([n, { etag }]) => `<Part><PartNumber>${n}</PartNumber><ETag>${etag}</ETag></Part>`)
      .join('');
    const body = utf8(`<CompleteMultipartUpload>${xml}</CompleteMultipartUpload>`);
    return await this.recorded(
      'uploader',
      key,
      `complete ${id} ${whole.key}`,
      () => whole,
      async () => {
        const answer = await place.ask({ method: 'POST', target: `${this.pathOf(key)}?uploadId=${id}`, body });
        if (!answer) this.interrupted.add(id);
        // The status is on its way before it is known what comes of it.
        const isDone = answer?.status === 200 && !fromUtf8(answer.body).includes('<Error>');
        if (isDone) return { answer, ...makes(whole) };
        const isRefused = answer !== undefined && answer.status !== 200 && answer.status < 500;
        if (isRefused) return { answer, refused: true, step: (before) => before };
        return { answer: answer?.status === 200 ? { ...answer, status: 503 } : answer };
      },
    );
  }

  async abort(place: GatewayPlace, { key, id }: Upload): Promise<Answered | undefined> {
    const answer = await place.ask({ method: 'DELETE', target: `${this.pathOf(key)}?uploadId=${id}` });
    if (!answer || answer.status >= 500) this.interrupted.add(id);
    return answer;
  }

  protected async act(client: string, place: GatewayPlace): Promise<unknown> {
    const { random } = this;
    const key = random.pick(this.keys);
    const upload = this.uploads.length > 0 && !random.oneIn(3) ? random.pick(this.uploads.slice(-3)) : undefined;
    const drawn = random.below(20);
    if (drawn < 5) return await this.read(place, key);
    if (drawn < 8) return await this.#put(client, place, key);
    if (drawn < 10) return await this.#remove(client, place, key);
    if (drawn < 11) return await this.#list(place);
    if (drawn < 12) return await this.#setAcl(place, key);
    if (drawn < 13) return await this.#collect(place);
    if (!upload) return await this.#beginUpload(place, key);
    if (drawn < 17) return await this.#putPart(client, place, upload);
    if (upload.parts.size === 0) return;
    return await (drawn < 19 ? this.complete(place, upload) : this.abort(place, upload));
  }

  async #put(client: string, place: GatewayPlace, key: string): Promise<unknown> {
    const size = this.random.oneIn(10) ? LARGE + this.random.below(9000) : this.random.below(9000);
    const body = this.#marked(client, size, { key });
    const state = this.#stateOf(body);
    return await this.recorded(
      client,
      key,
      `PUT ${state.key}`,
      () => state,
      async () => {
        const answer = await place.ask({ method: 'PUT', target: this.pathOf(key), body });
        return answer?.status === 200 ? { answer, ...makes(state) } : { answer };
      },
    );
  }

  async #remove(client: string, place: GatewayPlace, key: string): Promise<unknown> {
    return await this.recorded(
      client,
      key,
      'DELETE',
      () => ABSENT,
      async () => {
        const answer = await place.ask({ method: 'DELETE', target: this.pathOf(key) });
        return answer?.status === 204 ? { answer, ...makes(ABSENT) } : { answer };
      },
    );
  }

  async #list(place: GatewayPlace): Promise<void> {
    const answer = await place.ask({ method: 'GET', target: `/${this.bucket}?max-keys=2` });
    if (answer && ![200, 503].includes(answer.status)) this.violate(`listing fails: ${answer.status}`);
  }

  async #setAcl(place: GatewayPlace, key: string): Promise<void> {
    const headers = { 'x-amz-acl': this.random.pick(['private', 'public-read']) };
    const answer = await place.ask({ method: 'PUT', target: `${this.pathOf(key)}?acl`, headers });
    if (!answer) this.interrupted.add(key);
    else if (![200, 404, 409, 503].includes(answer.status)) this.violate(`PUT ?acl of ${key}: ${answer.status}`);
  }

  /** What is not due is collected too: whoever needs it is harmed. */
  async #collect(place: GatewayPlace): Promise<void> {
    this.#collections += 1;
    const removed = await place.unlessCrashed(place.gateway!.store.garbage.process(true));
    this.collectorCrashed ||= removed === undefined;
  }

  async #beginUpload(place: GatewayPlace, key: string): Promise<void> {
    const answer = await place.ask({ method: 'POST', target: `${this.pathOf(key)}?uploads` });
    // One whose id nobody was told may go on.
    if (!answer || answer.status >= 500) this.interrupted.add(`an upload of ${key}`);
    if (answer?.status !== 200) return;
    const [id] = elements(fromUtf8(answer.body), 'UploadId');
    this.uploads.push({ key, id: id!, parts: new Map(), isLarge: this.random.oneIn(10) });
  }

  async #putPart(client: string, place: GatewayPlace, upload: Upload): Promise<void> {
    const { key, id, isLarge, parts } = upload;
    const number = isLarge ? this.random.between(1, 2) : 1;
    const size = (isLarge && number === 1 ? LEAST_PART : 1) + this.random.below(9000);
    const bytes = this.#marked(client, size, { key, upload: id });
    const target = `${this.pathOf(key)}?partNumber=${number}&uploadId=${id}`;
    const answer = await place.ask({ method: 'PUT', target, body: bytes });
    if (!answer || answer.status >= 500) this.interrupted.add(id);
    if (answer?.status === 200) parts.set(number, { etag: answer.etag, bytes });
    // 409: another completes the upload, or gives it up, at this time.
    else if (answer && ![404, 409, 503].includes(answer.status)) this.violate(`part of ${key}: ${answer.status}`);
  }

  #marked(client: string, size: number, mark: Mark): Bytes {
    const name = `${client}.${this.marks.size}`;
    this.marks.set(name, mark);
    return repeated(`${name}\n`.padStart(MARK_BYTES, ' '), size);
  }

  #stateOf(bytes: Bytes): State {
    return { key: `${markOf(bytes)}/${bytes.length}/${this.md5(bytes).slice(0, 8)}` };
  }
}

/** Who wrote this, by its first line. */
export function markOf(bytes: Uint8Array): string {
  return fromUtf8(bytes.subarray(0, MARK_BYTES)).trim();
}

export function repeated(line: string, size: number): Bytes {
  const bytes = new Uint8Array(size);
  const pattern = utf8(line);
  for (let at = 0; at < size; at += pattern.length) bytes.set(pattern.subarray(0, size - at), at);
  return bytes;
}
