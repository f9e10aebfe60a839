import type { Lifecycle } from "../../pipeline/component.ts";
import type { ExtensionHost } from "../../pipeline/host.ts";
import type { ClientAuthenticator, OutgoingRequest } from "../../pipeline/net/auth.ts";
import { type Credential, credential } from "../../pipeline/net/credential_file.ts";
import type { BasicAuthConfig } from "./config.ts";

/** Sends a user's name and password with every request. */
export class BasicAuthClient implements Lifecycle, ClientAuthenticator {
  readonly needsTls = true;
  readonly #username: Credential;
  readonly #password: Credential;

  constructor(settings: NonNullable<BasicAuthConfig["client_auth"]>, host: ExtensionHost) {
    this.#username = credential(settings.username, settings.username_file, host);
    this.#password = credential(settings.password, settings.password_file, host);
  }

  async start(): Promise<void> {
    this.#username.open();
    this.#password.open();
  }

  authorize({ headers }: OutgoingRequest): Record<string, string> {
    const username = this.#username.value ?? "";
    if (username.includes(":")) throw new Error("invalid authorization format: a user's name has no colon");
    const pair = Buffer.from(`${username}:${this.#password.value ?? ""}`, "utf8");
    return { ...headers, authorization: `Basic ${pair.toString("base64")}` };
  }
}
