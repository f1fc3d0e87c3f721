import type { SeededRandom } from '@spirula/sim-world';
import type { Instant } from '@spirula/world';
import type { Workload } from './workload.ts';
import type { Pace } from './workload-spec.ts';

const WORKER = 'worker ';
const ARRIVAL = 'arrival';

export interface PacerHost {
  readonly random: SeededRandom;
  /** Fires `onTimer` after so long. Arming a name again moves it. */
  arm(timer: string, after: Instant): void;
}

/** Decides when a client asks a workload for its next request. */
export class Pacer {
  readonly #host: PacerHost;
  readonly #pace: Pace;
  readonly #workload: Workload;
  #working = false;
  #underWay = 0;

  constructor(host: PacerHost, pace: Pace, workload: Workload) {
    this.#host = host;
    this.#pace = pace;
    this.#workload = workload;
  }

  begin(): void {
    this.#working = true;
    if (this.#pace.kind === 'open') this.#armArrival(this.#pace.opsPerSecond);
    else for (let i = 0; i < this.#pace.workers; i++) this.#rest(WORKER + i, this.#pace.restUs);
  }

  stop(): void {
    this.#working = false;
  }

  onTimer(timer: string): void {
    if (!this.#working) return;
    if (this.#pace.kind === 'open') {
      this.#armArrival(this.#pace.opsPerSecond);
      if (this.#underWay < this.#pace.mostUnderWay) this.#ask(timer, () => {});
    } else {
      const { restUs } = this.#pace;
      this.#ask(timer, () => this.#rest(timer, restUs));
    }
  }

  #ask(worker: string, then: () => void): void {
    this.#underWay += 1;
    this.#workload.request(worker, () => {
      this.#underWay -= 1;
      then();
    });
  }

  #rest(worker: string, restUs: Instant): void {
    this.#host.arm(worker, this.#host.random.below(restUs));
  }

  /** Gaps from none to twice the mean. */
  #armArrival(opsPerSecond: number): void {
    this.#host.arm(ARRIVAL, this.#host.random.below(Math.floor(2_000_000 / opsPerSecond)));
  }
}
