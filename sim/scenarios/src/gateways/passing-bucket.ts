/**
 * A bucket that is removed and made again, while clients write into it: of what was acknowledged nothing goes with it. Who removes
 * it is told that nothing is in it, or that it stays.
 */
import { fromUtf8, utf8 } from '@spirula/encoding';
import type { Simulation } from '@spirula/sim-world';
import { SECOND } from '@spirula/world';
import type { GatewayPlace } from './gateway-place.ts';
import { ABSENT, makes, type State, tellsThat } from './object-state.ts';
import { S3Clients } from './s3-clients.ts';
import type { Answered } from './s3-request.ts';

export class PassingBucket extends S3Clients<State> {
  /** Objects of which it was said that they are there. */
  readonly #acknowledged = new Set<string>();
  #written = 0;

  constructor(simulation: Simulation, places: readonly GatewayPlace[]) {
    super({ simulation, places, bucket: 'passing', keys: ['a'], initial: ABSENT, restUs: SECOND / 10 });
  }

  /** At rest: what is there is what clients were told, and the bucket goes when it is empty. */
  async takeStock(): Promise<void> {
    const place = this.random.pick(this.places);
    for (const key of this.keys) {
      await this.#read(place, key);
      await this.#remove('last', place, key);
    }
    const removed = await this.#removeBucket('last', place);
    if (![204, 404].includes(removed?.status ?? 0)) this.violate(`it cannot be removed: ${removed?.status}`);
  }

  protected async act(client: string, place: GatewayPlace): Promise<unknown> {
    const key = this.random.pick(this.keys);
    const drawn = this.random.below(12);
    if (drawn < 3) return await this.#put(client, place, key);
    if (drawn < 6) return await this.#remove(client, place, key);
    if (drawn < 7) return await this.#read(place, key);
    if (drawn < 10) return await this.#removeBucket(client, place);
    return await place.ask({ method: 'PUT', target: `/${this.bucket}` });
  }

  async #put(client: string, place: GatewayPlace, key: string): Promise<unknown> {
    const state = { key: `${client}.${++this.#written}` };
    return await this.recorded(
      client,
      key,
      `PUT ${state.key}`,
      () => state,
      async () => {
        const answer = await place.ask({ method: 'PUT', target: this.pathOf(key), body: utf8(state.key) });
        if (answer?.status === 404) return { answer, refused: true, step: (before) => before };
        if (answer?.status !== 200) return { answer };
        this.#acknowledged.add(state.key);
        return { answer, ...makes(state) };
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
        return answer && [204, 404].includes(answer.status) ? { answer, ...makes(ABSENT) } : { answer };
      },
    );
  }

  async #read(place: GatewayPlace, key: string): Promise<unknown> {
    return await this.recorded('reader', key, 'GET', undefined, async () => {
      const answer = await place.ask({ method: 'GET', target: this.pathOf(key) });
      if (answer?.status === 404) return { answer, ...tellsThat(ABSENT) };
      if (answer?.status !== 200) return { answer };
      const state = { key: fromUtf8(answer.body) };
      // One that is being written may be seen before it is known that the bucket goes, and the object with it.
      return this.#acknowledged.has(state.key)
        ? { answer, ...tellsThat(state) }
        : { answer: { ...answer, status: 503 } };
    });
  }

  /** Of each object it tells that it is not there. */
  async #removeBucket(client: string, place: GatewayPlace): Promise<Answered | undefined> {
    const ask = (): Promise<Answered | undefined> => place.ask({ method: 'DELETE', target: `/${this.bucket}` });
    const forAll = this.keys.reduce<() => Promise<Answered | undefined>>(
      (inner, key) => () =>
        this.recorded(client, key, 'DELETE of the bucket', undefined, async () => {
          const answer = await inner();
          if (answer?.status === 204) return { answer, ...tellsThat(ABSENT) };
          return answer && [404, 409].includes(answer.status) ? { answer, step: (before) => before } : { answer };
        }),
      ask,
    );
    return await forAll();
  }
}
