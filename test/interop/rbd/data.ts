import { quiet, STATE, type Step, type Topic } from './topic.ts';

/** Bytes that differ, and repeat no sooner than after 256 KiB. */
function patterned(bytes: number): string {
  let text = '';
  for (let i = 0; text.length < bytes; i++) text += `${i.toString(36)}.`;
  return text.slice(0, bytes);
}

const importing = (words: string, bytes: number): Step => ({
  line: `rbd import --no-progress ${words}`,
  input: patterned(bytes),
});
const qemuIo = (image: string, ...commands: string[]) =>
  quiet(`qemu-io -f raw ${commands.map((command) => `-c "${command}"`).join(' ')} rbd:POOL/${image}`);
const same = (image: string) => [`rbd export --no-progress POOL/${image} out`, 'digest out', quiet('rm -f out')];

export const data: Topic = {
  name: 'data of images',
  steps: [
    importing('- POOL/a --object-size 1M', 5_000_000),
    'rbd info POOL/a',
    ...same('a'),
    'rbd diff POOL/a',
    'rbd diff POOL/a --whole-object --format json',
    'rbd du POOL/a',
    'rbd snap create POOL/a@one --no-progress',
    qemuIo('a', 'write -P 7 100000 200000', 'write -z 1M 1M', 'discard 2M 1M', 'write -P 9 4500000 4096', 'flush'),
    quiet('qemu-io -f raw -c "read -P 7 100000 200000" -c "read -P 0 1M 2M" -r rbd:POOL/a'),
    ...same('a'),
    'rbd diff POOL/a',
    'rbd diff POOL/a --from-snap one',
    'rbd diff POOL/a --from-snap nosuch',
    'rbd diff POOL/a@one',
    'rbd snap create POOL/a@two --no-progress',
    qemuIo('a', 'write -P 3 0 65536', 'discard 3M 1M', 'flush'),
    'rbd diff POOL/a --from-snap one --format json',
    'rbd diff POOL/a@two --from-snap one --format json',
    'rbd du POOL/a',
    'rbd du POOL/a --exact',
    ...same('a@one'),
    ...same('a@two'),
    ...same('a'),
    STATE,

    'rbd export-diff --no-progress POOL/a@one full.diff',
    'rbd export-diff --no-progress --from-snap one POOL/a@two one-two.diff',
    'rbd export-diff --no-progress --from-snap two POOL/a two-head.diff',
    'rbd merge-diff --no-progress one-two.diff two-head.diff one-head.diff',
    'digest one-two.diff',
    'digest one-head.diff',
    'rbd create POOL/b --size 5000000B --object-size 1M',
    'rbd import-diff --no-progress one-two.diff POOL/b',
    'rbd import-diff --no-progress full.diff POOL/b',
    'rbd import-diff --no-progress one-two.diff POOL/b',
    'rbd import-diff --no-progress two-head.diff POOL/b',
    'rbd snap ls POOL/b --format json',
    ...same('b'),
    ...same('b@one'),
    'rbd export --no-progress --export-format 2 POOL/a a.v2',
    'rbd import --no-progress --export-format 2 a.v2 POOL/c',
    'rbd snap ls POOL/c',
    ...same('c@one'),
    ...same('c'),

    'rbd cp --no-progress POOL/a POOL/copied',
    'rbd cp --no-progress POOL/a POOL/copied',
    'rbd deep cp --no-progress POOL/a POOL/deep',
    'rbd snap ls POOL/deep',
    ...same('copied'),
    ...same('deep'),
    ...same('deep@one'),
    STATE,

    'rbd sparsify --no-progress POOL/copied',
    'rbd sparsify --no-progress --sparse-size 4096 POOL/copied',
    ...same('copied'),
    'rbd resize --no-progress POOL/copied --size 1500000B --allow-shrink',
    'rbd resize --no-progress POOL/copied --size 5000000B',
    ...same('copied'),
    STATE,

    ...['read', 'write', 'readwrite'].map((kind) =>
      quiet(`rbd bench POOL/copied --io-type ${kind} --io-size 16384 --io-total 1M --io-pattern rand`),
    ),
    'rbd bench POOL/nosuch --io-type read --io-total 1M',
    ...['a', 'b', 'c', 'deep'].map((name) => `rbd snap purge --no-progress POOL/${name}`),
    ...['a', 'b', 'c', 'copied', 'deep'].map((name) => `rbd rm --no-progress POOL/${name}`),
    STATE,
  ],
};

export const qemu: Topic = {
  name: 'qemu-img, qemu-io and fio',
  steps: [
    quiet('truncate -s 8M disk'),
    qemuFile('write -P 5 1M 1M', 'write -P 6 5000000 70000'),
    'qemu-img create -f raw rbd:POOL/made 8M',
    'qemu-img create -f raw rbd:POOL/made 8M',
    'qemu-img convert -n -f raw -O raw disk rbd:POOL/made',
    'qemu-img convert -f raw -O raw disk rbd:POOL/converted',
    'qemu-img compare -f raw disk rbd:POOL/converted',
    'qemu-img compare -f raw rbd:POOL/made rbd:POOL/converted',
    'qemu-img info --output=json rbd:POOL/converted',
    'qemu-img map --output=json rbd:POOL/converted',
    'rbd diff POOL/converted',
    'qemu-img snapshot -c snap rbd:POOL/converted',
    'rbd snap ls POOL/converted',
    qemuIo('converted', 'write -P 1 0 512', 'write -P 2 8388096 512', 'flush'),
    'qemu-img compare -f raw disk rbd:POOL/converted',
    'qemu-img snapshot -a snap rbd:POOL/converted',
    'qemu-img compare -f raw disk rbd:POOL/converted',
    'qemu-img snapshot -d snap rbd:POOL/converted',
    'qemu-img resize -f raw rbd:POOL/converted 16M',
    'qemu-img resize -f raw --shrink rbd:POOL/converted 4M',
    'qemu-img convert -f raw -O qcow2 rbd:POOL/converted copy.qcow2',
    'qemu-img compare rbd:POOL/converted copy.qcow2',
    'qemu-img convert -f raw -O qcow2 disk rbd:POOL/qcow',
    'qemu-img info rbd:POOL/nosuch',
    quiet('qemu-img bench -w -c 200 -s 4096 -f raw rbd:POOL/made'),
    'rbd ls POOL',
    'rbd create POOL/fio --size 16M',
    quiet(
      'fio --name=verify --ioengine=rbd --clientname=admin --pool=POOL --rbdname=fio --rw=randwrite --bs=16k --size=4M --verify=crc32c --do_verify=1',
    ),
    ...['made', 'converted', 'fio'].map((name) => `rbd rm --no-progress POOL/${name}`),
    STATE,
  ],
};

function qemuFile(...commands: string[]): Step {
  return quiet(`qemu-io -f raw ${commands.map((command) => `-c "${command}"`).join(' ')} disk`);
}
