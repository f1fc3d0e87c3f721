/** Clients that append records to logs, several under way at a time, and read the logs. */
import { Errno, type RawString } from '@spirula/encoding';
import type { ObjectReply } from '@spirula/objecter';
import { ObjectOperation } from '@spirula/rados';
import type { Instant } from '@spirula/world';
import { AppendLog, type RecordId } from './append-log.ts';
import { isUnknown } from './recorded-objects.ts';
import type { SharedWork, StoredCopy, Workload, WorkloadHost } from './workload.ts';
import type { AppendLogSpec } from './workload-spec.ts';

export class AppendLogWork implements SharedWork {
  readonly undecided = 0;
  readonly #spec: AppendLogSpec;
  readonly #prefix: string;
  readonly #logs = new Map<RawString, AppendLog>();
  /** Those that are appended to. */
  readonly #open: AppendLog[] = [];
  readonly #underWay = new Map<RecordId, { readonly client: string; readonly log: AppendLog }>();

  constructor(spec: AppendLogSpec, prefix: string) {
    this.#spec = spec;
    this.#prefix = prefix;
    for (let i = 0; i < spec.logs; i++) this.#open.push(this.#newLog());
  }

  get names(): readonly RawString[] {
    return [...this.#logs.keys()];
  }

  get logs(): readonly AppendLog[] {
    return [...this.#logs.values()];
  }

  join(host: WorkloadHost): Workload {
    return new AppendLogWorkload(this.#spec, this, host);
  }

  onClientGone(client: string): void {
    for (const [id, { client: owner, log }] of this.#underWay) {
      if (owner !== client) continue;
      this.#underWay.delete(id);
      log.endAppend(id, 'unknown');
    }
  }

  finish(): string[] {
    return [];
  }

  findLost(copiesOf: (object: RawString) => readonly StoredCopy[]): string[] {
    return this.logs.flatMap((log) =>
      copiesOf(log.name).flatMap(({ osd, content }) => {
        const problem = log.findLost(content?.data ?? new Uint8Array());
        return problem === undefined ? [] : [`osd.${osd}: ${log.name}: ${problem}`];
      }),
    );
  }

  log(name: RawString): AppendLog {
    return this.#logs.get(name)!;
  }

  /** A log to append to: the one that took the place of it, when it is full. */
  pick(index: number): AppendLog {
    const log = this.#open[index]!;
    if (log.bytes < this.#spec.logBytes) return log;
    const next = this.#newLog();
    this.#open[index] = next;
    return next;
  }

  begin(log: AppendLog, client: string, id: RecordId) {
    this.#underWay.set(id, { client, log });
    return log.beginAppend(id);
  }

  end(log: AppendLog, id: RecordId, fate: 'acknowledged' | 'unknown' | 'refused'): void {
    this.#underWay.delete(id);
    log.endAppend(id, fate);
  }

  #newLog(): AppendLog {
    const log = new AppendLog(`${this.#prefix}-${this.#logs.size}`, this.#spec.recordBytes);
    this.#logs.set(log.name, log);
    return log;
  }
}

class AppendLogWorkload implements Workload {
  readonly #spec: AppendLogSpec;
  readonly #work: AppendLogWork;
  readonly #host: WorkloadHost;

  constructor(spec: AppendLogSpec, work: AppendLogWork, host: WorkloadHost) {
    this.#spec = spec;
    this.#work = work;
    this.#host = host;
  }

  perform(name: RawString, how: 'reading' | 'writing', then: () => void): void {
    const log = this.#work.log(name);
    if (how === 'writing' && log.bytes < this.#spec.logBytes) this.#append(log, undefined, then);
    else this.#read(log, undefined, then);
  }

  readAll(which: (object: RawString) => boolean): void {
    for (const log of this.#work.logs.filter(({ name }) => which(name))) this.#read(log, undefined, () => {});
  }

  request(_worker: string, then: () => void): void {
    const { random } = this.#host;
    const timeoutUs = random.oneIn(this.#spec.timeoutOneIn) ? this.#spec.timeoutUs : undefined;
    const log = this.#work.pick(random.below(this.#spec.logs));
    if (random.oneIn(this.#spec.readOneIn)) this.#read(log, timeoutUs, then);
    else this.#append(log, timeoutUs, then);
  }

  #append(log: AppendLog, timeoutUs: Instant | undefined, then: () => void): void {
    const { client } = this.#host;
    const id = `${client}.${this.#host.nextNumber()}`;
    const bytes = this.#work.begin(log, client, id);
    this.#host.submit(log.name, new ObjectOperation().append(bytes), timeoutUs, (reply) => {
      this.#work.end(log, id, isUnknown(reply) ? 'unknown' : reply.result < 0 ? 'refused' : 'acknowledged');
      if (reply.result >= 0) this.#host.acknowledged(log.name, bytes.length);
      else if (!isUnknown(reply)) this.#host.violate(`${log.name}: an append was answered with ${reply.result}`);
      then();
    });
  }

  #read(log: AppendLog, timeoutUs: Instant | undefined, then: () => void): void {
    const start = log.beginRead();
    this.#host.submit(log.name, new ObjectOperation().read(), timeoutUs, (reply) => {
      const problem = isUnknown(reply) ? undefined : judge(log, start, reply);
      if (problem !== undefined) this.#host.violate(`${log.name}: ${problem}`);
      then();
    });
  }
}

function judge(log: AppendLog, start: ReturnType<AppendLog['beginRead']>, { result, ops }: ObjectReply) {
  if (result < 0 && result !== Errno.ENOENT) return `a read was answered with ${result}`;
  return log.endRead(start, result < 0 ? new Uint8Array() : ops[0]!.output);
}
