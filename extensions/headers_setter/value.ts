import type { ClientInfo } from "../../pipeline/delivery.ts";
import type { ExtensionHost } from "../../pipeline/host.ts";
import { CredentialFile } from "../../pipeline/net/credential_file.ts";
import type { HeadersSetterConfig } from "./config.ts";

/** Where a header's value comes from. */
export interface HeaderValue {
  /** To be called before the first use. @throws {Error} when its file cannot be read. */
  open(): void;
  /** The value for data of `client`. @throws {Error} when there are several to choose from. */
  of(client: ClientInfo | undefined): string;
}

/** The source that the settings of a header name; the empty text when they name none. */
export function headerValue(settings: HeadersSetterConfig["headers"][number], host: ExtensionHost): HeaderValue {
  const { value, value_file, from_attribute, from_context, default_value } = settings;
  const without = (of: HeaderValue["of"]): HeaderValue => ({ open: () => {}, of });
  if (typeof value === "string") return without(() => value);
  if (typeof value_file === "string") {
    const file = new CredentialFile(value_file, host);
    return { open: () => file.open(), of: () => file.value ?? "" };
  }
  if (typeof from_attribute === "string") {
    return without((client) => textOf(client?.auth?.get(from_attribute)) ?? default_value ?? "");
  }
  if (typeof from_context === "string") {
    const name = from_context.toLowerCase();
    return without((client) => onlyOne(client?.metadata?.get(name) ?? []) ?? default_value ?? "");
  }
  return without(() => "");
}

function textOf(attribute: string | readonly string[] | undefined): string | undefined {
  return typeof attribute === "object" ? JSON.stringify(attribute) : attribute;
}

function onlyOne(values: readonly string[]): string | undefined {
  if (values.length <= 1) return values[0];
  const count = `${values.length} source keys found in the context`;
  throw new Error(`failed to determine the source: ${count}, can't determine which one to use`);
}
