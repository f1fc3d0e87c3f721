/**
 * Clients that write, read, hide and remove versions of a few objects of one bucket, through several gateways. The state of an
 * object is all its versions, the newest first: what reads, reads by id, and lists tell must fit one order of all changes.
 */
import type { Lab } from '@spirula/sim-scenarios';
import type { SeededRandom } from '@spirula/sim-world';
import { SECOND } from '@spirula/world';
import { ObjectHistory } from '../../sim/scenarios/src/checkers/object-history.ts';
import { type Answered, type GatewayPlace, md5 } from './gateway-places.ts';

export const BUCKET = 'kept';
/** The index escapes names that begin with `_`. */
export const KEYS = ['_a', 'b/c.d', 'e'];
/** What a change takes at most, when nothing is in its way. */
const CHANGE_US = SECOND / 40;
/** More than a head holds. */
const LARGE = 4 << 20;

export type Status = 'Enabled' | 'Suspended';

interface Version {
  /** MD5 of the bytes; of a delete marker a name that no other has. */
  readonly mark: string;
  readonly isMarker: boolean;
  readonly isNull: boolean;
}

class Stack {
  readonly versions: readonly Version[];
  readonly key: string;

  constructor(versions: readonly Version[]) {
    this.versions = versions;
    this.key = versions.map(({ mark, isNull }) => mark + (isNull ? '!' : '')).join(' ');
  }

  get top(): Version | undefined {
    return this.versions[0];
  }

  with(version: Version): Stack {
    const kept = version.isNull ? this.versions.filter(({ isNull }) => !isNull) : this.versions;
    return new Stack([version, ...kept]);
  }

  /** A delete marker upon another changes nothing, as in radosgw; but version null may be made anew. */
  hidden(marker: Version): Stack {
    return this.top?.isMarker && !marker.isNull ? this : this.with(marker);
  }

  without(gone: (version: Version) => boolean): Stack {
    const kept = this.versions.filter((version) => !gone(version));
    return kept.length === this.versions.length ? this : new Stack(kept);
  }
}

/** A version that was acknowledged. */
interface Known {
  readonly key: string;
  readonly id: string;
  readonly mark: string;
}

export interface ListedVersion {
  readonly id: string;
  readonly etag: string | undefined;
  readonly isLatest: boolean;
}

interface Outcome {
  readonly answer: Answered | undefined;
  readonly step?: (before: Stack) => Stack | undefined;
  /** What was told, when the answer's headers do not say it. */
  readonly told?: string;
}

export class VersionClients {
  readonly stats = { answered: 0, unknown: 0, writes: 0, lists: 0, givenUp: 0 };
  /** Keys of which a request ended without an answer. */
  readonly interrupted = new Set<string>();
  status: Status = 'Enabled';
  /** Whether gateways crash in the midst of changes. */
  crashes = false;
  readonly #lab: Lab;
  readonly #places: readonly GatewayPlace[];
  readonly #random: SeededRandom;
  readonly #histories: ReadonlyMap<string, ObjectHistory<Stack>>;
  readonly #known: Known[] = [];
  #operations = 0;
  #working = 0;
  #paused = true;

  constructor(lab: Lab, places: readonly GatewayPlace[]) {
    this.#lab = lab;
    this.#places = places;
    this.#random = lab.simulation.random('version clients');
    const now = () => `${(lab.simulation.now / SECOND).toFixed(3)} s`;
    const options = { initial: new Stack([]), describe: ({ key }: Stack) => key, now };
    this.#histories = new Map(KEYS.map((key) => [key, new ObjectHistory(options)]));
  }

  get working(): number {
    return this.#working;
  }

  begin(clients: number): void {
    this.#paused = false;
    for (let i = 0; i < clients; i++) this.#rest(`c${i}`);
  }

  pause(): void {
    this.#paused = true;
  }

  finish(): void {
    for (const [key, history] of this.#histories) {
      this.#report(key, history.finish());
      this.stats.givenUp += history.givenUp;
    }
  }

  async read(place: GatewayPlace, key: string): Promise<Answered | undefined> {
    return await this.#recorded('reader', key, 'GET', undefined, async () => {
      const answer = await place.ask({ method: 'GET', target: pathOf(key) });
      const step = readStep(answer, ({ top }) => top);
      return { answer, ...(step && { step }) };
    });
  }

  /** A version that a list or an answer has named. */
  async readVersion(place: GatewayPlace, key: string, id: string, mark?: string): Promise<Answered | undefined> {
    return await this.#recorded('reader', key, `GET ${id} ${mark}`, undefined, async () => {
      const answer = await place.ask({ method: 'GET', target: `${pathOf(key)}?versionId=${id}` });
      const isIt = (version: Version) => (id === 'null' ? version.isNull : version.mark === mark && !version.isNull);
      // Of one that nobody has acknowledged nothing is known but what it is.
      if (id !== 'null' && mark === undefined) return { answer };
      const step = readStep(answer, ({ versions }) => versions.find(isIt));
      return { answer, ...(step && { step }) };
    });
  }

  async list(place: GatewayPlace, key: string): Promise<readonly ListedVersion[] | undefined> {
    let listed: ListedVersion[] | undefined;
    await this.#recorded('lister', key, 'LIST', undefined, async () => {
      const target = `/${BUCKET}?prefix=${encodeURIComponent(key)}&versions`;
      const answer = await place.ask({ method: 'GET', target });
      if (answer?.status !== 200) return { answer };
      listed = parseVersions(Buffer.from(answer.body).toString());
      this.stats.lists += 1;
      const told = listed.map(({ id, etag }) => `${etag ?? 'marker'}${id === 'null' ? '!' : ''}`).join(' ');
      const latest = listed.map(({ isLatest }) => isLatest);
      if (latest.some((each, i) => each !== (i === 0))) this.#violate(`${key}: not the first is the latest: ${latest}`);
      const step = (before: Stack) => {
        const shown = before.versions.map(
          ({ mark, isMarker, isNull }) => `${isMarker ? 'marker' : mark}${isNull ? '!' : ''}`,
        );
        return shown.join(' ') === told ? before : undefined;
      };
      return { answer, step, told };
    });
    return listed;
  }

  // A client's life

  #rest(client: string): void {
    if (this.#paused) return;
    this.#lab.simulation.after(this.#random.between(1, SECOND / 4), () => {
      const ready = this.#places.filter(({ gateway }) => gateway !== undefined);
      if (this.#paused) return;
      if (ready.length === 0) return this.#rest(client);
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
    const drawn = this.#random.below(20);
    const known = this.#known.filter((each) => each.key === key);
    if (drawn < 5) return await this.#put(client, place, key);
    if (drawn < 7) return await this.#hide(client, place, key);
    if (drawn < 11) return await this.list(place, key);
    if (drawn < 14 || known.length === 0) return await this.read(place, key);
    const { id, mark } = this.#random.pick(known.slice(-8));
    return await (drawn < 17 ? this.readVersion(place, key, id, mark) : this.#remove(client, place, key, id, mark));
  }

  async #put(client: string, place: GatewayPlace, key: string): Promise<void> {
    const size = this.#random.oneIn(10) ? LARGE + this.#random.below(9000) : 1 + this.#random.below(9000);
    const line = Buffer.from(`${client}.${this.#operations}\n`.padStart(16, ' '));
    const bytes = Buffer.alloc(size + 16, line);
    const version = { mark: md5(bytes), isMarker: false, isNull: this.status === 'Suspended' };
    const effect = (before: Stack) => before.with(version);
    await this.#recorded(client, key, `PUT ${version.mark}`, effect, async () => {
      const answer = await place.ask({ method: 'PUT', target: pathOf(key), body: bytes });
      if (answer?.status !== 200) return { answer };
      this.stats.writes += 1;
      this.#known.push({ key, id: version.isNull ? 'null' : answer.versionId, mark: version.mark });
      return { answer, step: effect };
    });
  }

  async #hide(client: string, place: GatewayPlace, key: string): Promise<void> {
    const version = { mark: `d${this.#operations}`, isMarker: true, isNull: this.status === 'Suspended' };
    const effect = (before: Stack) => before.hidden(version);
    await this.#recorded(client, key, `DELETE, ${version.mark}`, effect, async () => {
      const answer = await place.ask({ method: 'DELETE', target: pathOf(key) });
      if (answer?.status !== 204) return { answer };
      const isMade = answer.versionId !== '';
      if (isMade) this.#known.push({ key, id: answer.versionId, mark: version.mark });
      const isHidden = ({ top }: Stack) => top?.isMarker === true;
      const step = (before: Stack) => {
        if (isMade) return effect(before) === before ? undefined : effect(before);
        return isHidden(before) ? before : undefined;
      };
      return { answer, step };
    });
  }

  async #remove(client: string, place: GatewayPlace, key: string, id: string, mark: string): Promise<void> {
    const isIt = (version: Version) => (id === 'null' ? version.isNull : version.mark === mark);
    const effect = (before: Stack) => before.without(isIt);
    await this.#recorded(client, key, `DELETE ${id} ${mark}`, effect, async () => {
      const answer = await place.ask({ method: 'DELETE', target: `${pathOf(key)}?versionId=${id}` });
      return answer?.status === 204 ? { answer, step: effect } : { answer };
    });
  }

  // What is recorded

  /** @param effect what it makes of the object; undefined: a read */
  async #recorded(
    client: string,
    key: string,
    what: string,
    effect: ((before: Stack) => Stack) | undefined,
    run: () => Promise<Outcome>,
  ): Promise<Answered | undefined> {
    const history = this.#histories.get(key)!;
    const id = ++this.#operations;
    const changes = effect !== undefined;
    history.begin(id, { client, what: () => what, changes, effect: effect ?? ((before) => before) });
    if (changes && this.crashes && this.#random.oneIn(5)) this.#crashSoon();
    const { answer, step, told: says } = await run();
    if (changes && answer === undefined) this.#lookAround(key);
    if (step) {
      this.stats.answered += 1;
      const told = () => `${answer!.status} ${says ?? (answer!.etag || answer!.versionId)}`;
      this.#report(key, history.end(id, { told, changes, step }));
      return answer;
    }
    this.stats.unknown += 1;
    if (changes) this.interrupted.add(key);
    const isExpected = answer === undefined || [0, 200, 404, 503].includes(answer.status);
    if (!isExpected) this.#violate(`${what} of ${key}: ${answer.status} ${Buffer.from(answer.body)}`);
    this.#report(key, history.abandon(id));
    return answer;
  }

  /** Within what a change takes. */
  #crashSoon(): void {
    const place = this.#random.pick(this.#places);
    this.#lab.simulation.after(this.#random.between(1, CHANGE_US), () => place.crash(this.#random.between(1, SECOND)));
  }

  /** What a change has left that nobody finished. */
  #lookAround(key: string): void {
    const place = this.#places.find(({ gateway }) => gateway !== undefined);
    if (!place || this.#paused) return;
    this.#working += 1;
    const done = () => {
      this.#working -= 1;
    };
    const looks = [
      () => this.list(place, key),
      () => this.read(place, key),
      () => this.readVersion(place, key, 'null'),
    ];
    const first = this.#random.below(looks.length);
    const look = async () => {
      for (let i = 0; i < looks.length && place.gateway; i++) await looks[(first + i) % looks.length]!();
    };
    look().then(done, (error: Error) => {
      this.#violate(error.stack ?? error.message);
      done();
    });
  }

  #report(key: string, problem: string | undefined): void {
    if (problem !== undefined) this.#violate(`${key}: ${problem}`);
  }

  #violate(problem: string): void {
    this.#lab.simulation.addViolation(problem);
  }
}

/** Whether a read could have been answered so. Undefined: the answer tells nothing. */
function readStep(
  answer: Answered | undefined,
  of: (stack: Stack) => Version | undefined,
): ((before: Stack) => Stack | undefined) | undefined {
  if (answer?.status === 404) {
    return (before) => {
      const version = of(before);
      return version === undefined || version.isMarker ? before : undefined;
    };
  }
  if (answer?.status !== 200) return undefined;
  const mark = md5(answer.body);
  return (before) => (of(before)?.mark === mark ? before : undefined);
}

function parseVersions(page: string): ListedVersion[] {
  return [...page.matchAll(/<(Version|DeleteMarker)>(.*?)<\/\1>/gs)].map(([, kind, fields]) => {
    const field = (name: string) => new RegExp(`<${name}>(.*?)</${name}>`, 's').exec(fields!)![1]!;
    const etag = kind === 'Version' ? field('ETag').replaceAll('&quot;', '') : undefined;
    return { id: field('VersionId'), etag, isLatest: field('IsLatest') === 'true' };
  });
}

function pathOf(key: string): string {
  return `/${BUCKET}/${key}`;
}
