/**
 * Where events are pushed to. Users name the servers that a gateway sends requests to: only `http` and `https`, redirects are not
 * followed, and nobody sees what is answered. What a gateway can reach and its users are not to reach, a firewall must say.
 */
import { type RawString, textFromRaw } from '@spirula/encoding';
import type { TopicDestination } from '../formats/notification.ts';

/** It cannot be pushed to; the message says why. */
export class UnsupportedEndpoint extends Error {
  override readonly name = 'UnsupportedEndpoint';
}

export interface Endpoint {
  readonly url: string;
  /** Who is asked, whatever for. */
  readonly origin: string;
  readonly verifiesTls: boolean;
  /** Whether the URL has a name and password. */
  readonly hasSecret: boolean;
}

const SUPPORTED = /^https?:\/\/(?:([^/?#@]*)@)?([^/?#@\s]+)([/?#]\S*)?$/i;
const MAX_URL_LENGTH = 2048;

type EndpointText = Pick<TopicDestination, 'pushEndpoint' | 'pushEndpointArgs'>;

/** @throws UnsupportedEndpoint */
export function parseEndpoint({ pushEndpoint, pushEndpointArgs }: EndpointText): Endpoint {
  const url = textFromRaw(pushEndpoint);
  if (/^(amqps?|kafka):/i.test(url)) {
    throw new UnsupportedEndpoint(`Events are not pushed by ${url.split(':', 1)[0]}: only by http and https`);
  }
  const parts = SUPPORTED.exec(url);
  if (!parts || url.length > MAX_URL_LENGTH) throw new UnsupportedEndpoint('push-endpoint is no URL of http or https');
  const [, secret, host] = parts;
  const args = argsOf(pushEndpointArgs);
  requireAckLevel(args.get('http-ack-level'));
  const scheme = url.slice(0, url.indexOf(':')).toLowerCase();
  return {
    url,
    origin: `${scheme}://${host!.toLowerCase()}`,
    verifiesTls: truthOf('verify-ssl', args.get('verify-ssl') ?? 'true'),
    hasSecret: secret !== undefined && secret !== '',
  };
}

/** What `name=value&name=value` says; of what is there twice the last. */
function argsOf(text: RawString): ReadonlyMap<string, string> {
  const args = new Map<string, string>();
  for (const part of textFromRaw(text).split('&')) {
    const at = part.indexOf('=');
    args.set(at < 0 ? part : part.slice(0, at), at < 0 ? '' : part.slice(at + 1));
  }
  return args;
}

/** @throws UnsupportedEndpoint */
function truthOf(name: string, text: string): boolean {
  const lower = text.toLowerCase();
  if (lower === 'true' || lower === 'false') return lower === 'true';
  throw new UnsupportedEndpoint(`${name} is true or false`);
}

/** As in radosgw 16.2 it is read, and means nothing: every status from 200 to 299 acknowledges. @throws UnsupportedEndpoint */
function requireAckLevel(level: string | undefined): void {
  if (level === undefined || level === 'any' || level === 'non-error') return;
  if (/^[1-5]\d\d$/.test(level)) return;
  throw new UnsupportedEndpoint('http-ack-level is any, non-error or a status');
}
