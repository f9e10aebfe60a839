import { type Section, sections } from "../registry.ts";
import type { Declarations } from "./components.ts";
import { parseId } from "./ids.ts";
import type { Problem } from "./problem.ts";
import type { ResolvedComponent, ResolvedConfig } from "./resolved.ts";
import type { ExtensionRole, Note } from "./schema.ts";
import type { ServiceDraft } from "./service.ts";
import { noteInside, schemasAt } from "./shape.ts";
import { didYouMean } from "./suggest.ts";
import { keyPlaceAt, type Path, type Table, treeAt, valuePlaceAt } from "./tree.ts";

/** An extension that a setting names. */
export interface ExtensionReference {
  readonly path: Path;
  readonly id: string;
  readonly role: ExtensionRole;
}

/**
 * What is wrong with the extensions that settings name, such as `auth::authenticator`: they must run, and serve as what
 * they are named for. The Collector finds that out when it starts, and so do we under strict compatibility.
 */
export function checkReferences(
  config: Pick<ResolvedConfig, Section>,
  declarations: Declarations,
  { extensions }: ServiceDraft,
): readonly Problem[] {
  const listed = extensions.map(({ id }) => id);
  return judgeNoted(config, declarations, "extension", ({ text, note }) => {
    const id = idIn(text);
    return id === undefined ? undefined : judge(id, note.role, listed, config.extensions);
  });
}

/** The settings that the Collector does not have: it would refuse them as unknown keys. */
export function checkOwnSettings(
  config: Pick<ResolvedConfig, Section>,
  declarations: Declarations,
): readonly Problem[] {
  return judgeNoted(config, declarations, "own", ({ path }) => ({
    message: `the Collector has no setting ${JSON.stringify(path.at(-1))}`,
  }));
}

/** The same for the service itself. */
export function checkOwnServiceSettings(root: Table): readonly Problem[] {
  const path = ["service", "workers"];
  if (treeAt(root, path) === undefined) return [];
  return [{ place: keyPlaceAt(root, path), path, message: 'the Collector has no setting "workers"' }];
}

/** Settings that keep their component from starting or working: the Collector finds that out then. */
export function checkStart(config: Pick<ResolvedConfig, Section>, declarations: Declarations): readonly Problem[] {
  return judgeNoted(config, declarations, "start", ({ path, text, note }) => {
    const message = note.problemOf(text, String(path.at(-1)));
    return message === undefined ? undefined : { message };
  });
}

/** What `judge` has against the texts whose schemas have a note of that kind, at their places. */
function judgeNoted<K extends Note["is"]>(
  config: Pick<ResolvedConfig, Section>,
  declarations: Declarations,
  kind: K,
  judgeText: (noted: NotedText<K>) => Pick<Problem, "message" | "hint" | "notes"> | undefined,
): readonly Problem[] {
  return sections.flatMap((section) =>
    [...config[section].values()].flatMap((component: ResolvedComponent) =>
      textsNoted(component, kind).flatMap((noted) => {
        const wrong = judgeText(noted);
        const tree = declarations[section].get(component.id)?.settings;
        if (wrong === undefined || tree === undefined) return [];
        return [{ place: valuePlaceAt(tree, noted.path), path: [section, component.id, ...noted.path], ...wrong }];
      }),
    ),
  );
}

/** The extensions that the settings of a component name. */
export function extensionsNamedBy(component: ResolvedComponent): readonly ExtensionReference[] {
  return textsNoted(component, "extension").flatMap(({ path, text, note }) => {
    const id = idIn(text);
    return id === undefined ? [] : [{ path, id, role: note.role }];
  });
}

/** The id as it is listed elsewhere; undefined when the text is blank, which is reported with the schema. */
function idIn(text: string): string | undefined {
  if (text.trim() === "") return undefined;
  const id = parseId(text);
  return typeof id === "string" ? text : id.text;
}

interface NotedText<K extends Note["is"]> {
  readonly path: Path;
  readonly text: string;
  readonly note: Extract<Note, { is: K }>;
}

/** The texts among the written settings of a component whose schemas have a note of that kind. */
function textsNoted<K extends Note["is"]>({ definition, settings }: ResolvedComponent, kind: K): NotedText<K>[] {
  return leaves(settings, []).flatMap(({ path, text }) => {
    const notes = schemasAt(definition.config, path, settings).map(noteInside);
    const note = notes.find((candidate) => candidate?.is === kind);
    return note === undefined ? [] : [{ path, text, note: note as Extract<Note, { is: K }> }];
  });
}

/** Every text in a value, with the way to it. */
function leaves(value: unknown, path: Path): { readonly path: Path; readonly text: string }[] {
  if (typeof value === "string") return [{ path, text: value }];
  if (typeof value !== "object" || value === null) return [];
  const isList = Array.isArray(value);
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, [...path, isList ? Number(key) : key]));
}

function judge(
  id: string,
  role: ExtensionRole,
  listed: readonly string[],
  extensions: ResolvedConfig["extensions"],
): Pick<Problem, "message" | "hint" | "notes"> | undefined {
  const extension = extensions.get(id);
  if (!listed.includes(id)) {
    const guess = extension === undefined ? didYouMean(id, listed) : { hint: "add it there" };
    const message = `extension ${JSON.stringify(id)} is not in service::extensions`;
    return { message, ...guess, notes: listed.length === 0 ? [] : [`service::extensions has: ${listed.join(", ")}`] };
  }
  if (extension?.config === undefined) return undefined; // reported where it is configured, or is not
  const roles = extension.definition.roles?.(extension.config) ?? [];
  if (roles.includes(role)) return undefined;
  const message = `extension ${JSON.stringify(id)} cannot serve as ${role}`;
  return { message, notes: roles.length === 0 ? [] : [`it serves as: ${roles.join(", ")}`] };
}
