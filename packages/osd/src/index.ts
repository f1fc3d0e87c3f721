export type { OsdInspection, PgInspection } from './inspect.ts';
export { Osd, type OsdOptions } from './osd.ts';
