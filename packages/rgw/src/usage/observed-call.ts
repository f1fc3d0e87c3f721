/** What is heard of a request while it is served: by who counts it, and by who logs it. */
import type { Bytes, RawString } from '@spirula/encoding';
import type { UserId } from '../formats/user-id.ts';

export interface CallSubject {
  /** What radosgw calls the operation. */
  readonly category: string;
  /** Undefined: nobody in particular. */
  readonly user: UserId | undefined;
  readonly tenant: RawString;
  /** '': none is named. */
  readonly bucket: RawString;
  readonly key?: RawString;
  /** Undefined: it was not signed by one. */
  readonly accessKey?: RawString | undefined;
}

export interface ObservedCall {
  /** Called when it is known who asks for what. Never rejects. */
  begin(subject: CallSubject): Promise<void>;
  /** The body, heard as it comes. */
  receive(body: AsyncIterable<Bytes>): AsyncGenerator<Bytes>;
  /** Called with the code of the error that answers it. */
  failed(code: RawString): void;
}

/** Undefined: nobody wants to hear of it. */
export function observedBy(...calls: readonly (ObservedCall | undefined)[]): ObservedCall | undefined {
  const [first, second] = calls.filter((call) => call !== undefined);
  if (!first || !second) return first;
  return {
    async begin(subject) {
      await Promise.all([first.begin(subject), second.begin(subject)]);
    },
    receive: (body) => second.receive(first.receive(body)),
    failed(code) {
      first.failed(code);
      second.failed(code);
    },
  };
}
