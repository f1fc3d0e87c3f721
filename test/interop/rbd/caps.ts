import { quiet, type Topic } from './topic.ts';

const user = (name: string, osd: string) =>
  quiet(
    `ceph auth get-or-create client.POOL${name} mon 'profile rbd' osd '${osd}' mgr 'profile rbd pool=POOL' -o ${name}.keyring`,
  );
const as = (name: string, words: string) => `rbd --id POOL${name} --keyring ${name}.keyring ${words}`;

export const caps: Topic = {
  name: 'who may do what with images',
  steps: [
    quiet('ceph osd pool create POOLother 8'),
    quiet('rbd pool init POOLother'),
    quiet('rbd namespace create POOL/one'),
    user('writer', 'profile rbd pool=POOL'),
    user('reader', 'profile rbd-read-only pool=POOL'),
    user('inside', 'profile rbd pool=POOL namespace=one'),
    quiet("ceph auth get-or-create client.POOLplain mon 'allow r' osd 'allow rw pool=POOL' -o plain.keyring"),
    as('writer', 'create POOL/a --size 8M'),
    quiet(as('writer', 'bench POOL/a --io-type write --io-size 65536 --io-total 1M --io-pattern seq')),
    as('writer', 'snap create POOL/a@s --no-progress'),
    as('writer', 'snap protect POOL/a@s'),
    as('writer', 'clone POOL/a@s POOL/c'),
    as('writer', 'info POOL/c'),
    as('writer', 'ls POOLother'),
    as('writer', 'create POOLother/a --size 8M'),
    as('writer', 'lock add POOL/a mine'),
    as('writer', 'namespace ls POOL'),
    as('reader', 'ls POOL'),
    as('reader', 'info POOL/c'),
    as('reader', 'export --no-progress POOL/a@s out'),
    'digest out',
    as('reader', 'create POOL/b --size 8M'),
    as('reader', 'snap create POOL/c@t --no-progress'),
    as('reader', 'rm POOL/c --no-progress'),
    as('reader', 'ls POOLother'),
    as('inside', 'ls POOL'),
    as('inside', 'create POOL/one/b --size 8M'),
    as('inside', 'ls POOL/one'),
    as('inside', 'create POOL/b --size 8M'),
    as('inside', 'rm POOL/one/b --no-progress'),
    as('plain', 'ls POOL'),
    as('plain', 'info POOL/c'),
    as('plain', 'create POOL/d --size 8M'),
    as('writer', 'flatten POOL/c --no-progress'),
    as('writer', 'rm POOL/c --no-progress'),
    as('writer', 'snap unprotect POOL/a@s'),
    as('writer', 'snap purge POOL/a --no-progress'),
    ...['writer', 'reader', 'inside', 'plain'].map((name) => quiet(`ceph auth rm client.POOL${name}`)),
  ],
};
