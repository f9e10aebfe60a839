import { byId, el } from "./dom.ts";

/** What a key does; shown by `?`. */
export interface Key {
  readonly key: string;
  readonly does: string;
  run(): void;
}

const stored = "otelpipe letter keys";

/** Single letters act anywhere but while typing, with no modifier, and can be turned off (WCAG 2.1.4). */
export function startKeys(keys: readonly Key[]): void {
  const dialog = byId<HTMLDialogElement>("keys");
  const off = el("input", { type: "checkbox" });
  off.checked = localStorage.getItem(stored) === "off";
  off.addEventListener("change", () => localStorage.setItem(stored, off.checked ? "off" : "on"));
  const done = el("button", { type: "button" }, "Close");
  done.addEventListener("click", () => dialog.close());
  dialog.append(
    el("h2", { id: "keys-title" }, "Keys"),
    el(
      "dl",
      {},
      ...[...keys, { key: "?", does: "these keys" }].flatMap(({ key, does }) => [
        el("dt", { class: "code" }, key === "Escape" ? "Esc" : key.toUpperCase()),
        el("dd", {}, does),
      ]),
    ),
    el("p", {}, el("label", {}, off, " Turn letter keys off")),
    done,
  );
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (off.checked && event.key !== "Escape" && event.key !== "?") return;
    if (event.key === "?") dialog.showModal();
    else if (!dialog.open) keys.find(({ key }) => key.toLowerCase() === event.key.toLowerCase())?.run();
  });
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches("input, textarea, select, [contenteditable]");
}
