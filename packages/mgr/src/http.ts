import type { MgrMap, MonMap } from '@spirula/maps';
import type { CommandContext } from './commands/command.ts';
import { type ClusterStatus, formatMetrics } from './metrics.ts';

export interface HttpRequest {
  readonly method: string;
  /** Without query. */
  readonly path: string;
}

export interface HttpResponse {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** What requests are answered from. */
export interface HttpSource {
  readonly active: boolean;
  readonly name: string;
  readonly status: ClusterStatus;
  readonly monMap: MonMap | undefined;
  readonly mgrMap: MgrMap | undefined;
  /** Undefined on standby, and until there is an OSDMap. */
  readonly context: CommandContext | undefined;
}

const TEXT = 'text/plain; charset=utf-8';

/** Answers one request of the manager's HTTP face; `mgr-http` carries it. */
export function handleHttp(request: HttpRequest, source: HttpSource): HttpResponse {
  if (request.method !== 'GET' && request.method !== 'HEAD') return plain(405, 'Only GET is served.\n');
  switch (request.path) {
    case '/metrics':
      // A standby answers with an empty page, so that all managers can be scraped.
      if (!source.context) return plain(200, '');
      return plain(200, formatMetrics({ ...source, context: source.context }));
    case '/':
      return plain(200, `Manager ${source.name} of a Ceph cluster. See /metrics.\n`);
    default:
      return plain(404, 'Not found.\n');
  }
}

function plain(status: number, body: string): HttpResponse {
  return { status, contentType: TEXT, body };
}
