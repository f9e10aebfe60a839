import { createHash, timingSafeEqual } from "node:crypto";
import { extension, type Lifecycle } from "../../pipeline/component.ts";
import type { ExtensionHost } from "../../pipeline/host.ts";
import type {
  AuthVerdict,
  ClientAuthenticator,
  CredentialSource,
  OutgoingRequest,
  ServerAuthenticator,
} from "../../pipeline/net/auth.ts";
import { CredentialFile } from "../../pipeline/net/credential_file.ts";
import { type BearerTokenConfig, config } from "./config.ts";

export default extension({
  type: "bearertokenauth",
  stability: "beta",
  summary: "Lets in who shows a token, or sends a token with every request.",
  config,
  perWorker: true,
  examples: [
    { title: "One token, for servers and exporters", yaml: "bearertokenauth: { token: secret }" },
    { title: "The tokens of a file, which may change", yaml: "bearertokenauth: { filename: /run/secrets/tokens }" },
    {
      title: "A key in a header of its own",
      yaml: 'bearertokenauth: { header: X-API-Key, scheme: "", token: secret }',
    },
  ],
  roles: () => ["server authenticator", "HTTP client authenticator", "gRPC client authenticator"],
  create: (settings, host) => new BearerTokenAuth(settings, host),
});

class BearerTokenAuth implements Lifecycle, ServerAuthenticator, ClientAuthenticator {
  readonly needsTls = true;
  readonly #settings: BearerTokenConfig;
  readonly #host: ExtensionHost;
  readonly #file: CredentialFile | undefined;
  #values: readonly string[] = [];
  #digests: readonly Buffer[] = [];
  #stopWaiting: () => void = () => {};

  constructor(settings: BearerTokenConfig, host: ExtensionHost) {
    this.#settings = settings;
    this.#host = host;
    const { token, tokens, filename } = settings;
    if (tokens.length > 0) this.#take(tokens);
    else if (filename === "") this.#take([token]);
    else this.#file = new CredentialFile(filename, host, (text) => this.#refresh(text));
  }

  async start(): Promise<void> {
    const { token, filename, retry_on_failure, wait_for_token_file } = this.#settings;
    const { logger } = this.#host;
    if (this.#file === undefined) return;
    if (token !== "") logger.warn({ filename }, "a filename is specified. Configured token(s) is ignored!");
    try {
      this.#file.open();
    } catch (error) {
      if (wait_for_token_file) await this.#waitForFile(this.#file);
      else if (!retry_on_failure.enabled) logger.error({ error }, "failed to start token resolver");
    }
  }

  async stop(): Promise<void> {
    this.#stopWaiting();
  }

  /** @throws {Error} when the file is not there after the last retry. */
  async #waitForFile(file: CredentialFile): Promise<void> {
    const { filename, retry_on_failure } = this.#settings;
    const { max_retries, interval } = retry_on_failure;
    const last = max_retries > 0 ? max_retries : Number.POSITIVE_INFINITY;
    for (let attempt = 1; attempt <= last; attempt++) {
      const fields = { file: filename, attempt, next_attempt_in: interval / 1_000 };
      this.#host.logger.warn(fields, "retrying to read credentials file");
      if (!(await this.#hasWaited(interval))) return;
      try {
        file.open();
        return;
      } catch {} // the next attempt may do better, and the last one is told
    }
    const name = JSON.stringify(filename);
    throw new Error(`failed to read credentials file ${name} after reaching out max number of retries`);
  }

  /** Waits, and says whether that was to its end: stopping ends it earlier. */
  #hasWaited(delayMs: number): Promise<boolean> {
    const { clock } = this.#host;
    return new Promise((resolve) => {
      const timer = clock.setTimer(() => resolve(true), delayMs);
      this.#stopWaiting = () => {
        clock.clearTimer(timer);
        resolve(false);
      };
    });
  }

  #refresh(text: string): void {
    if (this.#values.length > 0) this.#host.logger.info({ filename: this.#settings.filename }, "refresh token");
    this.#take(
      text
        .split("\n")
        .flatMap((line) => line.trim().split(/\s+/, 1))
        .filter((token) => token !== ""),
    );
  }

  #take(tokens: readonly string[]): void {
    const { scheme } = this.#settings;
    this.#values = tokens.map((token) => (scheme === "" ? token : `${scheme} ${token}`));
    this.#digests = this.#values.map(digest);
  }

  /** Has the file looked at, if there is one. */
  #look(): void {
    void this.#file?.value;
  }

  authenticate(source: CredentialSource): AuthVerdict {
    this.#look();
    const { header } = this.#settings;
    const [shown] = source.values(header);
    if (shown === undefined) return { accepted: false, reason: `missing or empty authorization header: ${header}` };
    const seen = digest(shown);
    if (this.#digests.some((each) => timingSafeEqual(each, seen))) return { accepted: true };
    return { accepted: false, reason: "provided authorization does not match expected scheme or token" };
  }

  authorize({ headers }: OutgoingRequest): Record<string, string> {
    this.#look();
    const [value] = this.#values;
    if (value === undefined) throw new Error(`no token in ${this.#settings.filename} yet`);
    return { ...headers, [this.#settings.header.toLowerCase()]: value };
  }
}

/** Digests are of one length, so that comparing them tells nothing about a token. */
function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
