import { expect, test } from 'vitest';
import { serveMgrHttp } from './mgr-http.ts';

test('a request goes to the manager, its answer back, and the URL is made known', async () => {
  let services: ReadonlyMap<string, string> = new Map();
  const http = await serveMgrHttp({
    handleHttp: ({ method, path }) => ({ status: 207, contentType: 'text/plain', body: `${method} ${path}` }),
    setServices: (given) => {
      services = given;
    },
  });

  const response = await fetch(`${http.url}metrics?x=1`);

  expect([response.status, await response.text()]).toEqual([207, 'GET /metrics']);
  expect(services.get('prometheus')).toBe(http.url);
  expect(http.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
  await http.close();
});
