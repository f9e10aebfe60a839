import { byId, el } from "./dom.ts";

const choices = ["system", "dark", "light"] as const;
type Choice = (typeof choices)[number];
const stored = "otelpipe theme";

/** Dark, light, or as the system says; remembered in this browser. Calls `onChange` when colours have changed. */
export function startTheme(onChange: () => void): void {
  const button = byId<HTMLButtonElement>("theme");
  let choice: Choice = choices.find((name) => name === localStorage.getItem(stored)) ?? "system";
  const apply = () => {
    const root = document.documentElement;
    if (choice === "system") delete root.dataset["theme"];
    else root.dataset["theme"] = choice;
    button.replaceChildren(el("span", { class: "wide" }, "Theme: "), choice);
  };
  apply();
  button.addEventListener("click", () => {
    choice = choices[(choices.indexOf(choice) + 1) % choices.length] ?? "system";
    localStorage.setItem(stored, choice);
    apply();
    onChange();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", onChange);
}

/** The present value of a colour of the style sheet, as `#rrggbb`: for what is drawn outside the style sheet's reach. */
export function token(property: string): string {
  const probe = document.createElement("span");
  probe.style.color = `var(${property})`;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return hex((/\d+/g[Symbol.match](color) ?? []).slice(0, 3).map(Number));
}

/** `share` of one `#rrggbb` over the other. */
export function mixed(front: string, back: string, share: number): string {
  const [over, under] = [channels(front), channels(back)];
  return hex(over.map((value, index) => value * share + (under[index] ?? 0) * (1 - share)));
}

/** A `#rrggbb` made see-through. */
export function faded(color: string, alpha: number): string {
  return `rgba(${channels(color).join(",")},${alpha})`;
}

export function isDark(): boolean {
  return channels(token("--bg")).every((value) => value < 128);
}

function channels(color: string): number[] {
  return [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16));
}

function hex(values: readonly number[]): string {
  return `#${values.map((value) => Math.round(value).toString(16).padStart(2, "0")).join("")}`;
}
