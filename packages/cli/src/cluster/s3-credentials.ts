import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FIRST_SUBUSER, type FirstUser, randomUpper } from '@spirula/rgw';
import { nodeCrypto } from '@spirula/runtime-node';
import { explainSystemError, UserError } from './user-error.ts';

/** The user of the gateways whose keys are in the folder. */
const UID = 'spirula';
/** As AWS's. */
const ACCESS_KEY_LENGTH = 20;
const SECRET_BYTES = 30;
/** Who the user is for Swift, with the secret key as the key. */
export const SWIFT_USER = `${UID}:${FIRST_SUBUSER}`;
/** Nobody but the owner reads a key. */
const FILE_MODE = 0o600;

export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** In the form in which AWS's tools take it: AWS_SHARED_CREDENTIALS_FILE. */
export function s3CredentialsPath(dir: string): string {
  return join(dir, 'aws-credentials');
}

/** Draws the keys of a new cluster's first S3 user. */
export function createS3Credentials(dir: string): void {
  const text = `[default]
aws_access_key_id = ${randomUpper(nodeCrypto, ACCESS_KEY_LENGTH)}
aws_secret_access_key = ${randomBytes(SECRET_BYTES).toString('base64')}
`;
  try {
    writeFileSync(s3CredentialsPath(dir), text, { mode: FILE_MODE });
  } catch (error) {
    throw explainSystemError(error, dir);
  }
}

/** @throws UserError when the file is missing or does not say both keys. */
export function readS3Credentials(dir: string): S3Credentials {
  const path = s3CredentialsPath(dir);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw explainSystemError(error, path);
  }
  const keyOf = (name: string) => {
    const value = new RegExp(`^\\s*${name}\\s*=\\s*(\\S+)`, 'm').exec(text)?.[1];
    if (value === undefined) throw new UserError(`${path} has no ${name}.`);
    return value;
  };
  return { accessKeyId: keyOf('aws_access_key_id'), secretAccessKey: keyOf('aws_secret_access_key') };
}

/** The user that gateways make when there is none of this name. @throws UserError */
export function firstUser(dir: string): FirstUser {
  const { accessKeyId, secretAccessKey } = readS3Credentials(dir);
  return { uid: UID, displayName: UID, accessKey: accessKeyId, secret: secretAccessKey };
}
