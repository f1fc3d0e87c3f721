/**
 * Clients that share a few objects of one bucket through several gateways, and a history of each object that is checked while
 * it grows.
 */
import type { Bytes } from '@spirula/encoding';
import { type SeededRandom, SimCrypto, type Simulation } from '@spirula/sim-world';
import type { Crypto, Instant } from '@spirula/world';
import type { Keyed } from '../checkers/linearization-search.ts';
import { ObjectHistory } from '../checkers/object-history.ts';
import { inSeconds } from '../span.ts';
import type { GatewayPlace } from './gateway-place.ts';
import { type Answered, md5 } from './s3-request.ts';

/** What a client makes of an answer. */
export interface Told<S> {
  readonly answer: Answered | undefined;
  /** The state after it, if an object in a state would have been answered for like this; left out: the answer tells nothing. */
  readonly step?: (before: S) => S | undefined;
  /** The whole state, where the answer tells it. */
  readonly reveals?: S;
  /** What was told, when the answer's headers do not say it. */
  readonly told?: string;
  /** It was not done. */
  readonly refused?: boolean;
}

export interface S3ClientsOptions<S extends Keyed> {
  readonly simulation: Simulation;
  readonly places: readonly GatewayPlace[];
  readonly bucket: string;
  readonly keys: readonly string[];
  readonly initial: S;
  /** The longest rest between two requests. */
  readonly restUs: Instant;
}

/** Answers to which nothing can be said about the object: it is a bad time, or the body broke off. */
const TELLS_NOTHING: readonly number[] = [503, 0];

export abstract class S3Clients<S extends Keyed> {
  readonly bucket: string;
  readonly keys: readonly string[];
  readonly stats = { answered: 0, refused: 0, unknown: 0 };
  /** Keys and uploads of which a request ended without an answer: what it left behind nobody knows of. */
  readonly interrupted = new Set<string>();
  protected readonly simulation: Simulation;
  protected readonly places: readonly GatewayPlace[];
  protected readonly random: SeededRandom;
  readonly #crypto: Crypto;
  readonly #restUs: Instant;
  readonly #histories: ReadonlyMap<string, ObjectHistory<S>>;
  #operations = 0;
  #working = 0;
  #paused = true;
  /** How often they began: who belongs to an earlier time ends. */
  #era = 0;

  constructor({ simulation, places, bucket, keys, initial, restUs }: S3ClientsOptions<S>) {
    this.simulation = simulation;
    this.places = places;
    this.bucket = bucket;
    this.keys = keys;
    this.random = simulation.random(`clients of ${bucket}`);
    this.#crypto = new SimCrypto(this.random);
    this.#restUs = restUs;
    const options = { initial, describe: ({ key }: S) => key, now: () => inSeconds(simulation.now) };
    this.#histories = new Map(keys.map((key) => [key, new ObjectHistory(options)]));
  }

  /** Requests that are not answered yet. */
  get working(): number {
    return this.#working;
  }

  /** One that has not been given before. */
  protected get operations(): number {
    return this.#operations;
  }

  begin(clients: number): void {
    this.#paused = false;
    this.#era += 1;
    for (let i = 0; i < clients; i++) this.#rest(`c${i}`, this.#era);
  }

  /** They begin nothing more. */
  pause(): void {
    this.#paused = true;
  }

  get isPaused(): boolean {
    return this.#paused;
  }

  /** Checks what is not checked yet. */
  finish(): void {
    for (const [key, history] of this.#histories) this.#report(key, history.finish());
  }

  violate(problem: string): void {
    this.simulation.addViolation(`bucket ${this.bucket}: ${problem}`);
  }

  /** One request of a client, or what belongs to it. */
  protected abstract act(client: string, place: GatewayPlace): Promise<unknown>;

  protected pathOf(key: string): string {
    return `/${this.bucket}/${key}`;
  }

  protected md5(bytes: Bytes): string {
    return md5(this.#crypto, bytes);
  }

  /** Counts as a request until it is done. */
  protected attend(what: string, work: () => Promise<unknown>, then: () => void = () => {}): void {
    this.#working += 1;
    const done = () => {
      this.#working -= 1;
      then();
    };
    work().then(done, (error: Error) => {
      this.violate(`${what}: ${error.stack}`);
      done();
    });
  }

  #rest(client: string, era: number): void {
    this.simulation.after(this.random.between(1, this.#restUs), () => {
      if (this.#paused || era !== this.#era) return;
      const ready = this.places.filter(({ gateway }) => gateway !== undefined);
      if (ready.length === 0) return this.#rest(client, era);
      const place = this.random.pick(ready);
      this.attend(
        client,
        () => this.act(client, place),
        () => this.#rest(client, era),
      );
    });
  }

  /**
   * Asks, and holds the answer against the history of the object.
   *
   * @param effect what it makes of the object; undefined: a read
   */
  protected async recorded(
    client: string,
    key: string,
    what: string,
    effect: ((before: S) => S) | undefined,
    ask: () => Promise<Told<S>>,
  ): Promise<Answered | undefined> {
    const history = this.#histories.get(key)!;
    const id = ++this.#operations;
    const changes = effect !== undefined;
    history.begin(id, { client, what: () => what, changes, effect: effect ?? ((before) => before) });
    if (changes) this.onChangeBegun();
    const { answer, step, reveals, told, refused } = await ask();
    if (answer === undefined && changes) this.onChangeLost(key);
    if (answer && step) {
      if (refused) this.stats.refused += 1;
      else this.stats.answered += 1;
      const says = () => `${answer.status} ${told ?? (answer.etag || answer.versionId)}`;
      const checked = { told: says, changes: changes && !refused, step, ...(reveals && { reveals }) };
      this.#report(key, history.end(id, checked));
      return answer;
    }
    this.stats.unknown += 1;
    if (changes) this.interrupted.add(key);
    if (answer && !TELLS_NOTHING.includes(answer.status)) this.violate(`${what} of ${key}: ${answer.status}`);
    this.#report(key, history.abandon(id));
    return answer;
  }

  /** A change is on its way. */
  protected onChangeBegun(): void {}

  /** The gateway that was to make a change crashed. */
  protected onChangeLost(_key: string): void {}

  #report(key: string, problem: string | undefined): void {
    if (problem !== undefined) this.violate(`${key}: ${problem}`);
  }
}
