import { acrossFields, duration, secret, z } from "../../pipeline/config/schema.ts";

const retryOnFailure = z
  .strictObject({
    enabled: z.boolean().default(false).describe("Wait for a file that is not there yet."),
    max_retries: z.int().default(0).describe("How often to look again; 0 is for ever."),
    interval: duration().prefault("0s").describe("Time between looks; must be written when this is enabled."),
  })
  .prefault({})
  .describe("What to do at the start when the file of `filename` is not there yet.");

/** Settings of `bearertokenauth`, as contrib's. */
export const config = z
  .strictObject({
    header: z.string().default("Authorization").describe("The header, or gRPC metadata, that carries the token."),
    scheme: z.string().default("Bearer").describe("What stands before the token; empty: the token alone."),
    token: secret().default("").describe("The token."),
    tokens: z.array(secret()).default([]).describe("Tokens: servers take each of them, clients send the first."),
    filename: z
      .string()
      .default("")
      .describe("A file with a token a line, text behind it ignored; it is read again when it changes."),
    retry_on_failure: retryOnFailure,
    wait_for_token_file: z
      .boolean()
      .default(false)
      .describe("Do not start before the file could be read; needs retry_on_failure."),
  })
  .check(
    acrossFields(
      ({ token, tokens, filename }, context) => {
        const refuse = (message: string, path: string[] = []) => context.addIssue({ code: "custom", message, path });
        if (token === "" && tokens.length === 0 && filename === "") refuse("no bearer token provided");
        if (token !== "" && tokens.length > 0)
          refuse("either tokens or token should be provided, not both", ["tokens"]);
      },
      ({ filename, retry_on_failure, wait_for_token_file }, context) => {
        const refuse = (message: string, ...path: string[]) => context.addIssue({ code: "custom", message, path });
        const { enabled, max_retries, interval } = retry_on_failure;
        const needsFile = "requires filename to be set";
        const when = "when retry_on_failure.enabled is true";
        if (enabled && filename === "") refuse(needsFile, "retry_on_failure");
        if (enabled && max_retries < 0) {
          refuse(
            `retry_on_failure.max_retries must be greater or equal to 0 ${when}`,
            "retry_on_failure",
            "max_retries",
          );
        }
        if (enabled && interval <= 0) {
          refuse(`retry_on_failure.interval must be greater than 0 ${when}`, "retry_on_failure", "interval");
        }
        if (wait_for_token_file && filename === "") refuse(needsFile, "wait_for_token_file");
        if (wait_for_token_file && !enabled) {
          refuse("wait_for_token_file requires retry_on_failure to be enabled", "wait_for_token_file");
        }
      },
    ),
  );

export type BearerTokenConfig = z.output<typeof config>;
