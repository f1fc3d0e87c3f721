import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What of a record of an event tests look at. */
export interface ReceivedEvent {
  readonly eventName: string;
  readonly eventTime: string;
  readonly userIdentity: { readonly principalId: string };
  readonly responseElements: Readonly<Record<string, string>>;
  readonly s3: {
    readonly configurationId: string;
    readonly bucket: {
      readonly name: string;
      readonly arn: string;
      readonly ownerIdentity: { readonly principalId: string };
    };
    readonly object: {
      readonly key: string;
      readonly size: number;
      readonly eTag: string;
      readonly versionId: string;
      readonly sequencer: string;
      readonly metadata: readonly { readonly key: string; readonly val: string }[];
      readonly tags: readonly { readonly key: string; readonly val: string }[];
    };
  };
  readonly eventId: string;
  readonly opaqueData: string;
}

/** A server that events are pushed to. */
export class EventReceiver {
  readonly events: ReceivedEvent[] = [];
  /** What it answers. */
  status = 200;
  readonly #server: Server;

  private constructor() {
    this.#server = createServer(async (request, response) => {
      const pieces: Buffer[] = [];
      for await (const piece of request) pieces.push(piece);
      const { Records } = JSON.parse(Buffer.concat(pieces).toString()) as { Records: ReceivedEvent[] };
      if (this.status === 200) this.events.push(...Records);
      response.writeHead(this.status).end();
    });
  }

  static async listen(): Promise<EventReceiver> {
    const receiver = new EventReceiver();
    await new Promise<void>((resolve) => receiver.#server.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/events`;
  }

  /** What has come since the last ask. */
  take(): ReceivedEvent[] {
    return this.events.splice(0);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
