import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { S3Client } from '@aws-sdk/client-s3';

const run = promisify(execFile);
const spirulaPath = fileURLToPath(new URL('../../packages/cli/bin/spirula.mjs', import.meta.url));
const START_TIMEOUT_MS = 180_000;

export interface S3Gateway extends S3Keys {
  /** `http://127.0.0.1:7480` */
  readonly endpoint: string;
  /** A folder for what the client keeps; it goes with the gateway. */
  readonly folder: string;
  /** The program, and the configuration of the cluster, for whoever looks at what is stored. */
  readonly spirula: string;
  readonly conf: string;
  /** Runs radosgw-admin: its answer, parsed; undefined: it says nothing. */
  admin(...args: string[]): Promise<unknown>;
  /** Makes another user. */
  createUser(uid: string): Promise<S3Keys>;
  stop(): Promise<void>;
}

export interface S3Keys {
  readonly accessKey: string;
  readonly secretKey: string;
}

/**
 * A cluster in memory with an object gateway, started as a user does.
 *
 * @param portBase of a file's own, so that files may run side by side; below those that the system gives to whoever dials (32768)
 * @param settings options of Ceph's, `name=value`
 */
export async function startS3Gateway(portBase: number, ...settings: readonly string[]): Promise<S3Gateway> {
  const folder = mkdtempSync(join(tmpdir(), 'spirula-s3-'));
  const dir = join(folder, 'cluster');
  const conf = join(dir, 'ceph.conf');
  const spirula = (...args: string[]) =>
    run(process.execPath, [spirulaPath, ...args, '--dir', dir], { timeout: START_TIMEOUT_MS });
  const size = ['--mons', '1', '--osds', '3', '--store', 'memory', ...settings.flatMap((each) => ['--set', each])];
  const { stdout } = await spirula('up', '--detach', '--port-base', String(portBase), ...size);
  const endpoint = /^s3\s+(http:\S+)/m.exec(stdout)?.[1];
  const credentials = readFileSync(join(dir, 'aws-credentials'), 'utf8');
  const [, accessKey] = /aws_access_key_id = (\S+)/.exec(credentials) ?? [];
  const [, secretKey] = /aws_secret_access_key = (\S+)/.exec(credentials) ?? [];
  if (!endpoint || !accessKey || !secretKey) throw new Error(`\`spirula up\` tells of no gateway:\n${stdout}`);
  const admin = async (...args: string[]) => {
    const words = [spirulaPath, 'radosgw-admin', '-c', conf, ...args];
    const answer = await run(process.execPath, words, { timeout: START_TIMEOUT_MS });
    return answer.stdout === '' ? undefined : JSON.parse(answer.stdout);
  };
  return {
    endpoint,
    accessKey,
    secretKey,
    folder,
    spirula: spirulaPath,
    conf,
    admin,
    async createUser(uid) {
      const made = (await admin('user', 'create', '--uid', uid, '--display-name', uid)) as {
        readonly keys: readonly { readonly access_key: string; readonly secret_key: string }[];
      };
      const [key] = made.keys;
      return { accessKey: key!.access_key, secretKey: key!.secret_key };
    },
    async stop() {
      await spirula('down');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A client of the gateway as its first user, or with other keys. It asks once. */
export function s3ClientOf({ endpoint, ...own }: S3Gateway, { accessKey, secretKey }: S3Keys = own): S3Client {
  return new S3Client({
    endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    maxAttempts: 1,
    credentials: { accessKeyId: accessKey, secretAccessKey: secretKey },
  });
}
