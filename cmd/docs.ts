import { referencePage } from "../pipeline/config/reference.ts";
import { canonicalType } from "../pipeline/manifest.ts";
import { kindOf, loadDefinition, sections } from "../pipeline/registry.ts";
import { parseArguments, unknownText } from "./arguments.ts";
import { catalog } from "./catalog.ts";
import { UsageError } from "./usage_error.ts";

/** `otelpipe docs <kind> <type>`: the reference page of a component, in Markdown. */
export async function docs(args: readonly string[]): Promise<number> {
  const [kind = "", type = ""] = parseArguments("docs", args, {}, 2).positionals;
  if (kind === "" || type === "") throw new UsageError("docs takes a kind and a type: otelpipe docs processor batch");
  const section = sections.find((candidate) => kindOf[candidate] === kind || candidate === kind);
  if (section === undefined) throw new UsageError(unknownText("kind", kind, Object.values(kindOf)));
  const canonical = canonicalType(catalog.manifest, section, type);
  if (canonical === undefined) {
    throw new UsageError(unknownText(kindOf[section], type, Object.keys(catalog.manifest[section])));
  }
  process.stdout.write(referencePage(await loadDefinition(catalog.registry, kindOf[section], canonical)));
  return 0;
}
