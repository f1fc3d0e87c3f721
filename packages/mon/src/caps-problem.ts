import { checkMdsCaps, MalformedCaps, MgrCaps, MonCaps, OsdCaps } from '@spirula/auth';

/** Why capabilities would not be accepted, in Ceph's words; undefined when they are. */
export function problemOfCaps(service: string, caps: string): string | undefined {
  try {
    if (service === 'mon') MonCaps.parse(caps, { type: 'client', id: '' });
    else if (service === 'mgr') MgrCaps.parse(caps);
    else if (service === 'osd') OsdCaps.parse(caps);
    else if (service === 'mds') checkMdsCaps(caps);
    else return `unknown cap type '${service}'`;
    return undefined;
  } catch (error) {
    if (!(error instanceof MalformedCaps)) throw error;
    return error.message;
  }
}
