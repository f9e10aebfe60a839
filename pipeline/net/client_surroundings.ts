import type { Host } from "../host.ts";
import { type AuthSetting, clientAuthenticator } from "./auth.ts";
import type { ClientSurroundings } from "./transport.ts";
import { userAgent } from "./user_agent.ts";

/** What a client of the component behind `host` needs. To be called when extensions run. @throws {Error} as `clientAuthenticator`. */
export function clientSurroundings(auth: AuthSetting, host: Host): ClientSurroundings {
  const { clock, logger, build, requests, gates } = host;
  const authenticator = clientAuthenticator(auth, host);
  return { clock, logger, requests, gates, userAgent: userAgent(build), authenticator };
}
