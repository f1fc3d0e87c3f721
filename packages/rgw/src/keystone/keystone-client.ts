/** Keystone's API, version 3: the gateway's own token, and whose another one is (rgw_keystone.cc). */

import { base64 } from '@scure/base';
import {
  bytesFromRaw,
  EMPTY,
  fromUtf8,
  MalformedInput,
  type RawString,
  rawFromText,
  textFromRaw,
  type UTime,
  utf8,
} from '@spirula/encoding';
import { seconds, type World } from '@spirula/world';
import { parseIsoDate } from '../s3/http-date.ts';
import type { Outcome, Outgoing } from './outgoing.ts';

/** Keystone does not answer, or not as it should: nothing is known of the token. */
export class KeystoneUnavailable extends Error {
  override readonly name = 'KeystoneUnavailable';
}

export interface KeystoneToken {
  readonly project: Named;
  readonly user: Named;
  readonly roles: readonly string[];
  readonly expires: UTime;
}

interface Named {
  readonly id: RawString;
  readonly name: RawString;
}

const MAX_REPLY_BYTES = 1 << 20;
const TIMEOUT = seconds(30);
/** The gateway's own token is asked for anew so long before it ends. */
const MARGIN_SECONDS = 30;

export class KeystoneClient {
  readonly #config: World['config'];
  readonly #outgoing: Outgoing;
  readonly #now: () => UTime;
  #own: Promise<{ readonly token: string; readonly expires: UTime }> | undefined;

  constructor(config: World['config'], outgoing: Outgoing, now: () => UTime) {
    this.#config = config;
    this.#outgoing = outgoing;
    this.#now = now;
  }

  /** Undefined: Keystone knows no such token. @throws KeystoneUnavailable */
  async validate(token: string): Promise<KeystoneToken | undefined> {
    for (let tries = 1; ; tries++) {
      const own = await this.#ownToken();
      const { status, detail, reply } = await this.#ask('v3/auth/tokens', {
        method: 'GET',
        headers: { 'X-Auth-Token': own, 'X-Subject-Token': token },
      });
      if (status === 404) return undefined;
      if (status === 200 && reply) return tokenOf(reply.body);
      if (status !== 401) throw new KeystoneUnavailable(`Keystone does not say whose a token is: ${detail}`);
      // The gateway's own token was taken away.
      this.#own = undefined;
      if (tries === 2) throw new KeystoneUnavailable("Keystone does not take the gateway's own token");
    }
  }

  /**
   * Whose an access key is that something was signed with (EC2Engine::get_from_keystone). Undefined: Keystone knows no such key,
   * or it is not what it was signed with.
   *
   * @throws KeystoneUnavailable
   */
  async verify(
    accessKey: RawString,
    { stringToSign, signature }: { readonly stringToSign: RawString; readonly signature: string },
  ): Promise<KeystoneToken | undefined> {
    const access = textFromRaw(accessKey);
    const own = await this.#ownToken();
    const credentials = { access, token: base64.encode(bytesFromRaw(stringToSign)), signature };
    const body = utf8(JSON.stringify({ credentials }));
    const { status, detail, reply } = await this.#ask('v3/s3tokens', {
      headers: { 'X-Auth-Token': own },
      body,
    });
    if (status === 200 && reply) return tokenOf(reply.body);
    // It may as well be that the gateway's own token was taken away.
    if (status === 401 && (await this.#isReplaced(own)))
      return await this.verify(accessKey, { stringToSign, signature });
    if (status === 401 || status === 404) return undefined;
    throw new KeystoneUnavailable(`Keystone does not say whose an access key is: ${detail}`);
  }

  /** Whether the gateway's own token is not good any more; it has another one then. */
  async #isReplaced(own: string): Promise<boolean> {
    await this.validate(own);
    return (await this.#ownToken()) !== own;
  }

  /** Undefined: Keystone does not tell (EC2Engine::get_secret_from_keystone). */
  async secretOf(userId: RawString, accessKey: RawString): Promise<RawString | undefined> {
    const names = [userId, accessKey].map((name) => encodeURIComponent(textFromRaw(name)));
    const { status, reply } = await this.#ask(`v3/users/${names[0]}/credentials/OS-EC2/${names[1]}`, {
      method: 'GET',
      headers: { 'X-Auth-Token': await this.#ownToken() },
    });
    if (status !== 200 || !reply) return undefined;
    try {
      const secret = JSON.parse(fromUtf8(reply.body))?.credential?.secret;
      return typeof secret === 'string' ? rawFromText(secret) : undefined;
    } catch (error) {
      if (error instanceof SyntaxError || error instanceof MalformedInput) return undefined;
      throw error;
    }
  }

  /** Several requests at once ask for it once. */
  async #ownToken(): Promise<string> {
    const known = this.#own;
    if (known) {
      const { token, expires } = await known;
      if (expires.sec > this.#now().sec + MARGIN_SECONDS) return token;
      if (this.#own === known) this.#own = undefined;
    }
    const asked = (this.#own ??= this.#login());
    try {
      return (await asked).token;
    } catch (error) {
      if (this.#own === asked) this.#own = undefined;
      throw error;
    }
  }

  async #login(): Promise<{ readonly token: string; readonly expires: UTime }> {
    const {
      rgw_keystone_admin_user: name,
      rgw_keystone_admin_password: password,
      rgw_keystone_admin_domain: domainName,
      rgw_keystone_admin_project: project,
    } = this.#config;
    const domain = { name: domainName };
    const identity = { methods: ['password'], password: { user: { domain, name, password } } };
    const body = utf8(JSON.stringify({ auth: { identity, scope: { project: { domain, name: project } } } }));
    const { status, detail, reply } = await this.#ask('v3/auth/tokens', { body });
    const token = reply?.headers.get('x-subject-token');
    if (status !== 201 || !reply || !token) {
      throw new KeystoneUnavailable(`Keystone does not let the gateway in as ${name}: ${detail}`);
    }
    return { token, expires: tokenOf(reply.body).expires };
  }

  async #ask(
    path: string,
    more: { readonly method?: 'GET'; readonly headers?: Readonly<Record<string, string>>; readonly body?: Uint8Array },
  ): Promise<Outcome> {
    const { rgw_keystone_url: base, rgw_keystone_verify_ssl: verifiesTls } = this.#config;
    const url = `${base.replace(/\/*$/, '/')}${path}`;
    return await this.#outgoing.request({
      url,
      contentType: 'application/json',
      body: EMPTY,
      verifiesTls,
      timeout: TIMEOUT,
      replyBytes: MAX_REPLY_BYTES,
      ...more,
    });
  }
}

/** @throws KeystoneUnavailable */
function tokenOf(body: Uint8Array): KeystoneToken {
  try {
    const { token } = JSON.parse(fromUtf8(body));
    const expires = parseIsoDate(String(token.expires_at));
    if (!expires) throw new KeystoneUnavailable('Keystone tells of a token that has no end');
    return {
      project: named(token.project),
      user: named(token.user),
      roles: (token.roles ?? []).map(({ name }: { readonly name: unknown }) => String(name)),
      expires,
    };
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError || error instanceof MalformedInput) {
      throw new KeystoneUnavailable(`Keystone tells of a token what does not parse: ${error.message}`);
    }
    throw error;
  }
}

/** Of a token for no project: ''. */
function named(given: { readonly id?: unknown; readonly name?: unknown } | undefined): Named {
  const text = (value: unknown) => (typeof value === 'string' ? rawFromText(value) : '');
  return { id: text(given?.id), name: text(given?.name) };
}
