import type { SourcePlace } from './source-text.ts';

/** Text that is no CRUSH map. The message is what Ceph's compiler says, which may be nothing. */
export class CrushTextError extends Error {
  /** Where the text cannot be read; undefined when it can, but what it says is wrong. */
  readonly place: SourcePlace | undefined;

  constructor(message: string, place?: SourcePlace) {
    super(message);
    this.place = place;
  }
}
