/**
 * The ops log: what every request to a bucket was, appended to objects of the log pool, one for an hour and a bucket (rgw_log.cc).
 *
 *   request --> call: who, which bucket and key, what --> response, read to its end --> appended, behind the answer
 *
 * As with radosgw nobody waits for it: entries that a gateway that crashes had not written are lost, and those that RADOS does not take.
 */
import { type Bytes, civilDate, Decoder, Errno, MalformedInput, type RawString, type UTime } from '@spirula/encoding';
import { type IoCtx, ObjectOperation, RadosError } from '@spirula/rados';
import type { Instant, World } from '@spirula/world';
import { encoded } from '../formats/encoded.ts';
import { decodeOpsLogEntry, encodeOpsLogEntry, type OpsLogEntry } from '../formats/ops-log-entry.ts';
import { formatUserId, type UserId } from '../formats/user-id.ts';
import type { HttpRequest, HttpResponse } from '../http.ts';
import { bucketName } from '../store/layout.ts';
import type { Store } from '../store/store.ts';
import type { CallSubject, ObservedCall } from '../usage/observed-call.ts';
import { whenSent } from '../usage/when-sent.ts';

const ANONYMOUS = 'anonymous';
const NOBODY: UserId = { tenant: '', ns: '', id: '' };
/** RGWIdentityType: of the gateway's own users. */
const LOCAL_IDENTITY = 1;
/** Of requests about no object. */
const NO_KEY = '-';
/** Entries whose writes are under way; more are lost. */
const MAX_UNDERWAY = 1024;
const DAY_SECONDS = 86_400;
const USEC_PER_SEC = 1_000_000;

interface LoggedBucket {
  readonly owner: UserId;
  readonly id: RawString;
}

/** One request, as it becomes known what it is. */
export class LoggedCall implements ObservedCall {
  readonly time: UTime;
  readonly #began: Instant;
  readonly #http: HttpRequest;
  readonly #requestId: RawString;
  readonly #store: Store;
  #subject: CallSubject | undefined;
  #bucket: LoggedBucket | undefined;
  #received = 0;
  #errorCode: RawString = '';

  constructor(store: Store, http: HttpRequest, requestId: RawString, { clock }: Pick<World, 'clock'>) {
    this.#store = store;
    this.#http = http;
    this.#requestId = requestId;
    this.time = clock.wall();
    this.#began = clock.now();
  }

  async begin(subject: CallSubject): Promise<void> {
    this.#subject = subject;
    this.#bucket = await this.#findBucket();
  }

  async *receive(body: AsyncIterable<Bytes>): AsyncGenerator<Bytes> {
    for await (const chunk of body) {
      this.#received += chunk.length;
      yield chunk;
    }
  }

  failed(code: RawString): void {
    this.#errorCode = code;
  }

  /** Undefined: it is about no bucket, or about one that is not there. */
  async entry(
    response: HttpResponse,
    sent: number,
    now: Instant,
    logsMissing: boolean,
  ): Promise<OpsLogEntry | undefined> {
    const subject = this.#subject;
    if (!subject || subject.bucket === '') return undefined;
    // One that was made by this request is there now.
    const bucket = this.#bucket ?? (response.status < 400 ? await this.#findBucket() : undefined);
    if (!bucket && !logsMissing) return undefined;
    const { method, target, headers, remoteAddr } = this.#http;
    const usec = now - this.#began;
    const isOwn = subject.user !== undefined;
    return {
      objectOwner: NOBODY,
      bucketOwner: bucket?.owner ?? NOBODY,
      bucket: bucketName({ tenant: subject.tenant, name: subject.bucket }),
      bucketId: bucket?.id ?? '',
      time: this.time,
      remoteAddr,
      user: subject.user ? formatUserId(subject.user) : ANONYMOUS,
      key: { name: subject.key || NO_KEY, instance: '', ns: '' },
      operation: subject.category,
      uri: `${method} ${target} HTTP/1.1`,
      httpStatus: String(response.status),
      errorCode: this.#errorCode,
      bytesSent: BigInt(sent),
      bytesReceived: BigInt(this.#received),
      objectSize: this.#objectSize(subject.category, response),
      totalTime: { sec: Math.floor(usec / USEC_PER_SEC), nsec: (usec % USEC_PER_SEC) * 1000 },
      userAgent: headers.get('user-agent') ?? '',
      referrer: headers.get('referer') ?? '',
      headers: new Map(),
      requestId: this.#requestId,
      tokenClaims: [],
      identityType: isOwn ? LOCAL_IDENTITY : 0,
      accessKey: subject.accessKey ?? '',
      subuser: '',
      temporaryUrl: false,
    };
  }

  #objectSize(category: string, { status, headers }: HttpResponse): bigint {
    if (category === 'put_obj') return BigInt(this.#received);
    if (category !== 'get_obj' || status >= 400) return 0n;
    const value = (name: string) => headers.find(([each]) => each.toLowerCase() === name)?.[1] ?? '';
    const size = /\/(\d+)$/.exec(value('content-range'))?.[1] ?? /^\d+$/.exec(value('content-length'))?.[0] ?? '0';
    return BigInt(size);
  }

  async #findBucket(): Promise<LoggedBucket | undefined> {
    const { tenant, bucket } = this.#subject!;
    if (bucket === '') return undefined;
    try {
      const found = await this.#store.buckets.load(tenant, bucket);
      return found && { owner: found.info.owner, id: found.info.bucket.bucketId };
    } catch (error) {
      // The request meets the same, and says so.
      if (error instanceof RadosError || error instanceof MalformedInput) return undefined;
      throw error;
    }
  }
}

export interface OpsLogOptions {
  readonly world: Pick<World, 'clock' | 'config' | 'log'>;
  readonly store: Store;
  /** Of the log pool. */
  readonly io: IoCtx;
}

export class OpsLog {
  readonly #world: OpsLogOptions['world'];
  readonly #store: Store;
  readonly #io: IoCtx;
  readonly #underway = new Set<Promise<void>>();

  constructor({ world, store, io }: OpsLogOptions) {
    this.#world = world;
    this.#store = store;
    this.#io = io;
  }

  /** Undefined: nothing is logged (rgw_enable_ops_log, rgw_ops_log_rados). */
  open(http: HttpRequest, requestId: RawString): LoggedCall | undefined {
    const { rgw_enable_ops_log: isOn, rgw_ops_log_rados: inRados } = this.#world.config;
    return isOn && inRados ? new LoggedCall(this.#store, http, requestId, this.#world) : undefined;
  }

  /** The response; when it has been read, or given up, its call is logged. */
  follow(call: LoggedCall, response: HttpResponse): HttpResponse {
    return whenSent(response, (sent) => this.#keep(call, response, sent));
  }

  /** Resolves when all that was answered is logged, or lost. */
  async flush(): Promise<void> {
    await Promise.all(this.#underway);
  }

  #keep(call: LoggedCall, response: HttpResponse, sent: number): void {
    if (this.#underway.size >= MAX_UNDERWAY) {
      this.#world.log.warn('a request is not logged: RADOS takes no entries', { requests: MAX_UNDERWAY });
      return;
    }
    const writing = this.#write(call, response, sent);
    this.#underway.add(writing);
    void writing.finally(() => this.#underway.delete(writing));
  }

  /** Never rejects with what RADOS fails with. */
  async #write(call: LoggedCall, response: HttpResponse, sent: number): Promise<void> {
    const { rgw_log_object_name: format, rgw_log_nonexistent_bucket: logsMissing } = this.#world.config;
    const entry = await call.entry(response, sent, this.#world.clock.now(), logsMissing);
    if (!entry) return;
    const oid = logObjectName(format, entry);
    const { result } = await this.#io.submit(oid, new ObjectOperation().append(encoded(encodeOpsLogEntry, entry)));
    if (result < 0) this.#world.log.warn('a request is not logged', { oid, error: String(result) });
  }
}

/** Of the hour, the id and the name of the bucket (render_log_object_name). Times are UTC. */
export function logObjectName(format: string, entry: Pick<OpsLogEntry, 'time' | 'bucket' | 'bucketId'>): RawString {
  const { year, month, day } = civilDate(Math.floor(entry.time.sec / DAY_SECONDS));
  const minutes = Math.floor((entry.time.sec % DAY_SECONDS) / 60);
  const hour = Math.floor(minutes / 60);
  const two = (value: number) => String(value).padStart(2, '0');
  const values: Readonly<Record<string, string>> = {
    '%': '%',
    Y: String(year).padStart(4, '0'),
    y: two(year % 100),
    m: two(month),
    d: two(day),
    H: two(hour),
    I: two((hour % 12) + 1),
    k: String(hour),
    l: String((hour % 12) + 1),
    M: two(minutes % 60),
    i: entry.bucketId,
    n: entry.bucket,
  };
  return format.replace(/%(.)/gs, (whole, letter: string) => values[letter] ?? whole);
}

/** All entries of an object. Undefined: there is none of this name. @throws RadosError EIO: one does not parse */
export async function readOpsLog(io: IoCtx, oid: RawString): Promise<OpsLogEntry[] | undefined> {
  let data: Bytes;
  try {
    data = await io.read(oid);
  } catch (error) {
    if (error instanceof RadosError && error.code === Errno.ENOENT) return undefined;
    throw error;
  }
  const from = new Decoder(data);
  const entries: OpsLogEntry[] = [];
  try {
    while (from.offset < data.length) entries.push(decodeOpsLogEntry(from));
  } catch (error) {
    if (!(error instanceof MalformedInput)) throw error;
    throw new RadosError(Errno.EIO, `${oid}: entry ${entries.length}: ${error.message}`);
  }
  return entries;
}
