/**
 * Clients that share a few objects of one bucket through several gateways, and a history of each object that is checked while
 * it grows. The state of an object is what its bytes are: half of one write and half of another is a state that no write made.
 */
import type { Lab } from '@spirula/sim-scenarios';
import type { SeededRandom } from '@spirula/sim-world';
import { SECOND } from '@spirula/world';
import { ObjectHistory } from '../../sim/scenarios/src/checkers/object-history.ts';
import { type Answered, type GatewayPlace, md5 } from './gateway-places.ts';

export const BUCKET = 'shared';
/** The index escapes names that begin with `_`; parts of uploads are named by the object's name and dots. */
export const KEYS = ['_a', 'b/c.d', 'e_f', 'g'];

/** Bytes of one line: stripes begin at multiples of it, so that each bears the mark of its write. */
const MARK_BYTES = 16;
/** More than a head holds. */
const LARGE = 4 << 20;
/** The least that a part may have that is not the last. */
const LEAST_PART = 5 << 20;

interface State {
  readonly key: string;
}
const ABSENT: State = { key: 'none' };

/** An upload that was begun, for all clients. */
interface Upload {
  readonly key: string;
  readonly id: string;
  /** By number: the newest that was acknowledged. */
  readonly parts: Map<number, { readonly etag: string; readonly bytes: Uint8Array }>;
  /** Large first part, then a small one; else one part. */
  readonly isLarge: boolean;
}

export interface Mark {
  readonly key: string;
  readonly upload?: string;
}

export interface ClientStats {
  answered: number;
  unknown: number;
  refused: number;
  completed: number;
  overtakenReads: number;
}

export class GatewayClients {
  readonly stats: ClientStats = { answered: 0, unknown: 0, refused: 0, completed: 0, overtakenReads: 0 };
  /** What bears a mark was written for this. */
  readonly marks = new Map<string, Mark>();
  /** Keys and uploads of which a request ended without an answer: what it left behind nobody knows of. */
  readonly interrupted = new Set<string>();
  readonly uploads: Upload[] = [];
  /** A gateway crashed while it collected garbage. */
  collectorCrashed = false;
  readonly #lab: Lab;
  readonly #places: readonly GatewayPlace[];
  readonly #random: SeededRandom;
  readonly #histories: ReadonlyMap<string, ObjectHistory<State>>;
  #operations = 0;
  #working = 0;
  #stopped = false;
  #collections = 0;

  constructor(lab: Lab, places: readonly GatewayPlace[]) {
    this.#lab = lab;
    this.#places = places;
    this.#random = lab.simulation.random('gateway clients');
    const now = () => `${(lab.simulation.now / SECOND).toFixed(3)} s`;
    const options = { initial: ABSENT, describe: ({ key }: State) => key, now };
    this.#histories = new Map(KEYS.map((key) => [key, new ObjectHistory(options)]));
  }

  get working(): number {
    return this.#working;
  }

  begin(clients: number): void {
    for (let i = 0; i < clients; i++) this.#rest(`c${i}`);
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Checks what is not checked yet. */
  finish(): void {
    for (const [key, history] of this.#histories) this.#report(key, history.finish());
  }

  async read(place: GatewayPlace, key: string): Promise<Answered | undefined> {
    const collections = this.#collections;
    return await this.#recorded('reader', key, 'GET', undefined, async () => {
      const answer = await place.ask({ method: 'GET', target: pathOf(key) });
      if (answer?.status === 404) return { answer, state: ABSENT };
      if (answer?.status === 200) {
        if (answer.body.length !== answer.size) this.#violate(`${key}: ${answer.body.length} of ${answer.size} bytes`);
        const plain = answer.etag.includes('-') || answer.etag === md5(answer.body);
        if (!plain) this.#violate(`${key}: bytes with the ETag of others`);
        return { answer, state: stateOf(answer.body) };
      }
      // Who reads slower than garbage is collected may find the rest gone; here it is collected at once.
      if (answer?.status === 0 && collections !== this.#collections) this.stats.overtakenReads += 1;
      else if (answer && answer.status !== 503) this.#violate(`${key} cannot be read: ${answer.status}`);
      return { answer };
    });
  }

  async complete(place: GatewayPlace, upload: Upload): Promise<Answered | undefined> {
    const { key, id, parts } = upload;
    const chosen = [...parts].sort(([a], [b]) => a - b);
    const whole = Buffer.concat(chosen.map(([, { bytes }]) => bytes));
    const xml = chosen
      .map(([n, { etag }]) => `<Part><PartNumber>${n}</PartNumber><ETag>${etag}</ETag></Part>`)
      .join('');
    const body = Buffer.from(`<CompleteMultipartUpload>${xml}</CompleteMultipartUpload>`);
    return await this.#recorded('uploader', key, `complete ${id} ${stateOf(whole).key}`, stateOf(whole), async () => {
      const answer = await place.ask({ method: 'POST', target: `${pathOf(key)}?uploadId=${id}`, body });
      if (!answer) this.interrupted.add(id);
      if (answer?.status === 200 && !String.fromCharCode(...answer.body).includes('<Error>')) {
        this.stats.completed += 1;
        return { answer, state: stateOf(whole) };
      }
      return { answer, refused: answer !== undefined && answer.status < 500 };
    });
  }

  async abort(place: GatewayPlace, { key, id }: Upload): Promise<Answered | undefined> {
    const answer = await place.ask({ method: 'DELETE', target: `${pathOf(key)}?uploadId=${id}` });
    if (!answer || answer.status >= 500) this.interrupted.add(id);
    return answer;
  }

  // A client's life

  #rest(client: string): void {
    if (this.#stopped) return;
    this.#lab.simulation.after(this.#random.between(1, SECOND / 2), () => {
      const ready = this.#places.filter(({ gateway }) => gateway !== undefined);
      if (ready.length === 0 || this.#stopped) return this.#rest(client);
      this.#working += 1;
      const done = () => {
        this.#working -= 1;
        this.#rest(client);
      };
      this.#act(client, this.#random.pick(ready)).then(done, (error: Error) => {
        this.#violate(`${client}: ${error.stack}`);
        done();
      });
    });
  }

  async #act(client: string, place: GatewayPlace): Promise<unknown> {
    const key = this.#random.pick(KEYS);
    const upload =
      this.uploads.length > 0 && !this.#random.oneIn(3) ? this.#random.pick(this.uploads.slice(-3)) : undefined;
    const drawn = this.#random.below(20);
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
    const size = this.#random.oneIn(10) ? LARGE + this.#random.below(9000) : this.#random.below(9000);
    const bytes = this.#marked(client, size, { key });
    return await this.#recorded(client, key, `PUT ${stateOf(bytes).key}`, stateOf(bytes), async () => {
      const answer = await place.ask({ method: 'PUT', target: pathOf(key), body: bytes });
      return answer?.status === 200 ? { answer, state: stateOf(bytes) } : { answer };
    });
  }

  async #remove(client: string, place: GatewayPlace, key: string): Promise<unknown> {
    return await this.#recorded(client, key, 'DELETE', ABSENT, async () => {
      const answer = await place.ask({ method: 'DELETE', target: pathOf(key) });
      return answer?.status === 204 ? { answer, state: ABSENT } : { answer };
    });
  }

  async #list(place: GatewayPlace): Promise<void> {
    const answer = await place.ask({ method: 'GET', target: `/${BUCKET}?max-keys=2` });
    if (answer && answer.status !== 200 && answer.status !== 503) this.#violate(`listing fails: ${answer.status}`);
  }

  async #setAcl(place: GatewayPlace, key: string): Promise<void> {
    const headers = { 'x-amz-acl': this.#random.pick(['private', 'public-read']) };
    const answer = await place.ask({ method: 'PUT', target: `${pathOf(key)}?acl`, headers });
    if (!answer) this.interrupted.add(key);
    else if (![200, 404, 409, 503].includes(answer.status)) this.#violate(`PUT ?acl of ${key}: ${answer.status}`);
  }

  /** What is not due is collected too: whoever needs it is harmed. */
  async #collect(place: GatewayPlace): Promise<void> {
    this.#collections += 1;
    const removed = await place.unlessCrashed(place.gateway!.store.garbage.process(true));
    this.collectorCrashed ||= removed === undefined;
  }

  async #beginUpload(place: GatewayPlace, key: string): Promise<void> {
    const answer = await place.ask({ method: 'POST', target: `${pathOf(key)}?uploads` });
    if (answer?.status !== 200) return;
    const [, id] = /<UploadId>([^<]+)</.exec(Buffer.from(answer.body).toString())!;
    this.uploads.push({ key, id: id!, parts: new Map(), isLarge: this.#random.oneIn(10) });
  }

  async #putPart(client: string, place: GatewayPlace, upload: Upload): Promise<void> {
    const { key, id, isLarge, parts } = upload;
    const number = isLarge ? this.#random.between(1, 2) : 1;
    const size = (isLarge && number === 1 ? LEAST_PART : 1) + this.#random.below(9000);
    const bytes = this.#marked(client, size, { key, upload: id });
    const target = `${pathOf(key)}?partNumber=${number}&uploadId=${id}`;
    const answer = await place.ask({ method: 'PUT', target, body: bytes });
    if (!answer || answer.status >= 500) this.interrupted.add(id);
    if (answer?.status === 200) parts.set(number, { etag: answer.etag, bytes });
    // 409: another completes the upload, or gives it up, at this time.
    else if (answer && ![404, 409, 503].includes(answer.status)) this.#violate(`part of ${key}: ${answer.status}`);
  }

  // What is recorded

  /** @param change what it makes of the object; undefined: a read */
  async #recorded(
    client: string,
    key: string,
    what: string,
    change: State | undefined,
    run: () => Promise<{ readonly answer: Answered | undefined; readonly state?: State; readonly refused?: boolean }>,
  ): Promise<Answered | undefined> {
    const history = this.#histories.get(key)!;
    const id = ++this.#operations;
    const changes = change !== undefined;
    history.begin(id, { client, what: () => what, changes, effect: (before) => change ?? before });
    const { answer, state, refused } = await run();
    if (state) {
      this.stats.answered += 1;
      const step = (before: State) => (changes || before.key === state.key ? state : undefined);
      this.#report(
        key,
        history.end(id, { told: () => `${answer!.status} ${state.key}`, changes, step, reveals: state }),
      );
    } else if (refused) {
      this.stats.refused += 1;
      const step = (before: State) => before;
      this.#report(key, history.end(id, { told: () => `refused ${answer!.status}`, changes: false, step }));
    } else {
      this.stats.unknown += 1;
      if (changes) this.interrupted.add(key);
      if (answer && answer.status !== 503 && answer.status !== 0) this.#violate(`${what} of ${key}: ${answer.status}`);
      this.#report(key, history.abandon(id));
    }
    return answer;
  }

  #marked(client: string, size: number, mark: Mark): Uint8Array {
    const name = `${client}.${this.marks.size}`;
    this.marks.set(name, mark);
    const line = Buffer.from(`${name}\n`.padStart(MARK_BYTES, ' '));
    return Buffer.alloc(size, line);
  }

  #report(key: string, problem: string | undefined): void {
    if (problem !== undefined) this.#violate(`${key}: ${problem}`);
  }

  #violate(problem: string): void {
    this.#lab.simulation.addViolation(problem);
  }
}

/** Who wrote this, by its first line. */
export function markOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.subarray(0, MARK_BYTES)).toString().trim();
}

function stateOf(bytes: Uint8Array): State {
  return { key: `${markOf(bytes)}/${bytes.length}/${md5(bytes).slice(0, 8)}` };
}

function pathOf(key: string): string {
  return `/${BUCKET}/${key}`;
}
