/** What is asked of radosgw and of our gateway in the same order: their answers must be the same. */
import { createHash } from 'node:crypto';

export interface SwiftStep {
  readonly method: string;
  /** Below `/swift/v1`; `@` stands for what tells the containers of one gateway from the other's. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Without a token. */
  readonly anonymous?: true;
  /** What of the answers differs, and why: it must. */
  readonly differs?: { readonly in: readonly string[]; readonly because: string };
}

const md5 = (text: string) => createHash('md5').update(text).digest('hex');

type Options = Omit<SwiftStep, 'method' | 'path'>;
const step = (method: string, path: string, options: Options = {}): SwiftStep => ({ method, path, ...options });
const get = (path: string, options?: Options) => step('GET', path, options);
const head = (path: string, options?: Options) => step('HEAD', path, options);
const put = (path: string, body = '', headers: Record<string, string> = {}) =>
  step('PUT', path, { body, headers: { 'content-type': 'text/plain', ...headers } });
const post = (path: string, headers: Record<string, string>, options?: Options) =>
  step('POST', path, { headers, ...options });
const remove = (path: string, options?: Options) => step('DELETE', path, options);

/** `marked` may be a directory; what is a list then has names that radosgw ends by a zero byte. */
function pages(lists: readonly string[] = []): SwiftStep[] {
  const paths = ['', '/', '/o.txt', '/none', '/dir', '/dir/', '/sub', '/sub/', '/sub/none', '/marked', '/marked/'];
  const differs = {
    in: ['body', 'content-length'],
    because: 'radosgw ends the names in lists of web sites by a zero byte',
  };
  return [
    ...paths.map((path) => get(`/web-@${path}`, { anonymous: true, ...(lists.includes(path) && { differs }) })),
    ...['', '/', '/dir/', '/none'].map((path) =>
      get(`/web-@${path}`, { headers: { 'x-web-mode': 'True' }, ...(lists.includes(path) && { differs }) }),
    ),
    ...['', '/', '/dir/', '/none'].map((path) =>
      head(`/web-@${path}`, { anonymous: true, ...(lists.includes(path) && { differs }) }),
    ),
  ];
}

const QUOTA_SHOWN = { in: ['x-container-meta-quota-count'], because: 'radosgw shows a quota in lists only' };
const listed = '/list-@';
const listings = ['', '&format=json', '&format=xml'].flatMap((format) =>
  [
    '',
    'limit=2',
    'limit=0',
    'limit=10000',
    'limit=10001',
    'limit=-1',
    'limit=x',
    'marker=b/1',
    'marker=zz',
    'end_marker=b/2',
    'marker=a&end_marker=c',
    'prefix=b/',
    'prefix=none',
    'delimiter=/',
    'delimiter=/&limit=2',
    'delimiter=/&marker=b/',
    'delimiter=/&prefix=b/',
    'delimiter=/&prefix=b/c/&marker=b/c/1',
    'path=b',
    'path=b/',
    'path=b/c',
    'path=',
    'path=b&delimiter=/',
    'path=b&prefix=b',
    'reverse=true',
    'reverse=true&marker=b/2',
  ].map((query) => get(`${listed}?${query}${format}`)),
);

export const swiftSteps: readonly SwiftStep[] = [
  // Listings
  put(listed),
  put(listed),
  ...['a', 'b/', 'b/1', 'b/2', 'b/c/1', 'c d', 'e&<f>', '_g', 'ü'].map((name) =>
    put(`${listed}/${name.split('/').map(encodeURIComponent).join('/')}`, name),
  ),
  ...listings,
  get(listed, { headers: { accept: 'application/json' } }),
  get(listed, { headers: { accept: 'text/xml' } }),
  get(`${listed}?format=other`),
  head(listed),

  // Accounts
  ...['', '&format=json', '&format=xml'].flatMap((format) => [
    get(`?prefix=list-@${format}`),
    get(`?prefix=none-@${format}`),
    get(`?prefix=list-@&limit=0${format}`),
    get(`?prefix=list-@&marker=a${format}`),
    get(`?marker=zzz${format}`),
    get(`?prefix=list-@&end_marker=zzz${format}`),
    get(`?end_marker=a${format}`),
    get(`?prefix=list-@&limit=x${format}`),
    get(`?limit=10001${format}`),
    get(`?prefix=list-@&reverse=true${format}`),
  ]),

  // Containers
  put('/c-@', '', { 'x-container-meta-color': 'red', 'x-container-meta-empty': '' }),
  head('/c-@'),
  put('/c-@', '', { 'x-container-meta-color': 'blue' }),
  post('/c-@', { 'x-container-meta-size': 'xl', 'x-remove-container-meta-color': 'x' }),
  head('/c-@'),
  post('/c-@', { 'x-container-read': '.r:*,.rlistings' }),
  head('/c-@'),
  get('/c-@', { anonymous: true }),
  get('/c-@/', { anonymous: true }),
  post('/c-@', { 'x-container-meta-quota-count': '50' }),
  head('/c-@', { differs: QUOTA_SHOWN }),
  get('/none-@'),
  head('/none-@'),
  remove('/none-@'),
  post('/none-@', { 'x-container-meta-a': 'b' }),
  put('/.dot-@'),
  put(`/${'l'.repeat(300)}@`),
  remove('/list-@'),

  // Objects
  put('/c-@/o', 'some text', { 'x-object-meta-color': 'red', 'content-disposition': 'inline' }),
  get('/c-@/o'),
  head('/c-@/o'),
  get('/c-@/o', { headers: { range: 'bytes=2-4' } }),
  get('/c-@/o', { headers: { range: 'bytes=-3' } }),
  get('/c-@/o', { headers: { range: 'bytes=50-' } }),
  get('/c-@/o', { headers: { 'if-none-match': md5('some text') } }),
  get('/c-@/o', { headers: { 'if-match': md5('other') } }),
  get('/c-@/o', { headers: { 'if-match': md5('some text') } }),
  get('/c-@/none'),
  head('/c-@/none'),
  remove('/c-@/none'),
  post('/c-@/none', { 'x-object-meta-a': 'b' }),
  post('/c-@/o', { 'x-object-meta-size': 'xl' }),
  head('/c-@/o'),
  put('/c-@/bad', 'x', { etag: md5('y') }),
  put('/c-@/good', 'x', { etag: md5('x') }),
  put('/none-@/o', 'x'),
  put('/c-@/page.html', '<p>', { 'content-type': '' }),
  head('/c-@/page.html'),
  step('PUT', '/c-@/bare'),
  ...['', '&format=json', '&format=xml'].map((format) => get(`/c-@?prefix=bare${format}`, { differs: QUOTA_SHOWN })),
  step('COPY', '/c-@/o', { headers: { destination: 'c-@/copy' } }),
  head('/c-@/copy'),
  put('/c-@/from', '', { 'x-copy-from': '/c-@/o', 'x-object-meta-new': 'y' }),
  head('/c-@/from'),
  step('COPY', '/c-@/none', { headers: { destination: 'c-@/copy' } }),
  step('COPY', '/c-@/o', { headers: { destination: 'none-@/copy' } }),
  step('COPY', '/c-@/o', {}),
  put('/c-@/fresh', '', { 'x-copy-from': '/c-@/o', 'x-fresh-metadata': 'true', 'x-object-meta-only': 'z' }),
  head('/c-@/fresh'),

  // Ends of objects
  put('/end-@'),
  put('/end-@/o', 'x', { 'x-delete-at': '4000000000' }),
  head('/end-@/o'),
  post('/end-@/o', { 'x-object-meta-a': 'b' }),
  head('/end-@/o'),
  post('/end-@/o', { 'x-delete-at': '4000000001' }),
  head('/end-@/o'),
  step('COPY', '/end-@/o', { headers: { destination: 'end-@/copy' } }),
  head('/end-@/copy'),
  step('COPY', '/end-@/o', { headers: { destination: 'end-@/copy', 'x-delete-at': '4000000002' } }),
  head('/end-@/copy'),
  ...['1', 'soon', '12.5', ' 4000000000'].map((at) => put('/end-@/bad', 'x', { 'x-delete-at': at })),
  step('PUT', '/end-@/bad', {
    headers: { 'x-delete-at': '-5' },
    body: 'x',
    differs: { in: ['status'], because: 'radosgw takes a time before 1970 for one far ahead' },
  }),
  ...['-5', 'soon', '12.5', '0'].map((after) => put('/end-@/bad', 'x', { 'x-delete-after': after })),
  put('/end-@/bad', 'x', { 'x-delete-at': '' }),
  post('/end-@/o', { 'x-delete-at': '1' }),
  remove('/end-@/o'),

  // What is overwritten
  put('/was-@'),
  put('/ver-@', '', { 'x-versions-location': 'was-@' }),
  head('/ver-@'),
  put('/ver-@/_o', 'one', { 'x-object-meta-color': 'red' }),
  put('/ver-@/_o', 'two'),
  step('COPY', '/list-@/a', { headers: { destination: 'ver-@/_o' } }),
  get('/was-@'),
  remove('/ver-@/_o'),
  get('/ver-@/_o'),
  remove('/ver-@/_o'),
  get('/ver-@/_o'),
  get('/was-@'),
  remove('/ver-@/_o'),
  remove('/ver-@/_o'),
  post('/ver-@', { 'x-versions-location': 'none-@' }),
  put('/ver-@/new', 'one'),
  put('/ver-@/new', 'two'),
  remove('/ver-@/new'),
  post('/ver-@', { 'x-remove-versions-location': 'x' }),
  head('/ver-@'),
  put('/ver-@/new', 'two'),

  // Segments
  put('/seg-@'),
  put('/seg-@/s/1', 'abc'),
  put('/seg-@/s/2', 'defg'),
  put('/seg-@/dynamic', '', { 'x-object-manifest': 'seg-@/s/' }),
  get('/seg-@/dynamic'),
  head('/seg-@/dynamic'),
  step('PUT', '/seg-@/static?multipart-manifest=put', {
    body: JSON.stringify([
      { path: '/seg-@/s/1', etag: md5('abc'), size_bytes: 3 },
      { path: '/seg-@/s/2', etag: md5('defg'), size_bytes: 4 },
    ]),
  }),
  get('/seg-@/static'),
  head('/seg-@/static'),
  get('/seg-@/static?multipart-manifest=get', {
    differs: {
      in: [
        ...['body', 'content-length', 'content-type', 'etag', 'last-modified', 'x-timestamp'],
        'x-object-meta-static-large-object',
      ],
      because: 'radosgw does not keep the list that was given',
    },
  }),
  remove('/seg-@/static?multipart-manifest=delete'),
  get('/seg-@'),

  // Web sites
  put('/web-@', '', { 'x-container-meta-web-index': 'index.html' }),
  head('/web-@'),
  ...(
    [
      ['index.html', 'text/html', '<i>'],
      ['404error.html', 'text/html', '<404>'],
      ['o.txt', 'text/plain', 'o'],
      ['dir', 'application/directory', ''],
      ['dir/index.html', 'text/html', '<dir>'],
      ['dir/<b> &', 'text/plain', 'ab'],
      ['sub', 'application/directory', ''],
      ['sub/deep/z', 'text/plain', 'z'],
      ['marked', 'text/x-dir', ''],
      ['marked/x', 'text/plain', 'x'],
    ] as const
  ).map(([name, type, body]) =>
    put(`/web-@/${name.split('/').map(encodeURIComponent).join('/')}`, body, { 'content-type': type }),
  ),
  ...pages(),
  post('/web-@', { 'x-container-read': '.r:*,.rlistings' }),
  ...pages(),
  post('/web-@', { 'x-container-meta-web-error': 'error.html' }),
  ...pages(),
  post('/web-@', { 'x-remove-container-meta-web-index': 'x', 'x-container-meta-web-listings': 'TRUE' }),
  head('/web-@'),
  ...pages(['/', '/dir/', '/sub/']),
  post('/web-@', {
    'x-container-meta-web-listings-css': 'a/b.css',
    'x-container-meta-web-directory-type': 'text/x-dir',
  }),
  head('/web-@'),
  ...pages(['/', '/marked/']),
  post('/web-@', { 'x-container-meta-web-listings': 'false', 'x-container-meta-web-error': '' }),
  head('/web-@'),

  // Who may in an account
  ...['{', '[]', '{"read-only":"bob"}', '{"none":["bob"]}'].map((acl) => post('', { 'x-account-access-control': acl })),
  head(''),
  post('', { 'x-account-access-control': '{"admin":["d"],"read-only":["a",".r:*"],"read-write":["c","b$x"]}' }),
  head(''),
  post('', { 'x-account-access-control': '' }),
  post('', { 'x-account-access-control': '{}' }),
  head(''),
  post('', { 'x-account-meta-quota-bytes': '1000' }),

  // Bulk deletes
  put('/bulk-@'),
  put('/bulk-@/a', 'x'),
  put('/bulk-@/b c', 'x'),
  post('?bulk-delete', { 'content-type': 'text/plain' }, { body: 'bulk-@/a\n/bulk-@/b%20c\nbulk-@/none\nbulk-@\n' }),
  post('?bulk-delete', { 'content-type': 'text/plain', accept: 'application/json' }, { body: 'bulk-@/none\n' }),
  post('?bulk-delete', { 'content-type': 'text/plain' }, { body: '' }),
  remove('?bulk-delete', { headers: { 'content-type': 'text/plain' }, body: 'bulk-@/none' }),

  // What is not done
  step('PUT', ''),
  step('PATCH', '/c-@/o'),
  put('/c-@/link', '', { 'x-symlink-target': 'c-@/o' }),
  get('/c-@/link'),
  head('/c-@/link'),
  post('/c-@', { 'x-container-sync-to': '//realm/cluster/a/c', 'x-container-sync-key': 'k' }),
  post('/c-@', { 'x-versions-enabled': 'true' }),
  post('/c-@', { 'x-history-location': 'hist-@' }),
  head('/c-@', { differs: QUOTA_SHOWN }),
];
