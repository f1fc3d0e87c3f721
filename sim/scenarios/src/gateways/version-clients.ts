/**
 * Clients that write, read, hide and remove versions of a few objects of one bucket. The state of an object is all its
 * versions, the newest first: what reads, reads by id, and lists tell must fit one order of all changes.
 */
import { fromUtf8 } from '@spirula/encoding';
import type { Simulation } from '@spirula/sim-world';
import { type Instant, SECOND } from '@spirula/world';
import type { GatewayPlace } from './gateway-place.ts';
import { repeated } from './object-clients.ts';
import { S3Clients, type Told } from './s3-clients.ts';
import { type Answered, elements } from './s3-request.ts';
import { Stack, type Version } from './version-stack.ts';

/** The index escapes names that begin with `_`. */
const KEYS = ['_a', 'b/c.d', 'e'];
/** More than a head holds. */
const LARGE = 4 << 20;
const LINE_BYTES = 16;
/** What a change takes at most, when nothing is in its way. */
const CHANGE_TIME: Instant = SECOND / 40;

export type Versioning = 'Enabled' | 'Suspended';

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

export interface VersionClientsOptions {
  readonly simulation: Simulation;
  readonly places: readonly GatewayPlace[];
  /** Lets a gateway crash after so long, in the midst of a change. */
  readonly crashSoon?: ((place: GatewayPlace, after: Instant) => void) | undefined;
}

export class VersionClients extends S3Clients<Stack> {
  /** How the bucket is while nobody works. */
  versioning: Versioning = 'Enabled';
  readonly #crashSoon: VersionClientsOptions['crashSoon'];
  readonly #known: Known[] = [];

  constructor({ simulation, places, crashSoon }: VersionClientsOptions) {
    super({ simulation, places, bucket: 'kept', keys: KEYS, initial: new Stack([]), restUs: SECOND / 4 });
    this.#crashSoon = crashSoon;
  }

  async read(place: GatewayPlace, key: string): Promise<Answered | undefined> {
    return await this.recorded('reader', key, 'GET', undefined, async () => {
      const answer = await place.ask({ method: 'GET', target: this.pathOf(key) });
      return this.#toldBy(answer, ({ top }) => top);
    });
  }

  /** A version that a list or an answer has named. */
  async readVersion(place: GatewayPlace, key: string, id: string, mark?: string): Promise<Answered | undefined> {
    return await this.recorded('reader', key, `GET ${id} ${mark}`, undefined, async () => {
      const answer = await place.ask({ method: 'GET', target: `${this.pathOf(key)}?versionId=${id}` });
      const isIt = (version: Version) => (id === 'null' ? version.isNull : version.mark === mark && !version.isNull);
      const told = this.#toldBy(answer, ({ versions }) => versions.find(isIt));
      // Of one that nobody has acknowledged nothing is known but what it is.
      return id !== 'null' && mark === undefined ? { ...told, step: (before) => before } : told;
    });
  }

  async list(place: GatewayPlace, key: string): Promise<readonly ListedVersion[] | undefined> {
    let listed: ListedVersion[] | undefined;
    await this.recorded('lister', key, 'LIST', undefined, async () => {
      const target = `/${this.bucket}?prefix=${encodeURIComponent(key)}&versions`;
      const answer = await place.ask({ method: 'GET', target });
      if (answer?.status !== 200) return { answer };
      listed = parseVersions(fromUtf8(answer.body));
      const told = listed.map(({ id, etag }) => nameOf(etag ?? 'marker', id === 'null')).join(' ');
      const latest = listed.map(({ isLatest }) => isLatest);
      if (latest.some((each, i) => each !== (i === 0))) this.violate(`${key}: not the first is the latest: ${latest}`);
      const step = (before: Stack) => {
        const shown = before.versions.map(({ mark, isMarker, isNull }) => nameOf(isMarker ? 'marker' : mark, isNull));
        return shown.join(' ') === told ? before : undefined;
      };
      return { answer, step, told };
    });
    return listed;
  }

  /** At rest what is listed is what can be read, through each gateway. */
  async takeStock(): Promise<void> {
    for (const key of this.keys) for (const place of this.places) await this.#takeStockOf(key, place);
  }

  async #takeStockOf(key: string, place: GatewayPlace): Promise<void> {
    // A read finishes what a gateway did not live to finish: what is listed then stays.
    await this.readVersion(place, key, 'null');
    await this.read(place, key);
    const versions = (await this.list(place, key)) ?? [];
    for (const { id, etag } of versions) {
      const { status, body } = (await this.readVersion(place, key, id, etag))!;
      const isIt = etag === undefined ? status === 404 : status === 200 && this.md5(body) === etag;
      if (!isIt) this.violate(`${key}: ${place.name} lists version ${id}, and answers ${status} to who reads it`);
    }
    const current = (await this.read(place, key))!;
    const etag = current.status === 200 ? this.md5(current.body) : undefined;
    if (etag !== versions[0]?.etag) this.violate(`${key}: ${place.name} lists another version first than it reads`);
  }

  protected async act(client: string, place: GatewayPlace): Promise<unknown> {
    const key = this.random.pick(this.keys);
    const drawn = this.random.below(20);
    const known = this.#known.filter((each) => each.key === key);
    if (drawn < 5) return await this.#put(client, place, key);
    if (drawn < 7) return await this.#hide(client, place, key);
    if (drawn < 11) return await this.list(place, key);
    if (drawn < 14 || known.length === 0) return await this.read(place, key);
    const version = this.random.pick(known.slice(-8));
    if (drawn < 17) return await this.readVersion(place, key, version.id, version.mark);
    return await this.#remove(client, place, version);
  }

  async #put(client: string, place: GatewayPlace, key: string): Promise<void> {
    const size = LINE_BYTES + this.random.below(9000) + (this.random.oneIn(10) ? LARGE : 0);
    const body = repeated(`${client}.${this.operations}\n`.padStart(LINE_BYTES, ' '), size);
    const version = { mark: this.md5(body), isMarker: false, isNull: this.versioning === 'Suspended' };
    const effect = (before: Stack) => before.with(version);
    await this.recorded(client, key, `PUT ${version.mark}`, effect, async () => {
      const answer = await place.ask({ method: 'PUT', target: this.pathOf(key), body });
      if (answer?.status !== 200) return { answer };
      this.#known.push({ key, id: version.isNull ? 'null' : answer.versionId, mark: version.mark });
      return { answer, step: effect };
    });
  }

  async #hide(client: string, place: GatewayPlace, key: string): Promise<void> {
    const version = { mark: `d${this.operations}`, isMarker: true, isNull: this.versioning === 'Suspended' };
    const effect = (before: Stack) => before.hidden(version);
    await this.recorded(client, key, `DELETE, ${version.mark}`, effect, async () => {
      const answer = await place.ask({ method: 'DELETE', target: this.pathOf(key) });
      if (answer?.status !== 204) return { answer };
      const isMade = answer.versionId !== '';
      if (isMade) this.#known.push({ key, id: answer.versionId, mark: version.mark });
      const step = (before: Stack) => {
        if (isMade) return effect(before) === before ? undefined : effect(before);
        return before.top?.isMarker === true ? before : undefined;
      };
      return { answer, step };
    });
  }

  async #remove(client: string, place: GatewayPlace, { key, id, mark }: Known): Promise<void> {
    const isIt = (version: Version) => (id === 'null' ? version.isNull : version.mark === mark);
    const effect = (before: Stack) => before.without(isIt);
    await this.recorded(client, key, `DELETE ${id} ${mark}`, effect, async () => {
      const answer = await place.ask({ method: 'DELETE', target: `${this.pathOf(key)}?versionId=${id}` });
      return answer?.status === 204 ? { answer, step: effect } : { answer };
    });
  }

  protected override onChangeBegun(): void {
    if (this.#crashSoon && this.random.oneIn(5)) {
      this.#crashSoon(this.random.pick(this.places), this.random.between(1, CHANGE_TIME));
    }
  }

  /** What a change has left that nobody finished is met by whoever looks next. */
  protected override onChangeLost(key: string): void {
    const place = this.places.find(({ gateway }) => gateway !== undefined);
    if (!place || this.isPaused) return;
    const looks = [
      () => this.list(place, key),
      () => this.read(place, key),
      () => this.readVersion(place, key, 'null'),
    ];
    const first = this.random.below(looks.length);
    this.attend('lookout', async () => {
      for (let i = 0; i < looks.length && place.gateway; i++) await looks[(first + i) % looks.length]!();
    });
  }

  /** What a read told of the version that it was to read. */
  #toldBy(answer: Answered | undefined, of: (stack: Stack) => Version | undefined): Told<Stack> {
    if (answer?.status === 404) {
      const isHidden = (version: Version | undefined) => version === undefined || version.isMarker;
      return { answer, step: (before) => (isHidden(of(before)) ? before : undefined) };
    }
    if (answer?.status !== 200) return { answer };
    const mark = this.md5(answer.body);
    return { answer, step: (before) => (of(before)?.mark === mark ? before : undefined) };
  }
}

function parseVersions(page: string): ListedVersion[] {
  return [...page.matchAll(/<(Version|DeleteMarker)>(.*?)<\/\1>/gs)].map(([, kind, fields]) => {
    const field = (name: string) => elements(fields!, name)[0]!;
    const etag = kind === 'Version' ? field('ETag').replaceAll('&quot;', '') : undefined;
    return { id: field('VersionId'), etag, isLatest: field('IsLatest') === 'true' };
  });
}

function nameOf(mark: string, isNull: boolean): string {
  return isNull ? `${mark}!` : mark;
}
