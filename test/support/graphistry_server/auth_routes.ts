import type { Accounts } from "./accounts.ts";
import { type FakeRequest, jsonBody, type Reply, reply } from "./request.ts";

export interface AuthOptions {
  /** As older servers: the personal key login is a GET. */
  readonly personalKeyByGetOnly?: boolean | undefined;
}

const expired = { non_field_errors: ["Token has expired."] };

/** Logins, tokens and the choice of an organization; undefined for any other path. */
export function authRoute(accounts: Accounts, options: AuthOptions, request: FakeRequest): Reply | undefined {
  const { method, path } = request;
  switch (path) {
    case "/api-token-auth/":
    case "/api/v2/auth/token/generate":
      return method === "POST" ? passwordLogin(accounts, request) : notAllowed(method);
    case "/api/v2/auth/pkey/jwt/":
      if (method === "POST" && !options.personalKeyByGetOnly) return keyLogin(accounts, request);
      return method === "GET" ? keyLogin(accounts, request) : notAllowed(method);
    case "/api/v2/auth/token/refresh":
    case "/api-token-refresh/":
      return method === "POST" ? refresh(accounts, request) : notAllowed(method);
    case "/api-token-verify/":
      return method === "POST" ? verify(accounts, request) : notAllowed(method);
    default:
      return undefined;
  }
}

function notAllowed(method: string): Reply {
  return reply(405, { detail: `Method "${method}" not allowed.` });
}

function passwordLogin(accounts: Accounts, request: FakeRequest): Reply {
  const body = jsonBody(request);
  const { username, password } = body;
  const missing = ["username", "password"].filter((key) => typeof body[key] !== "string");
  if (missing.length > 0) {
    return reply(400, Object.fromEntries(missing.map((key) => [key, ["This field is required."]])));
  }
  const account = accounts.byPassword(username, password);
  if (account === undefined) {
    return reply(400, { non_field_errors: ["Unable to log in with provided credentials."] });
  }
  return reply(200, accounts.login(account, body["org_name"]));
}

/** The body is JSON or, with a GET, maybe none. */
function keyLogin(accounts: Accounts, request: FakeRequest): Reply {
  const account = accounts.byPersonalKey(request.headers.authorization);
  if (account === undefined) return reply(401, { detail: "Invalid personal key." });
  if (request.method === "GET" && request.body.length === 0) return reply(200, accounts.login(account, undefined));
  const body = jsonBody(request);
  return reply(200, accounts.login(account, body["org_name"]));
}

function refresh(accounts: Accounts, request: FakeRequest): Reply {
  const body = jsonBody(request);
  const token = accounts.refresh(body["token"]);
  return token === undefined ? reply(400, expired) : reply(200, { token });
}

function verify(accounts: Accounts, request: FakeRequest): Reply {
  const body = jsonBody(request);
  return accounts.holder(body["token"]) === undefined ? reply(400, expired) : reply(200, { token: body["token"] });
}
