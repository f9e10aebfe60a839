import { schemes } from "../source.ts";
import type { Path, Scalar, Table, Tree } from "../tree.ts";
import type { OldSpelling } from "./components.ts";

/** `${NAME:-default}`, which the Collector takes with its scheme only. */
export function oldReferences(root: Table): readonly OldSpelling[] {
  return scalarsOf(root, []).flatMap(([scalar, path]) => {
    if (typeof scalar.value !== "string") return [];
    const names: string[] = [];
    const value = scalar.value.replace(/(\$+)\{([A-Za-z_]\w*):-/g, (text, dollars: string, name: string) => {
      const isEscaped = dollars.length % 2 === 0;
      if (isEscaped || schemes.includes(name)) return text;
      names.push(name);
      return `${dollars}{env:${name}:-`;
    });
    const [name] = names;
    if (name === undefined) return [];
    const message = `\${${name}:-…} is an old spelling: write \${env:${name}:-…}`;
    return [{ place: scalar.place, message, edits: [{ do: "set", path, value }] }];
  });
}

function scalarsOf(tree: Tree, path: Path): readonly (readonly [Scalar, Path])[] {
  switch (tree.kind) {
    case "scalar":
      return [[tree, path]];
    case "list":
      return tree.items.flatMap((item, index) => scalarsOf(item, [...path, index]));
    case "table":
      return [...tree.entries].flatMap(([key, { value }]) => scalarsOf(value, [...path, key]));
  }
}
