type Child = Node | string | undefined;
type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** An HTML element. Attributes that are undefined or false are left out; strings become text, never markup. */
export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  return filled(document.createElement(tag), attributes, children);
}

/** An SVG element, by the same rules. */
export function svg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly Child[]
): SVGElementTagNameMap[K] {
  return filled(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function filled<E extends Element>(element: E, attributes: Attributes, children: readonly Child[]): E {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child !== undefined));
  return element;
}

/** The element of that id in the page's own HTML. */
export function byId<E extends Element = HTMLElement>(id: string): E {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no #${id}`);
  return found as Element as E;
}

/** Sets text only when it differs, so that nothing is laid out again for nothing. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Text from telemetry: isolated from the direction of what stands around it, control characters shown as escapes,
 * cut in the middle when longer than `most` characters (the whole is its title then).
 */
export function telemetry(text: string, most = 120): HTMLElement {
  const shown = visible(text);
  return el("bdi", { title: shown.length > most ? shown.slice(0, 2000) : undefined }, cutMiddle(shown, most));
}

/** Control, direction and invisible characters as `\u{…}`; everything else as it is. */
export function visible(text: string): string {
  return text.replace(
    hidden,
    (character) => escapes.get(character) ?? `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );
}

/** As `visible`, but line breaks and tabs stay: for text shown in lines. */
export function visibleLines(text: string): string {
  return text.replace(hidden, (character) =>
    character === "\n" || character === "\t" ? character : visible(character),
  );
}

const hidden = /[\p{Cc}\p{Bidi_Control}\u200b\u2028\u2029\ufeff]/gu;
const escapes = new Map([
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
]);

export function cutMiddle(text: string, most: number): string {
  const characters = [...text];
  if (characters.length <= most) return text;
  const head = Math.ceil((most - 1) / 2);
  return `${characters.slice(0, head).join("")}…${characters.slice(characters.length - (most - 1 - head)).join("")}`;
}
