import { acrossFields, extensionId, secret, z } from "../../pipeline/config/schema.ts";

const header = z.strictObject({
  key: z.string().nullish().describe("The header's name."),
  action: z
    .string()
    .default("")
    .describe(
      "insert (only when it is not there), update (only when it is), upsert, or delete; upsert unless written.",
    ),
  value: z.string().nullish().describe("The value."),
  value_file: z.string().nullish().describe("A file with the value; it is read again when it changes."),
  from_context: z
    .string()
    .nullish()
    .describe("Metadata of the request that brought the data; its receiver needs include_metadata."),
  from_attribute: z
    .string()
    .nullish()
    .describe("What the receiver's authenticator found out about the sender, such as username."),
  default_value: secret().nullish().describe("The value when the request has none."),
});

const sources = ["value", "value_file", "from_context", "from_attribute"] as const;

/** Settings of `headers_setter`, as contrib's. */
export const config = z
  .strictObject({
    headers: z.array(header).default([]).describe("What is done to the headers of requests, in order."),
    additional_auth: extensionId("HTTP client authenticator")
      .optional()
      .describe("Another extension that adds its credentials as well, such as oauth2client."),
  })
  .check(
    acrossFields(({ headers }, context) => {
      const refuse = (message: string, path: (string | number)[]) =>
        context.addIssue({ code: "custom", message, path: ["headers", ...path] });
      if (headers.length === 0) refuse("missing headers configuration", []);
      headers.forEach((each, index) => {
        if (!each.key) refuse("missing header name", [index]);
        const given = sources.filter((source) => typeof each[source] === "string").length;
        if (each.action === "delete" || given === 1) return;
        const problem = given === 0 ? "missing header source, must be" : "invalid header source, must be only one of";
        refuse(`${problem} 'from_context', 'from_attribute', 'value', or 'value_file'`, [index]);
      });
    }),
  );

export type HeadersSetterConfig = z.output<typeof config>;
