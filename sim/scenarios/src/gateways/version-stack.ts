/** What an object with versions is: all of them, the newest first. */

export interface Version {
  /** MD5 of the bytes; of a delete marker a name that no other has. */
  readonly mark: string;
  readonly isMarker: boolean;
  readonly isNull: boolean;
}

export class Stack {
  readonly versions: readonly Version[];
  readonly key: string;

  constructor(versions: readonly Version[]) {
    this.versions = versions;
    this.key = versions.map(({ mark, isNull }) => mark + (isNull ? '!' : '')).join(' ');
  }

  get top(): Version | undefined {
    return this.versions[0];
  }

  with(version: Version): Stack {
    const kept = version.isNull ? this.versions.filter(({ isNull }) => !isNull) : this.versions;
    return new Stack([version, ...kept]);
  }

  /** A delete marker upon another changes nothing, as in radosgw; but version null may be made anew. */
  hidden(marker: Version): Stack {
    return this.top?.isMarker && !marker.isNull ? this : this.with(marker);
  }

  without(gone: (version: Version) => boolean): Stack {
    const kept = this.versions.filter((version) => !gone(version));
    return kept.length === this.versions.length ? this : new Stack(kept);
  }
}
