/** Objects that clients share, with the history of each and what of it is known to be durable. */
import { Errno, type RawString } from '@spirula/encoding';
import type { ObjectReply } from '@spirula/objecter';
import { ObjectOperation } from '@spirula/rados';
import type { Instant } from '@spirula/world';
import { DurableFacts } from '../checkers/durable-facts.ts';
import { type Answer, ObjectHistory, type Operation, type OperationId } from '../checkers/object-history.ts';
import {
  ABSENT,
  applyParts,
  type Change,
  describeData,
  describeParts,
  describeState,
  type ObjectState,
  type Part,
  readState,
  sameRead,
  stateOf,
  withVersion,
} from '../object-model.ts';
import { contentOf, operationOf, wholeRead } from './object-parts.ts';
import type { StoredCopy, WorkloadHost } from './workload.ts';

/** Requests under way on one object, and those with unknown outcome: the more, the more ways a checker must follow. */
const MAX_PENDING_CHANGES = 4;
const MAX_UNKNOWN = 3;

type History = ObjectHistory<ObjectState>;

export class RecordedObjects {
  readonly names: readonly RawString[];
  readonly #histories: ReadonlyMap<RawString, History>;
  readonly #facts = new DurableFacts();
  /** Whose answer is awaited. */
  readonly #underWay = new Map<OperationId, { readonly client: string; readonly name: RawString }>();
  #lastOperation: OperationId = 0;

  /** @param now virtual time, for people */
  constructor(prefix: string, count: number, now: () => string) {
    this.names = Array.from({ length: count }, (_, i) => `${prefix}-${i}`);
    const options = { initial: ABSENT, describe: describeState, now };
    this.#histories = new Map(this.names.map((name) => [name, new ObjectHistory(options)]));
  }

  get undecided(): number {
    let undecided = 0;
    for (const { givenUp } of this.#histories.values()) undecided += givenUp;
    return undecided;
  }

  /** Whether another request may be made on the object now. */
  mayAsk(name: RawString): boolean {
    return !this.#history(name).wantsQuiet;
  }

  mayChange(name: RawString): boolean {
    return this.mayAsk(name) && this.#history(name).pendingChanges < MAX_PENDING_CHANGES;
  }

  /** Whether a change may be given up. */
  mayAbandon(name: RawString): boolean {
    return this.#history(name).carried < MAX_UNKNOWN;
  }

  onClientGone(client: string): void {
    for (const [id, { client: owner, name }] of this.#underWay) {
      if (owner !== client) continue;
      this.#underWay.delete(id);
      this.#facts.end(id, 'unknown');
      this.#history(name).abandon(id);
    }
  }

  finish(): string[] {
    return [...this.#histories].flatMap(([name, history]) => {
      const problem = history.finish();
      return problem === undefined ? [] : [`${name}: ${problem}`];
    });
  }

  findLost(copiesOf: (object: RawString) => readonly StoredCopy[]): string[] {
    return this.#facts.findLost(copiesOf);
  }

  // Requests.

  write(
    host: WorkloadHost,
    name: RawString,
    parts: readonly Part[],
    timeoutUs: Instant | undefined,
    then: (reply: ObjectReply) => void,
  ): void {
    const id = this.#begin(host, name, {
      client: host.client,
      what: () => describeParts(parts),
      changes: true,
      effect: (before) => applyParts(before, parts).state,
    });
    this.#facts.begin(id, name, parts);
    host.submit(name, operationOf(parts), this.mayAbandon(name) ? timeoutUs : undefined, (reply) => {
      const unknown = isUnknown(reply);
      this.#facts.end(id, unknown ? 'unknown' : reply.result < 0 ? 'refused' : 'done');
      this.#end(host, name, id, unknown ? undefined : judgeWrite(parts, reply));
      if (reply.result >= 0) host.acknowledged(name, sumOfBytes(parts));
      then(reply);
    });
  }

  readWhole(
    host: WorkloadHost,
    name: RawString,
    timeoutUs: Instant | undefined,
    then: (reply: ObjectReply) => void,
  ): void {
    this.#read(host, name, wholeRead(), 'read all', timeoutUs, then, (reply) => {
      const read = stateOf(contentOf(reply), reply.userVersion);
      return {
        told: () => `read [${describeState(read)}]`,
        changes: false,
        reveals: read,
        step: (before) => (seenAt(before, read.version!).key === read.key ? read : undefined),
      };
    });
  }

  readPart(
    host: WorkloadHost,
    name: RawString,
    offset: number,
    length: number,
    timeoutUs: Instant | undefined,
    then: (reply: ObjectReply) => void,
  ): void {
    const operation = new ObjectOperation().read(offset, length);
    this.#read(host, name, operation, `read ${offset}~${length}`, timeoutUs, then, (reply) => {
      const read = reply.result < 0 ? undefined : reply.ops[0]!.output;
      return {
        told: () => `read ${read ? `version ${reply.userVersion} ${describeData(read)}` : 'nothing'}`,
        changes: false,
        step: (before) => {
          const seen = seenAt(before, reply.userVersion);
          const isRight = seen.version === (read ? reply.userVersion : 0);
          return isRight && sameRead(readState(seen, offset, length), read) ? seen : undefined;
        },
      };
    });
  }

  #read(
    host: WorkloadHost,
    name: RawString,
    operation: ObjectOperation,
    what: string,
    timeoutUs: Instant | undefined,
    then: (reply: ObjectReply) => void,
    judge: (reply: ObjectReply) => Answer<ObjectState>,
  ): void {
    const id = this.#begin(host, name, {
      client: host.client,
      what: () => what,
      changes: false,
      effect: (before) => before,
    });
    host.submit(name, operation, timeoutUs, (reply) => {
      const isAnswer = reply.result >= 0 || reply.result === Errno.ENOENT;
      if (!isAnswer && !isUnknown(reply)) host.violate(`${name}: a read was answered with ${reply.result}`);
      this.#end(host, name, id, isAnswer ? judge(reply) : undefined);
      then(reply);
    });
  }

  #history(name: RawString): History {
    return this.#histories.get(name)!;
  }

  #begin({ client }: WorkloadHost, name: RawString, operation: Operation<ObjectState>): OperationId {
    this.#lastOperation += 1;
    this.#underWay.set(this.#lastOperation, { client, name });
    this.#history(name).begin(this.#lastOperation, operation);
    return this.#lastOperation;
  }

  #end(host: WorkloadHost, name: RawString, id: OperationId, answer: Answer<ObjectState> | undefined): void {
    this.#underWay.delete(id);
    const history = this.#history(name);
    const problem = answer === undefined ? history.abandon(id) : history.end(id, answer);
    if (problem !== undefined) host.violate(`${name}: ${problem}`);
  }
}

function judgeWrite(parts: readonly Part[], { result, userVersion }: ObjectReply): Answer<ObjectState> {
  const told = {
    version: result < 0 ? undefined : userVersion,
    refusal: result === Errno.ERANGE || result === Errno.EOVERFLOW ? result : undefined,
  };
  return {
    told: () => `a write was answered with ${result}${result < 0 ? '' : `, version ${userVersion}`}`,
    changes: result >= 0,
    step: (before) => {
      const after = applyParts(before, parts, told);
      if (after.result !== result) return undefined;
      const isNewer = after.state.version === undefined || before.version === undefined || before.version < userVersion;
      return after.state === before || after.state.content === undefined || isNewer ? after.state : undefined;
    },
  };
}

/** A reply may be the first to tell which version the object has. */
function seenAt(before: ObjectState, version: number): ObjectState {
  return before.version === undefined ? withVersion(before, version) : before;
}

/** Given up here: whether an OSD has done it, or will, is not known. */
export function isUnknown({ result }: ObjectReply): boolean {
  return result === Errno.ETIMEDOUT;
}

function sumOfBytes(parts: readonly Part[]): number {
  return parts.reduce((sum, part) => sum + (isData(part) ? part.data.length : 0), 0);
}

function isData(part: Part): part is Extract<Change, { readonly data: unknown }> {
  return 'data' in part && part.kind !== 'compareData';
}
