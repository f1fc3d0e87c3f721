import { request as requestHttp } from 'node:http';

export interface Page {
  readonly status: number;
  readonly location: string | undefined;
  readonly type: string | undefined;
  readonly body: string;
}

/** Asks as a browser does that finds the host by its name. */
export function pageOfSite(endpoint: string, host: string, path: string, method = 'GET'): Promise<Page> {
  const { hostname, port } = new URL(endpoint);
  return new Promise((resolve, reject) => {
    const asked = requestHttp({ hostname, port, path, method, headers: { host } }, async (answer) => {
      const pieces: Buffer[] = [];
      for await (const piece of answer) pieces.push(piece);
      const { location, 'content-type': type } = answer.headers;
      resolve({ status: answer.statusCode!, location, type, body: Buffer.concat(pieces).toString() });
    });
    asked.on('error', reject);
    asked.end();
  });
}
