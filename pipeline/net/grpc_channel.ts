import type { SecureContext } from "node:tls";
import { type ChannelOptions, Client, credentials } from "@grpc/grpc-js";
import { codeMessages, type MessageCoding } from "./grpc_message_coding.ts";
import type { TlsClientSettings } from "./tls_settings.ts";

/** A client of the library that is closed once it is retired and its last call is over. */
export class GrpcChannel {
  readonly client: Client;
  /** What its connections are made with; undefined in clear text. */
  readonly context: SecureContext | undefined;
  #calls = 0;
  #isRetired = false;

  constructor(
    target: string,
    context: SecureContext | undefined,
    tls: Pick<TlsClientSettings, "insecure_skip_verify">,
    options: ChannelOptions,
    coding: MessageCoding,
  ) {
    this.context = context;
    const verify = { rejectUnauthorized: !tls.insecure_skip_verify };
    const channel =
      context === undefined ? credentials.createInsecure() : credentials.createFromSecureContext(context, verify);
    this.client = new Client(target, channel, options);
    codeMessages(this.client, coding);
    this.client.getChannel().getConnectivityState(true);
  }

  began(): void {
    this.#calls++;
  }

  ended(): void {
    this.#calls--;
    if (this.#isRetired && this.#calls === 0) this.client.close();
  }

  /** No more calls begin here. */
  retire(): void {
    this.#isRetired = true;
    if (this.#calls === 0) this.client.close();
  }
}
