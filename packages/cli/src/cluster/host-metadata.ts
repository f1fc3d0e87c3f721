/** What daemons say of the machine they run on, under the names that Ceph gives it (common/util.cc, collect_sys_info). */
import { readFileSync } from 'node:fs';
import { arch, cpus, hostname, release, totalmem, type, version } from 'node:os';

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'x86_64', arm64: 'aarch64', ia32: 'i686' };
const KIB = 1024;

export function hostMetadata(): ReadonlyMap<string, string> {
  const distribution = distributionOf(readText('/etc/os-release'));
  const swapKib = /^SwapTotal:\s+(\d+) kB$/m.exec(readText('/proc/meminfo'))?.[1];
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['arch', ARCHITECTURES[arch()] ?? arch()],
    ['cpu', cpus()[0]?.model],
    ['distro', distribution('ID')],
    ['distro_description', distribution('PRETTY_NAME')],
    ['distro_version', distribution('VERSION_ID')],
    ['hostname', hostname()],
    ['kernel_description', version()],
    ['kernel_version', release()],
    ['mem_swap_kb', swapKib],
    ['mem_total_kb', String(Math.floor(totalmem() / KIB))],
    ['os', type()],
  ];
  return new Map(facts.filter((fact): fact is [string, string] => fact[1] !== undefined));
}

/** Empty where the system has no such file. */
function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function distributionOf(text: string): (key: string) => string | undefined {
  return (key) => new RegExp(`^${key}="?([^"\n]*)"?$`, 'm').exec(text)?.[1];
}
