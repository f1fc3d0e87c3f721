export { archives } from './archives.ts';
export { decompression } from './decompression.ts';
export { type HttpHandler, type RgwHttp, type RgwHttpOptions, serveRgwHttp } from './rgw-http.ts';
