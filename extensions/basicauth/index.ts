import { extension, type Lifecycle } from "../../pipeline/component.ts";
import type { ExtensionHost } from "../../pipeline/host.ts";
import { BasicAuthClient } from "./client.ts";
import { type BasicAuthConfig, config } from "./config.ts";
import { BasicAuthServer } from "./server.ts";

export default extension({
  type: "basicauth",
  stability: "beta",
  summary: "Lets in who knows a user's password, or sends as such a user: HTTP's basic authentication.",
  config,
  perWorker: true,
  examples: [
    { title: "Servers: the users of a file", yaml: "basicauth/server: { htpasswd: { file: .htpasswd } }" },
    {
      title: "Exporters: send as a user whose password lies in a file",
      yaml: "basicauth/client: { client_auth: { username: ingest, password_file: /run/secrets/password } }",
    },
  ],
  roles: ({ htpasswd }) =>
    htpasswd ? ["server authenticator"] : ["HTTP client authenticator", "gRPC client authenticator"],
  create,
});

function create({ htpasswd, client_auth }: BasicAuthConfig, host: ExtensionHost): Lifecycle {
  if (htpasswd) return new BasicAuthServer(htpasswd, host);
  if (client_auth) return new BasicAuthClient(client_auth, host);
  throw new Error("no credential source provided");
}
