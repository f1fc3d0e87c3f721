export { archives } from './archives.ts';
export { type HttpHandler, type RgwHttp, type RgwHttpOptions, serveRgwHttp } from './rgw-http.ts';
