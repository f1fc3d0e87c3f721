export { LogClient } from './log-client.ts';
export { type CommandResult, MonClient, type MonClientOptions, type VersionResult } from './mon-client.ts';
