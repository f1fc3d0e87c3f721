export { type MgrHttp, type MgrHttpOptions, serveMgrHttp } from './mgr-http.ts';
