import { acrossFields, duration, secret, z } from "../../pipeline/config/schema.ts";
import type { Credentials } from "./rest/session.ts";

const defaultServer = "https://hub.graphistry.com";
/** Where graphs are written when the config does not say. */
export const defaultDirectory = "./otelpipe-output/graph";
const defaultName = "otelpipe traces";

const privacy = z.strictObject({
  mode: z
    .enum(["private", "organization", "public"])
    .default("private")
    .describe("Who may open the graph. On Graphistry, public means whoever has the link."),
  invited_users: z
    .array(z.string().min(1))
    .default([])
    .describe("E-mail addresses of people who may open a private graph as well."),
  can_edit: z.boolean().default(false).describe("Whether they may edit it too."),
  notify: z.boolean().default(false).describe("Whether Graphistry sends them an e-mail."),
  message: z.string().default("").describe("What that e-mail says."),
});

export const config = z
  .strictObject({
    directory: z
      .string()
      .default(defaultDirectory)
      .describe(
        "Where the graph is written as nodes.arrow, edges.arrow and graph.json, with or without an account; empty to write " +
          "none. An exporter with a name writes to a folder of that name in the default directory. Where that cannot be " +
          "written, a warning says so; with a directory of your own otelpipe does not start then.",
      ),
    server: z
      .string()
      .default(defaultServer)
      .describe("The Graphistry server. Empty, as for every text below, is the same as not set."),
    username: z.string().default("").describe("Account; with a personal key only for people who read the config."),
    password: secret().default("").describe("The account's password, unless a personal key is given."),
    personal_key_id: z.string().default("").describe("Personal key, used rather than a password when both are given."),
    personal_key_secret: secret().default("").describe("The personal key's secret."),
    org_name: z.string().default("").describe("Organization that owns the uploads; the account's own without it."),
    privacy: privacy.prefault({}).describe("Who may see what is uploaded."),
    upload_interval: duration()
      .refine((milliseconds) => milliseconds >= 1000, "must be at least 1s")
      .prefault("5m")
      .describe("Time between two uploads, or writes, when new spans have come; the last ones follow at shutdown."),
    max_spans: z
      .int()
      .min(1)
      .max(100_000)
      .default(5000)
      .describe("Spans in the graph. Above it whole traces leave it, those without a new span for longest first."),
    max_bytes: z
      .int()
      .min(1)
      .default(64 * 1024 * 1024)
      .describe(
        "Memory for these spans with all their attributes, in bytes; never more than a quarter of the memory budget. Above it traces leave likewise.",
      ),
    name: z.string().default(defaultName).describe("What uploads are called on the server, before their time."),
  })
  .check(
    acrossFields((settings, context) => {
      const half = halfGiven(settings);
      if (half !== undefined) context.addIssue({ code: "custom", path: [half.key], message: half.message });
      const problem = serverProblem(settings.server || defaultServer);
      if (problem !== undefined) context.addIssue({ code: "custom", path: ["server"], message: problem });
    }),
  );

type Config = z.output<typeof config>;

/** What the exporter works with: nothing but the directory is an empty text. */
export interface GraphistrySettings {
  /** Empty for no files. */
  readonly directory: string;
  readonly account: AccountSettings | undefined;
  readonly uploadIntervalMs: number;
  readonly maxSpans: number;
  readonly maxBytes: number;
  readonly name: string;
}

export interface AccountSettings {
  /** Without a slash at its end. */
  readonly server: string;
  readonly credentials: Credentials;
  readonly organization: string | undefined;
  readonly privacy: Privacy;
}

export interface Privacy {
  readonly mode: "private" | "organization" | "public";
  readonly invitedUsers: readonly string[];
  readonly canEdit: boolean;
  readonly notify: boolean;
  readonly message: string;
}

/** The settings behind a config that has been validated. */
export function settingsOf(settings: Config): GraphistrySettings {
  const credentials = credentialsOf(settings);
  const { mode, invited_users, can_edit, notify, message } = settings.privacy;
  return {
    directory: settings.directory,
    account: credentials && {
      server: (settings.server || defaultServer).replace(/\/+$/, ""),
      credentials,
      organization: settings.org_name || undefined,
      privacy: { mode, invitedUsers: invited_users, canEdit: can_edit, notify, message },
    },
    uploadIntervalMs: settings.upload_interval,
    maxSpans: settings.max_spans,
    maxBytes: settings.max_bytes,
    name: settings.name || defaultName,
  };
}

function credentialsOf(settings: Config): Credentials | undefined {
  const { username, password, personal_key_id: id, personal_key_secret: secret } = settings;
  if (id !== "" && secret !== "") return { kind: "personal key", id, secret };
  if (username !== "" && password !== "") return { kind: "password", username, password };
  return undefined;
}

type Given = Pick<Config, "username" | "password" | "personal_key_id" | "personal_key_secret">;

/** Which key is missing to credentials that were given by half. */
function halfGiven(settings: Given): { key: keyof Given; message: string } | undefined {
  const has = (key: keyof Given) => settings[key] !== "";
  if (has("personal_key_id") && !has("personal_key_secret")) return missing("personal_key_secret", "personal_key_id");
  if (has("personal_key_secret") && !has("personal_key_id")) return missing("personal_key_id", "personal_key_secret");
  if (has("password") && !has("username")) return missing("username", "password");
  if (has("username") && !has("password") && !has("personal_key_id")) {
    return missing("password", "username", ", or use personal_key_id and personal_key_secret");
  }
  return undefined;
}

function missing(key: keyof Given, given: keyof Given, otherwise = "") {
  return { key, message: `${given} is given but ${key} is not: give both or neither${otherwise}` };
}

function serverProblem(server: string): string | undefined {
  const url = URL.canParse(server) ? new URL(server) : undefined;
  if (url === undefined || (url.protocol !== "https:" && url.protocol !== "http:")) {
    return `must be a URL such as ${defaultServer}`;
  }
  if (url.username !== "" || url.password !== "") return "must not hold a user name or a password: use their own keys";
  if (url.search !== "" || url.hash !== "") return "must not have a query or a fragment";
  return undefined;
}
