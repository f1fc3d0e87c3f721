export type { LingerOps, LingerTarget, Notification, NotifyCall, NotifyDone, WatchRequest } from './linger-ops.ts';
export { ALL_NAMESPACES, type ListedObject, type ListPage, listObjects } from './object-lister.ts';
export { failedReply, type ObjectReply, type ObjectRequest } from './object-request.ts';
export { type MapSource, Objecter, type ObjecterOptions } from './objecter.ts';
