import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Lifecycle } from "../../pipeline/component.ts";
import { neverAborted } from "../../pipeline/delivery.ts";
import { messageOf } from "../../pipeline/error_text.ts";
import type { ExtensionHost } from "../../pipeline/host.ts";
import type { AuthVerdict, CredentialSource, ServerAuthenticator } from "../../pipeline/net/auth.ts";
import { ColdWorker } from "../../pipeline/process/cold_worker.ts";
import { checkingPasswords } from "./checking_passwords.ts";
import type { BasicAuthConfig } from "./config.ts";
import { isSlow, matchesAtOnce } from "./encodings.ts";
import { parseBasic } from "./header.ts";
import { readUsers } from "./htpasswd.ts";

const wrong: AuthVerdict = { accepted: false, reason: "invalid credentials" };

/**
 * Lets in who knows a password. What is slow to check (that is what such encodings are for: a bcrypt of cost 10 takes
 * 60 ms) is checked in a thread of its own, and a password that was right is remembered, as a keyed digest, so that a
 * sender pays for it once.
 */
export class BasicAuthServer implements Lifecycle, ServerAuthenticator {
  readonly #settings: NonNullable<BasicAuthConfig["htpasswd"]>;
  readonly #host: ExtensionHost;
  readonly #key = randomBytes(32);
  readonly #right = new Map<string, Buffer>();
  #users: ReadonlyMap<string, string> = new Map();
  #worker: ReturnType<typeof makeWorker> | undefined;

  constructor(settings: NonNullable<BasicAuthConfig["htpasswd"]>, host: ExtensionHost) {
    this.#settings = settings;
    this.#host = host;
  }

  async start(): Promise<void> {
    const { file, inline } = this.#settings;
    const { users, unreadable } = readUsers(`${file === "" ? "" : readHtpasswd(file)}\n${inline}`);
    this.#users = users;
    this.#right.clear();
    if (unreadable === 0) return;
    this.#host.logger.warn({ lines: unreadable }, "Some lines of htpasswd are not user:password and are left out.");
  }

  async stop(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.close();
  }

  authenticate(source: CredentialSource): AuthVerdict | Promise<AuthVerdict> {
    const parsed = parseBasic(source.values("authorization")[0] ?? "");
    if ("problem" in parsed) return { accepted: false, reason: parsed.problem };
    const { username, password, raw } = parsed;
    const encoded = this.#users.get(username);
    if (encoded === undefined) return wrong;
    const accepted: AuthVerdict = {
      accepted: true,
      auth: new Map([
        ["username", username],
        ["raw", raw],
      ]),
    };
    if (!isSlow(encoded)) return matchesAtOnce(password, encoded) ? accepted : wrong;
    const digest = createHmac("sha256", this.#key).update(password).digest();
    const known = this.#right.get(username);
    if (known !== undefined && timingSafeEqual(known, digest)) return accepted;
    this.#worker ??= makeWorker();
    return this.#worker.perform({ password, encoded }, neverAborted).then(
      (matches) => {
        if (matches) this.#right.set(username, digest);
        return matches ? accepted : wrong;
      },
      () => ({ accepted: false, reason: "too many passwords are being checked", comeBack: true }),
    );
  }
}

function makeWorker() {
  return new ColdWorker(checkingPasswords());
}

function readHtpasswd(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new Error(`open htpasswd file: ${messageOf(cause)}`, { cause });
  }
}
