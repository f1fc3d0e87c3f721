/** Our `rbd`, which dies on the way. */
import { tmpdir } from 'node:os';
import { OsdFlag } from '@spirula/messages';
import { type Connect, connectByConf } from '../../packages/cli/src/ceph/connect.ts';
import { rbd } from '../../packages/cli/src/rbd.ts';

/** It dies before so many writes. @returns false: it was done before */
export async function runAndDie(conf: string, words: readonly string[], write: number): Promise<boolean> {
  let writes = 0;
  let die = () => {};
  const died = new Promise<void>((resolve) => {
    die = resolve;
  });
  const connect: Connect = async (...how) => {
    const connection = await connectByConf(...how);
    const { objecter } = connection.rados;
    const submit = objecter.submit.bind(objecter);
    objecter.submit = (request, onReply) => {
      if ((request.flags & OsdFlag.write) !== 0 && ++writes === write) {
        connection.close().then(die, die);
      }
      // It hears of nothing more.
      return writes < write ? submit(request, onReply) : 0n;
    };
    return connection;
  };
  const env = { stdout: () => {}, stderr: () => {}, dir: tmpdir() };
  await Promise.race([rbd(['-c', conf, ...words], env, connect), died]);
  return writes >= write;
}
