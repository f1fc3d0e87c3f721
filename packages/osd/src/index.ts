export type { OsdInspection, PgInspection } from './inspect.ts';
export { readObjectInfo } from './object-part.ts';
export { Osd, type OsdOptions } from './osd.ts';
export { indexOfClones } from './snap-mapper.ts';
export { readSnapSet } from './snap-set.ts';
