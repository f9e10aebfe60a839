const encodingName =
  /^(point|edge)(Legend(?:Type|Pivot))?(Axis|Badge|Color|Icon|Kepler|Opacity|Size|Weight)(TopLeft|TopRight|Top|Left|BottomLeft|BottomRight|Bottom|Right|Cover)?Encoding$/;

type Json = Readonly<Record<string, unknown>>;

/**
 * What is wrong with the complex encodings of `node_encodings` or `edge_encodings`: only `default` and `current`; names
 * and kinds that agree; a column that exists; a mapping that says it all.
 */
export function complexProblems(of: "node" | "edge", complex: unknown, columns: ReadonlySet<string>): string[] {
  if (complex === undefined) return [];
  if (!isObject(complex)) return [`${of}_encodings.complex must be an object`];
  return Object.entries(complex).flatMap(([mode, all]) => {
    const at = `${of}_encodings.complex.${mode}`;
    if (mode !== "default" && mode !== "current") return [`${at} is neither default nor current`];
    if (!isObject(all)) return [`${at} must be an object`];
    return Object.entries(all).flatMap(([name, one]) =>
      encodingProblems(of, name, one, columns).map((problem) => `${at}.${name}: ${problem}`),
    );
  });
}

function encodingProblems(of: "node" | "edge", name: string, one: unknown, columns: ReadonlySet<string>): string[] {
  const parts = encodingName.exec(name);
  if (parts === null) return ["is not the name of an encoding"];
  const [, graphType = "", legend = "", kind = "", position = ""] = parts;
  if (!isObject(one)) return ["must be an object"];
  if (graphType !== (of === "node" ? "point" : "edge")) return [`is of the wrong table`];
  if (kind === "Kepler") return [];
  const encodingType = `${legend.toLowerCase()}${kind.toLowerCase()}${kind === "Badge" ? position : ""}`;
  return [
    ...(one["graphType"] === graphType ? [] : [`graphType must be ${graphType}`]),
    ...(one["encodingType"] === encodingType ? [] : [`encodingType must be ${encodingType}`]),
    ...(one["variation"] === "categorical" || one["variation"] === "continuous" ? [] : ["variation is wrong"]),
    ...(kind === "Axis" || columns.has(String(one["attribute"])) ? [] : [`no column ${String(one["attribute"])}`]),
    ...mappingProblems(kind, one),
  ];
}

function mappingProblems(kind: string, one: Json): string[] {
  const { colors, mapping } = one;
  if (kind === "Color" && Array.isArray(colors)) {
    return colors.every((color) => typeof color === "string") ? [] : ["colors must be strings"];
  }
  if (mapping === undefined) return kind === "Icon" || kind === "Axis" ? [] : ["mapping is missing"];
  if (!isObject(mapping)) return ["mapping must be an object"];
  const { categorical, continuous } = mapping;
  if (isObject(categorical)) return isObject(categorical["fixed"]) ? [] : ["mapping.categorical.fixed is missing"];
  if (!isObject(continuous)) return ["mapping needs categorical or continuous"];
  return Array.isArray(continuous["bins"]) ? [] : ["mapping.continuous.bins is missing"];
}

export function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
