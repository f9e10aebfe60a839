import type { ClientInfo } from "../delivery.ts";
import { messageOf } from "../error_text.ts";
import type { Host } from "../host.ts";
import type { Problem } from "./transport.ts";

/**
 * What servers and clients ask of authenticator extensions. An extension takes part by having these methods on the object
 * that its `create` gives back, and by naming its roles in its definition (`roles`, checked before anything starts).
 *
 * @see Collector: `extension/extensionauth`, `config/configauth`.
 */

/** What a caller sent that may say who it is. */
export interface CredentialSource {
  /** All values of a header or of gRPC metadata, by its name in any case; none when it was not sent. */
  values(name: string): readonly string[];
}

/** What an authenticator found out about a caller: goes with the data as `client.auth`. */
export type AuthData = NonNullable<ClientInfo["auth"]>;

/**
 * The verdict on a caller. A refusal is told as it is: 401 or UNAUTHENTICATED, unless `grpcStatus` says otherwise; one with
 * `comeBack` says that there was no time to find out, as 503 or UNAVAILABLE.
 */
export type AuthVerdict =
  | { readonly accepted: true; readonly auth?: AuthData }
  | { readonly accepted: false; readonly reason: string; readonly grpcStatus?: number; readonly comeBack?: boolean };

/** A refusal as a server's handler hears of it. */
export function refusalOf({ reason, grpcStatus, comeBack }: Extract<AuthVerdict, { accepted: false }>): Problem {
  if (comeBack === true) return { kind: "busy", message: reason };
  return { kind: "unauthenticated", message: reason, ...(grpcStatus !== undefined && { grpcStatus }) };
}

/** Judges who may send. Role `server authenticator`. */
export interface ServerAuthenticator {
  /** Called for each request before its body is read. A throw refuses the request with the error's message. */
  authenticate(source: CredentialSource): AuthVerdict | Promise<AuthVerdict>;
}

/** A request just before it leaves: compressed, with its configured headers. */
export interface OutgoingRequest {
  readonly transport: "http" | "grpc";
  /** The URL, or the gRPC method as `/package.Service/Method`. */
  readonly target: string;
  /** Headers or metadata so far, names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** The body as it goes out; of gRPC the message before compression. */
  readonly body: Buffer;
  /** Who sent the data; absent when it was merged from several requests. */
  readonly client?: ClientInfo;
}

/** Proves to servers who sends. Roles `HTTP client authenticator` and `gRPC client authenticator`. */
export interface ClientAuthenticator {
  /** Credentials that must not travel in clear text: a gRPC client without TLS then refuses to start, as in the Collector. */
  readonly needsTls?: boolean;
  /**
   * The headers to send in place of `request.headers`: those, with credentials added, replaced or removed. May wait for a
   * token. Called for every attempt. A throw fails the attempt, which may be retried.
   */
  authorize(request: OutgoingRequest): Headers | Promise<Headers>;
  /**
   * Hears that the server answered 401 or UNAUTHENTICATED to these headers. True asks for one more attempt, with headers
   * that `authorize` gives then: an expired token was thrown away.
   */
  refused?(headers: Headers): boolean | Promise<boolean>;
}

type Headers = Readonly<Record<string, string>>;

function hasMethod(candidate: unknown, name: string): boolean {
  return typeof (candidate as Readonly<Record<string, unknown>> | null | undefined)?.[name] === "function";
}

function isServerAuthenticator(candidate: unknown): candidate is ServerAuthenticator {
  return hasMethod(candidate, "authenticate");
}

function isClientAuthenticator(candidate: unknown): candidate is ClientAuthenticator {
  return hasMethod(candidate, "authorize");
}

/** Asks `authenticator` about a caller, and `done` with the verdict: at once when it is had at once. */
export function askAuthenticator(
  authenticator: ServerAuthenticator,
  source: CredentialSource,
  done: (verdict: AuthVerdict) => void,
): void {
  const failed = (error: unknown) => done({ accepted: false, reason: messageOf(error) });
  let verdict: AuthVerdict | Promise<AuthVerdict>;
  try {
    verdict = authenticator.authenticate(source);
  } catch (error) {
    failed(error);
    return;
  }
  if (verdict instanceof Promise) verdict.then(done, failed);
  else done(verdict);
}

/**
 * Sends a request with credentials, and once more when the server refused them and the authenticator has others.
 * Rejects when `authorize` or `refused` does.
 */
export async function sendAuthorized<R>(
  authenticator: ClientAuthenticator,
  request: OutgoingRequest,
  send: (headers: Headers) => Promise<R>,
  isRefusal: (reply: R) => boolean,
): Promise<R> {
  const headers = await authenticator.authorize(request);
  const reply = await send(headers);
  if (!isRefusal(reply) || (await authenticator.refused?.(headers)) !== true) return reply;
  return send(await authenticator.authorize(request));
}

/** The setting `auth` of a server or a client; undefined when it is off. */
export type AuthSetting = { readonly authenticator: string } | undefined;

/** The running extension a server's `auth` names. @throws {Error} when it is missing or judges nobody. */
export function serverAuthenticator(auth: AuthSetting, host: Pick<Host, "extension">): ServerAuthenticator | undefined {
  return auth === undefined ? undefined : host.extension(auth.authenticator, isServerAuthenticator);
}

/** The running extension a client's `auth` names. @throws {Error} when it is missing or proves nothing. */
export function clientAuthenticator(auth: AuthSetting, host: Pick<Host, "extension">): ClientAuthenticator | undefined {
  return auth === undefined ? undefined : host.extension(auth.authenticator, isClientAuthenticator);
}
