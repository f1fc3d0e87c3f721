import { invalid } from './refusal.ts';

export interface ImageSpec {
  readonly pool: string;
  readonly namespace: string;
  /** Name, or in the trash the id. */
  readonly image: string;
}

/** rbd_default_pool */
const DEFAULT_POOL = 'rbd';

/** `[POOL/[NAMESPACE/]]IMAGE` (TaskHandler.extract_image_spec). @throws Refusal */
export function parseImageSpec(text: string): ImageSpec {
  const match = /^(?:([^/]+)\/(?:([^/]+)\/)?)?([^/@]+)$/.exec(text);
  if (!match) throw invalid(`Invalid image spec: ${text}`);
  return { pool: match[1] ?? DEFAULT_POOL, namespace: match[2] ?? '', image: match[3]! };
}

export function formatImageSpec({ pool, namespace, image }: ImageSpec): string {
  return [pool, namespace, image].filter((part) => part !== '').join('/');
}
