import type { Bytes } from '@spirula/encoding';
import type { HttpResponse } from '../http.ts';

/** The response; `then` is called once, with the bytes of the body that were sent, when it has been read or given up. */
export function whenSent(response: HttpResponse, then: (sent: number) => void): HttpResponse {
  const { body } = response;
  if (!(body instanceof Uint8Array)) return { ...response, body: counted(body, then) };
  then(body.length);
  return response;
}

async function* counted(body: AsyncIterable<Bytes>, then: (sent: number) => void): AsyncGenerator<Bytes> {
  let sent = 0;
  try {
    for await (const chunk of body) {
      sent += chunk.length;
      yield chunk;
    }
  } finally {
    then(sent);
  }
}
