/**
 * The gateway: one request in, one response out.
 *
 *   HTTP request --> what it names --> who sends it --> which operation --> the store --> response
 *                 \________________ S3Error: an XML document with its code and status ____________/
 *
 * Between who and which, faults that somebody asked for may happen: `src/faults`.
 */

import { addSeconds, Decoder, Errno, MalformedInput, type RawString, type UTime } from '@spirula/encoding';
import { RadosError } from '@spirula/rados';
import type { World } from '@spirula/world';
import { isActionRequest, withActionForm } from './action-api/action-form.ts';
import { isAdmin, serveAdmin } from './admin/rest/serve-admin.ts';
import type { Archives } from './archives.ts';
import { CONTROL_BUCKET, controlFaults } from './faults/fault-control.ts';
import { cutResponse, type InjectedRequest, type Injector } from './faults/injector.ts';
import { MixedCompression } from './formats/compression.ts';
import type { SessionToken } from './formats/session-token.ts';
import { OpMask } from './formats/user-info.ts';
import type { HttpRequest, HttpResponse } from './http.ts';
import { identityOf, NO_IDENTITY, permissionsOfKey } from './iam/identity.ts';
import { MalformedPolicy } from './iam/policy.ts';
import type { Keystone } from './keystone/keystone.ts';
import { KeystoneUnavailable } from './keystone/keystone-client.ts';
import { QueueFull } from './notifications/queues.ts';
import type { OpsLog } from './ops-log/ops-log.ts';
import { type AuthenticationContext, authenticate, presigningKey, type Signer } from './s3/auth/authenticate.ts';
import { authenticatePostForm } from './s3/auth/post-form.ts';
import type { CorsRule } from './s3/documents/cors.ts';
import { requireOpMask } from './s3/operations/access.ts';
import { answerPreflight, corsHeaders, corsRulesOf } from './s3/operations/cors.ts';
import { findNamedBucket, tenantOf } from './s3/operations/find-bucket.ts';
import type { Operation, OperationContext } from './s3/operations/operation.ts';
import { postObject, requestOfForm } from './s3/operations/post-object.ts';
import { refuseUnsupported } from './s3/operations/refuse-unsupported.ts';
import { operationOf } from './s3/operations/routes.ts';
import { S3Error } from './s3/s3-error.ts';
import { errorDocument, s3Error } from './s3/s3-errors.ts';
import { parseS3Request, type S3Request } from './s3/s3-request.ts';
import { CannotDecompress } from './store/compressed-read.ts';
import { ObjectGone } from './store/heads.ts';
import { BucketBusy, BucketGone } from './store/object-index.ts';
import { NoSuchPlacement, NoSuchStorageClass, PlacementNotPermitted } from './store/placement.ts';
import { NoPreviousVersions, PreviousVersionError } from './store/previous-versions.ts';
import { QuotaExceeded } from './store/quotas.ts';
import { BucketNameTaken, BucketNotEmpty, type Store, TooManyBuckets, VersionsNotKept } from './store/store.ts';
import { NoSuchUpload } from './store/upload-meta.ts';
import type { StoredUser } from './store/users.ts';
import { callerOfSession, openSession } from './sts/sessions.ts';
import { serveSwift } from './swift/swift.ts';
import { isSwift } from './swift/swift-request.ts';
import { categoryOfS3, PREFLIGHT_CATEGORY } from './usage/categories.ts';
import { type ObservedCall, observedBy } from './usage/observed-call.ts';
import type { UsageMeter } from './usage/usage-meter.ts';
import { type HostNames, isWebsiteHost } from './website/hosts.ts';
import { serveWebsite } from './website/website.ts';

export interface GatewayOptions {
  readonly world: Pick<World, 'clock' | 'config' | 'crypto' | 'log'>;
  readonly store: Store;
  readonly hosts?: HostNames;
  /** Without it, faults can neither be asked for nor happen. */
  readonly injector?: Injector;
  /** Without it, nothing is counted. */
  readonly meter?: UsageMeter;
  /** Without it, nothing is logged. */
  readonly opsLog?: OpsLog;
  /** Without it, archives are not expanded. */
  readonly archives?: Archives;
  /** Who knows whose tokens are that are not the gateway's own. */
  readonly keystone?: Keystone;
}

/** What the store refuses, and what S3 calls it. */
const storeErrors = [
  [NoSuchUpload, 'NoSuchUpload'],
  [BucketNameTaken, 'BucketAlreadyExists'],
  [BucketNotEmpty, 'BucketNotEmpty'],
  [VersionsNotKept, 'InvalidBucketState'],
  [ObjectGone, 'NoSuchKey'],
  [TooManyBuckets, 'TooManyBuckets'],
  [QuotaExceeded, 'QuotaExceeded'],
  [QueueFull, 'SlowDown'],
  [BucketGone, 'NoSuchBucket'],
  [BucketBusy, 'ServiceUnavailable'],
  [NoPreviousVersions, 'NoSuchKey'],
  [PreviousVersionError, 'PreconditionFailed'],
  [CannotDecompress, 'NotImplemented'],
  [MixedCompression, 'InvalidPart'],
  [NoSuchPlacement, 'InvalidLocationConstraint'],
  [NoSuchStorageClass, 'InvalidStorageClass'],
  [PlacementNotPermitted, 'AccessDenied'],
] as const;

const NO_HOSTS: HostNames = { s3: [], websites: [], onlyWebsites: false };

async function* nothing(): AsyncGenerator<Uint8Array<ArrayBuffer>> {}

const SEQUENCE_DIGITS = 21;
const TIME_DIGITS = 10;
const HEX = 16;

export class Gateway {
  readonly #world: GatewayOptions['world'];
  readonly #store: Store;
  readonly #hosts: HostNames;
  readonly #injector: Injector | undefined;
  readonly #meter: UsageMeter | undefined;
  readonly #opsLog: OpsLog | undefined;
  readonly #archives: Archives | undefined;
  readonly #keystone: Keystone | undefined;
  /** Tells gateways apart in request ids. */
  readonly #instance: string;
  #requests = 0;

  constructor({ world, store, hosts = NO_HOSTS, injector, meter, opsLog, archives, keystone }: GatewayOptions) {
    this.#world = world;
    this.#store = store;
    this.#hosts = hosts;
    this.#injector = injector;
    this.#meter = meter;
    this.#opsLog = opsLog;
    this.#archives = archives;
    this.#keystone = keystone;
    this.#instance = new Decoder(world.crypto.randomBytes(4)).u32('instance').toString(HEX);
  }

  get store(): Store {
    return this.#store;
  }

  /** Never rejects: what goes wrong is a response. */
  async handle(http: HttpRequest): Promise<HttpResponse> {
    const requestId = this.#newRequestId();
    if (isWebsiteHost(http.headers.get('host') ?? '', this.#hosts)) return await this.#showWebsite(http, requestId);
    const metered = this.#meter?.open();
    const logged = this.#opsLog?.open(http, requestId);
    const call = observedBy(metered, logged);
    const swift = { world: this.#world, store: this.#store, archives: this.#archives, keystone: this.#keystone, call };
    const response = isSwift(http)
      ? await serveSwift(swift, http, requestId)
      : await this.#serveS3(http, requestId, call);
    const counted = metered ? this.#meter!.count(metered, response) : response;
    return logged ? this.#opsLog!.follow(logged, counted) : counted;
  }

  async #serveS3(http: HttpRequest, requestId: string, call: ObservedCall | undefined): Promise<HttpResponse> {
    const injected = this.#injector?.receive(http);
    let request: S3Request | undefined;
    let tenant = '';
    try {
      request = parseS3Request(injected?.http ?? http, { dnsNames: this.#hosts.s3 });
      if (this.#injector && request.bucket === CONTROL_BUCKET) {
        return await controlFaults(this.#injector.faults, request);
      }
      if (isAdmin(http)) return await this.#serveAdmin(request, requestId);
      if (http.method === 'OPTIONS') {
        const presigner = await this.#presigner(request);
        await call?.begin(subjectOf(PREFLIGHT_CATEGORY, request, undefined, presigner));
        const rules = await this.#corsRules(request, presigner);
        return this.#identified(answerPreflight(request, rules), requestId);
      }
      if (isActionRequest(request)) request = await withActionForm(request, this.#world.crypto);
      const operation = operationOf(request);
      const caller = await this.#authenticate(request, operation);
      const { user } = caller;
      request = caller.request;
      tenant = tenantOf(caller);
      const subject = subjectOf(categoryOfS3(operation.name), request, user, tenant);
      await call?.begin({ ...subject, accessKey: caller.auth.accessKey });
      refuseUnsupported(request);
      if (http.method === 'GET' || http.method === 'HEAD') requireOpMask(user, OpMask.read);
      const { bucket, key } = request;
      await injected?.meet({ operation: operation.name, bucket, key, method: http.method, uid: user?.id.id });
      const { crypto } = this.#world;
      const unseenSince = this.#unseenSince(injected);
      const now = this.#world.clock.wall();
      const auth = call ? { ...caller.auth, body: call.receive(caller.auth.body) } : caller.auth;
      const answer = await operation.run({
        ...caller,
        auth,
        store: this.#store,
        world: this.#world,
        crypto,
        requestId,
        now,
        unseenSince,
      });
      const response = this.#identified(injected?.answer(answer) ?? answer, requestId);
      return await this.#forOrigin(response, request, tenant);
    } catch (error) {
      if (injected?.cut) return cutResponse(injected.cut);
      const explained = this.#explain(error, requestId);
      call?.failed(explained.code);
      const refusal = this.#refusal(http, request, requestId, explained);
      return await this.#forOrigin(refusal, request, tenant);
    }
  }

  async #showWebsite(http: HttpRequest, requestId: string): Promise<HttpResponse> {
    const { crypto, clock } = this.#world;
    const nobody = { accessKey: undefined, body: nothing(), decodedLength: undefined, trailers: () => new Map() };
    const response = await serveWebsite({
      http,
      dnsNames: [...this.#hosts.s3, ...this.#hosts.websites],
      store: this.#store,
      requestId,
      hostId: this.#hostId,
      explain: (error) => this.#explain(error, requestId),
      context: {
        auth: nobody,
        user: undefined,
        identity: NO_IDENTITY,
        world: this.#world,
        store: this.#store,
        crypto,
        requestId,
        now: clock.wall(),
        unseenSince: undefined,
      },
    });
    return this.#identified(response, requestId);
  }

  get #hostId(): string {
    return `${this.#instance}-default-default`;
  }

  async #serveAdmin(request: S3Request, requestId: string): Promise<HttpResponse> {
    return await serveAdmin(request, {
      parts: { store: this.#store, world: this.#world },
      requestId,
      hostId: this.#hostId,
      authenticate: async () => {
        const { user, auth } = await this.#authenticate(request, undefined);
        return { user, body: auth.body };
      },
      explain: (error) => this.#explain(error, requestId),
    });
  }

  #identified(response: HttpResponse, requestId: string): HttpResponse {
    return { ...response, headers: [['x-amz-request-id', requestId], ...response.headers] };
  }

  /** What the browser of a page of another origin needs to be told. */
  async #forOrigin(response: HttpResponse, request: S3Request | undefined, tenant: RawString): Promise<HttpResponse> {
    if (!request?.http.headers.has('origin') || request.bucket === '') return response;
    try {
      const headers = corsHeaders(request, await this.#corsRules(request, tenant));
      return { ...response, headers: [...response.headers, ...headers] };
    } catch (error) {
      // The answer stands: it only says nothing to other origins.
      if (error instanceof S3Error || error instanceof RadosError || error instanceof MalformedInput) return response;
      throw error;
    }
  }

  /** In whose tenant the bucket of a preflight is: that is not signed, but may be about a URL that somebody signed. */
  async #presigner(request: S3Request): Promise<RawString> {
    const accessKey = presigningKey(request);
    const signer = accessKey === undefined ? undefined : await this.#store.users.find('accessKey', accessKey);
    return signer?.info.id.tenant ?? '';
  }

  /** @throws S3Error NoSuchBucket, RadosError */
  async #corsRules({ bucket }: S3Request, tenant: RawString): Promise<readonly CorsRule[]> {
    if (bucket === '') return [];
    return corsRulesOf(await findNamedBucket(this.#store, tenant, bucket));
  }

  async #authenticate(
    request: S3Request,
    operation: Operation | undefined,
  ): Promise<Pick<OperationContext, 'request' | 'auth' | 'user' | 'identity' | 'form'>> {
    let found: StoredUser | undefined;
    let subuser = '';
    let vouchedFor: Pick<OperationContext, 'user' | 'identity'> | undefined;
    let session: SessionToken | undefined;
    const { rgw_s3_auth_use_keystone: usesKeystone, rgw_s3_auth_order } = this.#world.config;
    const keystone = usesKeystone ? this.#keystone : undefined;
    const context: AuthenticationContext = {
      crypto: this.#world.crypto,
      wall: () => this.#world.clock.wall(),
      findSecret: async (accessKey, sessionToken, claim) => {
        // Without STS tokens say nothing: what counts is whose the key is.
        if (sessionToken !== undefined && this.#world.config.rgw_s3_auth_use_sts) {
          session = openSession(this.#world, sessionToken, accessKey);
          return { secret: session.secret };
        }
        const local = async () => {
          found = await this.#store.users.find('accessKey', accessKey);
          const key = found?.info.accessKeys.get(accessKey);
          if (!found || !key) return undefined;
          if (found.info.suspended) throw s3Error('UserSuspended');
          subuser = key.subuser;
          return { secret: key.secret };
        };
        const external = async () => {
          const caller = await keystone?.authenticateS3(accessKey, claim);
          if (typeof caller === 'string') throw s3Error(caller);
          vouchedFor = caller && { user: caller.user, identity: caller.identity };
          return caller;
        };
        return await firstOf(isExternalFirst(rgw_s3_auth_order) ? [external, local] : [local, external]);
      },
    };
    const form = operation === postObject ? await authenticatePostForm(request, context) : undefined;
    const asked = form ? requestOfForm(request, form) : { request, auth: await authenticate(request, context) };
    if (session) return { ...asked, form, ...(await callerOfSession(this.#store, session)) };
    if (vouchedFor) return { ...asked, form, ...vouchedFor };
    const signer = asked.auth.accessKey === undefined ? undefined : found;
    if (!signer) return { ...asked, form, user: undefined, identity: NO_IDENTITY };
    const identity = { ...identityOf(signer), permissions: permissionsOfKey(signer.info, subuser) };
    return { ...asked, form, user: signer.info, identity };
  }

  #unseenSince(injected: InjectedRequest | undefined): UTime | undefined {
    if (!injected || injected.staleSeconds === 0) return undefined;
    return addSeconds(this.#world.clock.wall(), -injected.staleSeconds);
  }

  #explain(error: unknown, requestId: string): S3Error {
    if (error instanceof S3Error) return error;
    const known = storeErrors.find(([kind]) => error instanceof kind);
    if (known) return s3Error(known[1]);
    if (error instanceof RadosError) return this.#explainRados(error, requestId);
    if (error instanceof KeystoneUnavailable) {
      this.#world.log.warn('an access key cannot be looked at', { requestId, problem: error.message });
      return s3Error('ServiceUnavailable');
    }
    // What is stored for who asks: nobody can say what it allows.
    if (error instanceof MalformedPolicy)
      return s3Error('AccessDenied', `A policy of the user does not parse: ${error.message}`);
    const { name, message, stack } = error as Error;
    if (error instanceof MalformedInput) {
      this.#world.log.error('what is stored does not parse', { requestId, problem: message });
      return s3Error('InternalError');
    }
    // The client went away, or what it sends is no HTTP any more: nobody reads this.
    if ((error as { code?: unknown }).code === 'ECONNRESET') return s3Error('IncompleteBody');
    this.#world.log.error('a request fails', { requestId, problem: `${name}: ${message}`, stack });
    return s3Error('InternalError');
  }

  #explainRados(error: RadosError, requestId: string): S3Error {
    switch (error.code) {
      case Errno.EDQUOT:
      case Errno.ENOSPC:
        return s3Error('QuotaExceeded', 'The cluster has no room for it');
      case Errno.EBUSY:
        return s3Error('OperationAborted');
      // With its version, or its upload, an object's name is longer than OSDs take.
      case Errno.ENAMETOOLONG:
        return s3Error('KeyTooLongError');
      case Errno.ECANCELED:
        return s3Error('ConcurrentModification');
      case Errno.ETIMEDOUT:
      case Errno.ESHUTDOWN:
        return s3Error('ServiceUnavailable');
      default:
        this.#world.log.error('RADOS refuses', { requestId, problem: error.message });
        return s3Error('InternalError');
    }
  }

  #refusal(http: HttpRequest, request: S3Request | undefined, requestId: string, error: S3Error): HttpResponse {
    const headers: (readonly [string, string])[] = [['x-amz-request-id', requestId], ...error.headers];
    const hasBody = http.method !== 'HEAD' && error.status !== 304;
    if (!hasBody) return { status: error.status, headers, body: new Uint8Array(0) };
    const body = errorDocument(error, { bucket: request?.bucket, requestId, hostId: this.#hostId });
    return { status: error.status, headers: [...headers, ['Content-Type', 'application/xml']], body };
  }

  /** As radosgw's: a number, the time, who. */
  #newRequestId(): string {
    this.#requests += 1;
    const number = this.#requests.toString(HEX).padStart(SEQUENCE_DIGITS, '0');
    const time = this.#world.clock.wall().sec.toString(HEX).padStart(TIME_DIGITS, '0');
    return `tx${number}-${time}-${this.#instance}-default`;
  }
}

/** rgw_s3_auth_order: `sts, external, local` (AWSAuthStrategy::parse_auth_order). */
function isExternalFirst(order: string): boolean {
  const names = order.split(/[\s,;]+/);
  const [external, local] = ['external', 'local'].map((name) => names.indexOf(name));
  return local! < 0 || external! < local!;
}

/** Who refuses, or does not answer, is passed over: another one may know the key. @throws KeystoneUnavailable, S3Error */
async function firstOf(engines: readonly (() => Promise<Signer | undefined>)[]): Promise<Signer | undefined> {
  let refusal: Error | undefined;
  for (const ask of engines) {
    try {
      const found = await ask();
      if (found) return found;
    } catch (error) {
      if (!(error instanceof KeystoneUnavailable || error instanceof S3Error)) throw error;
      refusal ??= error;
    }
  }
  if (refusal) throw refusal;
  return undefined;
}

/** What a request is counted as. */
function subjectOf(category: string, { bucket, key }: S3Request, user: OperationContext['user'], own: RawString) {
  const at = bucket.indexOf(':');
  const tenant = at < 0 ? own : bucket.slice(0, at);
  return { category, user: user?.id, tenant, bucket: at < 0 ? bucket : bucket.slice(at + 1), key };
}
