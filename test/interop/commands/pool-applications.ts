import type { Topic } from './topic.ts';

const POOL = 'applied';
const application = (words: string) => `osd pool application ${words}`;
const long = 'k'.repeat(129);

export const poolApplications: Topic = {
  name: 'pool applications',
  steps: [
    `osd pool create ${POOL} 1`,
    ...[
      `set ${POOL} rbd k v`,
      `enable ${POOL} rbd`,
      `set ${POOL} rbd k v`,
      `set ${POOL} rbd k w`,
      `set ${POOL} nosuch k v`,
      'set nosuch rbd k v',
      `get ${POOL}`,
      `get ${POOL} -f json`,
      `get ${POOL} rbd`,
      `get ${POOL} rbd k`,
      `get ${POOL} rbd nosuch`,
      `get ${POOL} nosuch`,
      'get nosuch',
      `rm ${POOL} rbd nosuch`,
      `rm ${POOL} nosuch k`,
      'rm nosuch rbd k',
      `set ${POOL} rbd ${long} v`,
      `set ${POOL} rbd k ${long}`,
      `rm ${POOL} rbd k`,
      `get ${POOL} -f json`,
      `enable ${POOL} a`,
      ...['a', 'b', 'c', 'd', 'rbd'].map((app) => `enable ${POOL} ${app} --yes-i-really-mean-it`),
      'enable nosuch a',
      `disable ${POOL} a`,
      `disable ${POOL} a --yes-i-really-mean-it`,
      `disable ${POOL} nosuch --yes-i-really-mean-it`,
      `get ${POOL} -f json`,
    ].map(application),
  ],
};
