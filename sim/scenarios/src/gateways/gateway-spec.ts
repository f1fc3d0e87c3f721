/** Object gateways of a scenario, and what their clients do. */
import { z } from 'zod';

export const gatewaySchema = z.strictObject({
  count: z.int().min(1).max(5).default(2),
  /** Of each kind of work. */
  clients: z.int().min(1).max(20).default(4),
  /** `objects`: whole objects and uploads in parts; `versions`: versions and delete markers. */
  work: z
    .array(z.enum(['objects', 'versions']))
    .min(1)
    .default(['objects']),
  /** Whether it is changed again and again whether versions are kept. */
  suspends: z.boolean().default(false),
  /** Whether the indexes of buckets are resharded again and again, by a gateway beside the others. */
  reshards: z.boolean().default(false),
  /** Whether a bucket is removed and made again, again and again, while clients write into it. */
  removes: z.boolean().default(false),
  /** Whether gateways crash: then requests that they did not live to finish may leave something behind. */
  crash: z.boolean().default(true),
});

export type GatewaySpec = z.output<typeof gatewaySchema>;
