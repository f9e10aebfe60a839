import { type Answer, contentError } from "./answer.ts";
import type { Call, Client } from "./client.ts";
import { GraphistryError } from "./graphistry_error.ts";

/** How to log in. */
export type Credentials =
  | { readonly kind: "password"; readonly username: string; readonly password: string }
  | { readonly kind: "personal key"; readonly id: string; readonly secret: string };

const json = { "content-type": "application/json" };

/** Who is asking: logs in when it has to, keeps the token fresh, and puts it on every call. */
export class Session {
  readonly #client: Client;
  readonly #credentials: Credentials;
  readonly #organization: string | undefined;
  #token: string | undefined;

  /** @param organization its slug; the account's own when undefined */
  constructor(client: Client, credentials: Credentials, organization: string | undefined) {
    this.#client = client;
    this.#credentials = credentials;
    this.#organization = organization;
    client.hide(credentials.kind === "password" ? credentials.password : credentials.secret);
  }

  get client(): Client {
    return this.#client;
  }

  /** What says in a body to whom something belongs. */
  get owner(): { readonly org_name?: string } {
    return this.#organization === undefined ? {} : { org_name: this.#organization };
  }

  /** Has a token that is good for about an hour: the one there is, renewed, or a new one. */
  async open(signal: AbortSignal): Promise<void> {
    if (!(await this.#refresh(signal))) await this.#logIn(signal);
  }

  /** A call with the token. When the server does not take it any more, it is renewed, and then replaced, once. */
  async send(call: Call, signal: AbortSignal, takes: readonly number[] = []): Promise<Answer> {
    let answer = await this.#sendOnce(call, signal, takes);
    if (answer.status === 401 && (await this.#refresh(signal))) answer = await this.#sendOnce(call, signal, takes);
    if (answer.status !== 401) return answer;
    await this.#logIn(signal);
    answer = await this.#sendOnce(call, signal, takes);
    if (answer.status !== 401) return answer;
    const message = `Graphistry answered 401 to ${call.what} right after a login${answer.said}`;
    throw new GraphistryError(message, { status: 401 });
  }

  async #sendOnce(call: Call, signal: AbortSignal, takes: readonly number[]): Promise<Answer> {
    const headers = { ...call.headers, authorization: `Bearer ${this.#token}` };
    return await this.#client.send({ ...call, headers }, signal, [...takes, 401]);
  }

  /** Exchanges the token for a new one; false when there is none, or it has run out. */
  async #refresh(signal: AbortSignal): Promise<boolean> {
    if (this.#token === undefined) return false;
    const body = JSON.stringify({ token: this.#token });
    const call = { what: "the renewal of the token", path: "/api/v2/auth/token/refresh", body } as const;
    const answer = await this.#client.send({ ...call, method: "POST", headers: json }, signal, [400, 401, 403, 404]);
    const token = answer.status < 300 ? answer.body?.["token"] : undefined;
    if (typeof token !== "string" || token === "") {
      this.#token = undefined;
      return false;
    }
    await this.#take(token, signal);
    return true;
  }

  async #logIn(signal: AbortSignal): Promise<void> {
    this.#token = undefined;
    const { answer, namesOwner } = await this.#loginAnswer(signal);
    const token = answer.body?.["token"];
    if (typeof token !== "string" || token === "") throw contentError("the login", answer, "a token");
    if (this.#organization !== undefined && namesOwner) {
      checkOrganization(this.#organization, answer.body?.["active_organization"]);
    }
    await this.#take(token, signal);
  }

  async #loginAnswer(signal: AbortSignal): Promise<{ answer: Answer; namesOwner: boolean }> {
    const what = "the login";
    const credentials = this.#credentials;
    if (credentials.kind === "password") {
      const { username, password } = credentials;
      const body = JSON.stringify({ username, password, ...this.owner });
      const post = { what, method: "POST", path: "/api-token-auth/", headers: json, body } as const;
      return { answer: await this.#client.send(post, signal), namesOwner: true };
    }
    const path = "/api/v2/auth/pkey/jwt/";
    const authorization = `PersonalKey ${credentials.id}:${credentials.secret}`;
    const body = JSON.stringify(this.owner);
    const post = { what, method: "POST", path, headers: { ...json, authorization }, body } as const;
    const answer = await this.#client.send(post, signal, [405]);
    // Older servers know this login as a GET only, and a GET here has no body: the switch below then names the owner.
    if (answer.status !== 405) return { answer, namesOwner: true };
    const get = { what, method: "GET", path, headers: { authorization } } as const;
    return { answer: await this.#client.send(get, signal), namesOwner: false };
  }

  /** Works with `token` from here on. A server counts what comes with it as the account's own until it is told whose. */
  async #take(token: string, signal: AbortSignal): Promise<void> {
    this.#client.hideToken(token);
    this.#token = token;
    const slug = this.#organization;
    if (slug === undefined) return;
    const call: Call = {
      what: "the switch to the organization",
      method: "POST",
      path: `/api/v2/o/${encodeURIComponent(slug)}/switch/`,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams({ slug }).toString(),
    };
    const answer = await this.#client.send(call, signal);
    const status = answer.body?.["status"];
    if (status !== undefined && status !== "OK") throw contentError(call.what, answer, "status OK");
  }
}

/** A server that does not know the organization logs in all the same, to another one. */
function checkOrganization(slug: string, active: unknown): void {
  const { slug: found, is_found, is_member } = (active ?? {}) as Record<string, unknown>;
  const name = JSON.stringify(slug);
  if (found !== slug || is_found === false) {
    throw new GraphistryError(`Graphistry has no organization ${name} for this account: check org_name`);
  }
  if (is_member === false) throw new GraphistryError(`this account is not a member of the organization ${name}`);
}
