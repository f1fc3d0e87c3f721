import type { Plugin } from 'esbuild';

export function buildAll(options?: {
  readonly types?: boolean;
  readonly outdir?: string;
  readonly plugins?: readonly Plugin[];
}): Promise<void>;
