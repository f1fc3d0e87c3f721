/** What is told of a request that is about many objects, as text, JSON or XML (bulkdelete_respond, rgw_rest_swift.cc). */
import { type Bytes, bytesFromRaw, type RawString, textFromRaw, utf8 } from '@spirula/encoding';
import type { HttpResponse } from '../http.ts';
import { element } from '../s3/xml-writer.ts';
import { type Format, TYPES } from './listing.ts';
import { statusLine } from './swift-error.ts';

/** Whoever makes more mistakes than this is told no more. */
export const MAX_FAILURES = 1000;

export interface BulkFailure {
  readonly name: RawString;
  readonly status: number;
}

export interface BulkResult {
  /** How many objects of which sort, under the names that answers have for them. */
  readonly counts: readonly (readonly [name: string, count: number])[];
  readonly failures: readonly BulkFailure[];
  readonly status: number;
  /** Why nothing was done; ''. */
  readonly problem: string;
}

/** The answer itself is always 200: how it went stands in its body. */
export function bulkResponse(format: Format, result: BulkResult): HttpResponse {
  return { status: 200, headers: [['Content-Type', TYPES[format]]], body: bodyOf(format, result) };
}

function bodyOf(format: Format, { counts, failures, status, problem }: BulkResult): Bytes {
  const fields = [...counts, ['Response Body', problem], ['Response Status', statusLine(status)]] as const;
  switch (format) {
    case 'json': {
      const errors = failures.map((failure) => [textFromRaw(failure.name), statusLine(failure.status)]);
      return utf8(JSON.stringify(Object.fromEntries<unknown>([...fields, ['Errors', errors]])));
    }
    case 'xml': {
      const errors = failures.map((failure) =>
        element('object', [element('name', failure.name), element('status', statusLine(failure.status))]),
      );
      const told = fields.map(([name, value]) => element(name.toLowerCase().replaceAll(' ', '_'), value));
      return bytesFromRaw(element('delete', [...told, element('errors', errors)]).xml);
    }
    default: {
      const lines = fields.map(([name, value]) => `${name}: ${value}\n`).join('');
      const errors = failures.map((failure) => `\n${failure.name}, ${statusLine(failure.status)}`).join('');
      return bytesFromRaw(`${lines}Errors: ${errors}`);
    }
  }
}
