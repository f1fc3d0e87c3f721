export { RbdSupport, type RbdSupportOptions } from './rbd-support.ts';
