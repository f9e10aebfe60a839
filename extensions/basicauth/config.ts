import { acrossFields, secret, z } from "../../pipeline/config/schema.ts";

const htpasswd = z
  .strictObject({
    file: z.string().default("").describe("Path of a file of `user:password` lines, as htpasswd writes them."),
    inline: z.string().default("").describe("Such lines, written here; they win over the file's."),
  })
  .nullish()
  .describe("Who may send. Passwords as bcrypt, {SHA}, {SSHA}, $apr1$, $1$, $5$, $6$, or plain text.");

const clientAuth = z
  .strictObject({
    username: z.string().default("").describe("The user to send as."),
    username_file: z.string().default("").describe("A file with the user's name; it is read again when it changes."),
    password: secret().default("").describe("The user's password."),
    password_file: z.string().default("").describe("A file with the password; it is read again when it changes."),
  })
  .nullish()
  .describe("Whom exporters send as.");

/** Settings of `basicauth`, as contrib's: a server's or a client's. */
export const config = z.strictObject({ htpasswd, client_auth: clientAuth }).check(
  acrossFields(({ htpasswd, client_auth }, context) => {
    const refuse = (message: string, path: string[] = []) => context.addIssue({ code: "custom", message, path });
    if (htpasswd && client_auth) refuse("only one of `htpasswd` or `client_auth` can be specified", ["client_auth"]);
    if (!htpasswd && !client_auth) refuse("no credential source provided");
    if (htpasswd?.file === "" && htpasswd.inline === "") refuse("no credential source provided", ["htpasswd"]);
    if (client_auth?.username.includes(":") && client_auth.username_file === "") {
      refuse("invalid authorization format: a user's name has no colon", ["client_auth", "username"]);
    }
  }),
);

export type BasicAuthConfig = z.output<typeof config>;
