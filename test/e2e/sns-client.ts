/** SNS's API as its clients speak it, signed with version 4 for the service `sns`. */
import { createHash, createHmac } from 'node:crypto';
import type { S3Keys } from './s3-gateway.ts';

export interface SnsAnswer {
  readonly status: number;
  readonly body: string;
}

const REGION = 'us-east-1';

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

/** Sends `Action=…` with its parameters; `attributes` become `Attributes.entry.N.key` and `.value`. */
export async function sns(
  { endpoint, accessKey, secretKey }: S3Keys & { readonly endpoint: string },
  parameters: Readonly<Record<string, string>>,
  attributes: Readonly<Record<string, string>> = {},
): Promise<SnsAnswer> {
  const form = new URLSearchParams({ ...parameters, Version: '2010-03-31' });
  for (const [i, [key, value]] of Object.entries(attributes).entries()) {
    form.append(`Attributes.entry.${i + 1}.key`, key);
    form.append(`Attributes.entry.${i + 1}.value`, value);
  }
  const body = form.toString();
  const { host } = new URL(endpoint);
  const date = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  const scope = `${date.slice(0, 8)}/${REGION}/sns/aws4_request`;
  const hash = createHash('sha256').update(body).digest('hex');
  const canonical = `POST\n/\n\nhost:${host}\nx-amz-date:${date}\n\nhost;x-amz-date\n${hash}`;
  const toSign = `AWS4-HMAC-SHA256\n${date}\n${scope}\n${createHash('sha256').update(canonical).digest('hex')}`;
  const key = [REGION, 'sns', 'aws4_request'].reduce(hmac, hmac(`AWS4${secretKey}`, date.slice(0, 8)));
  const signature = createHmac('sha256', key).update(toSign).digest('hex');
  const answer = await fetch(endpoint, {
    method: 'POST',
    body,
    headers: {
      'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
      'x-amz-date': date,
      authorization: `AWS4-HMAC-SHA256 Credential=${accessKey}/${scope}, SignedHeaders=host;x-amz-date, Signature=${signature}`,
    },
  });
  return { status: answer.status, body: await answer.text() };
}
