import { acrossFields, duration, secret, z } from "../../pipeline/config/schema.ts";
import { nonNegativeDuration } from "../../pipeline/net/setting_fields.ts";
import { tlsClientSettings } from "../../pipeline/net/tls_settings.ts";

/** Prove who asks with a signed assertion instead of a secret. */
export const jwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer";

const ofJwt = `Only for the grant ${jwtBearer}.`;

/** Settings of `oauth2client`, as contrib's. */
export const config = z
  .strictObject({
    client_id: z.string().default("").describe("The id this client has at the token's server."),
    client_id_file: z.string().default("").describe("A file with the id, read for each token; it wins."),
    client_secret: secret().default("").describe("The secret that belongs to the id."),
    client_secret_file: z.string().default("").describe("A file with the secret, read for each token; it wins."),
    token_url: z.string().default("").describe("Where tokens are to be had."),
    grant_type: z
      .enum(["", "client_credentials", jwtBearer], {
        error: (issue) => `unknown grant type ${JSON.stringify(issue.input)}`,
      })
      .default("client_credentials")
      .describe(`client_credentials, or ${jwtBearer}.`),
    scopes: z.array(z.string()).default([]).describe("What the token shall allow."),
    endpoint_params: z
      .record(z.string(), z.array(z.string()))
      .default({})
      .describe("More parameters of the request for a token, such as audience; each is a list of values."),
    tls: tlsClientSettings().describe("TLS of the token's server."),
    timeout: nonNegativeDuration("0s", "Longest time for getting a token; 0 means one minute."),
    expiry_buffer: duration().prefault("5m").describe("A token is got anew that long before it expires."),
    client_certificate_key: secret().default("").describe(`Private RSA key in PEM form. ${ofJwt}`),
    client_certificate_key_file: z.string().default("").describe(`A file with that key, read for each token. ${ofJwt}`),
    client_certificate_key_id: z.string().default("").describe(`What the assertion calls the key. ${ofJwt}`),
    signature_algorithm: z
      .enum(["", "RS256", "RS384", "RS512"], { error: "invalid signature algorithm" })
      .default("RS256")
      .describe(`RS256, RS384 or RS512. ${ofJwt}`),
    iss: z.string().default("").describe(`Issuer of the assertion; empty: the client's id. ${ofJwt}`),
    audience: z.string().default("").describe(`Audience of the assertion; empty: token_url. ${ofJwt}`),
    claims: z.record(z.string(), z.unknown()).default({}).describe(`More claims of the assertion. ${ofJwt}`),
  })
  .check(
    acrossFields(
      ({ client_id, client_id_file }, context) => {
        if (client_id !== "" || client_id_file !== "") return;
        refuse(context, "no ClientID provided in the OAuth2 exporter configuration", "client_id");
      },
      ({ token_url }, context) => {
        if (token_url === "") {
          refuse(context, "no TokenURL provided in OAuth Client Credentials configuration", "token_url");
        } else if (!/^https?:$/.test(URL.parse(token_url)?.protocol ?? "")) {
          refuse(context, "token_url is not a URL: use a form such as https://login.example.com/token", "token_url");
        }
      },
      (settings, context) => {
        const { grant_type, client_secret, client_secret_file } = settings;
        const { client_certificate_key, client_certificate_key_file } = settings;
        if (grant_type === jwtBearer && client_certificate_key === "" && client_certificate_key_file === "") {
          const message = "no ClientCertificateKey provided in the OAuth2 exporter configuration";
          refuse(context, message, "client_certificate_key");
        }
        if (grant_type !== jwtBearer && client_secret === "" && client_secret_file === "") {
          const message = "no ClientSecret provided in OAuth Client Credentials configuration";
          refuse(context, message, "client_secret");
        }
      },
    ),
  );

function refuse(context: z.RefinementCtx, message: string, key: string): void {
  context.addIssue({ code: "custom", message, path: [key] });
}

export type OAuth2Config = z.output<typeof config>;
