import { clock, gap } from "../pipeline/number_text.ts";
import { byId, el, setText } from "./dom.ts";
import type { FigureState, Tick } from "./wire/messages.ts";

/** The part of the time that figures show. */
export interface ChosenRange {
  /** Absent for all that is kept. */
  readonly rangeMs: number | undefined;
  /** Where it ends; absent for now. */
  readonly endUnixMs: number | undefined;
}

const minute = 60_000;
const hour = 60 * minute;
const ranges = [1, 5, 15, 30, 60, 180, 360, 720, 1440].map((minutes) => minutes * minute);

/** The query of an address that names a range, such as `range=300&end=1790000000`, in seconds; empty for all of the time until now. */
export function rangeQuery({ rangeMs, endUnixMs }: ChosenRange): string {
  if (rangeMs === undefined) return "";
  const end = endUnixMs === undefined ? "" : `&end=${Math.round(endUnixMs / 1000)}`;
  return `range=${Math.round(rangeMs / 1000)}${end}`;
}

/** The range an address names; all of the time until now when it names none that can be read. */
export function rangeOfQuery(query: string): ChosenRange {
  const seconds = (name: string) => {
    const text = new URLSearchParams(query).get(name) ?? "";
    return /^[1-9]\d{0,11}$/.test(text) ? Number(text) * 1000 : undefined;
  };
  const rangeMs = seconds("range");
  return { rangeMs, endUnixMs: rangeMs === undefined ? undefined : seconds("end") };
}

/** `5 min`, `3 h`; `90 s` where it is no whole number of these. */
function rangeText(rangeMs: number): string {
  const [unitMs, unit] = rangeMs % hour === 0 ? [hour, "h"] : rangeMs % minute === 0 ? [minute, "min"] : [1_000, "s"];
  return `${Math.round(rangeMs / unitMs)}${gap}${unit}`;
}

/**
 * One step earlier (-1) or later (+1), as long as the range is, within a window that reaches back `windowMs` from
 * `nowUnixMs`. A step that comes nearer to the present than half a range ends there.
 */
export function stepped(chosen: ChosenRange, by: -1 | 1, windowMs: number, nowUnixMs: number): ChosenRange {
  const { rangeMs, endUnixMs } = chosen;
  if (rangeMs === undefined || rangeMs >= windowMs) return chosen;
  const end = Math.max((endUnixMs ?? nowUnixMs) + by * rangeMs, nowUnixMs - windowMs + rangeMs);
  const isNow = by === 1 && end > nowUnixMs - rangeMs / 2;
  return { rangeMs, endUnixMs: isNow ? undefined : Math.floor(end / 1000) * 1000 };
}

/** Chooses the range: a list, steps earlier and later. The address keeps it, so that a link opens the same view. */
export class RangeControl {
  readonly #list = byId<HTMLSelectElement>("range");
  readonly #earlier = byId<HTMLButtonElement>("earlier");
  readonly #later = byId<HTMLButtonElement>("later");
  readonly #said = byId("range-said");
  readonly #onChange: () => void;
  #chosen = rangeOfQuery(location.search);
  #windowMs = 0;
  #nowUnixMs = 0;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
    this.#list.addEventListener("change", () => {
      const rangeMs = Number(this.#list.value);
      this.#choose({ rangeMs: rangeMs === this.#windowMs ? undefined : rangeMs, endUnixMs: undefined });
    });
    this.#earlier.addEventListener("click", () => this.step(-1));
    this.#later.addEventListener("click", () => this.step(1));
  }

  get chosen(): ChosenRange {
    return this.#chosen;
  }

  /** Offers what the figures can look back on. */
  show({ figures, unixMs }: Pick<Tick, "figures" | "unixMs">): void {
    this.#nowUnixMs = unixMs;
    const windowMs = Math.max(0, ...figures.map((figure: FigureState) => figure.windowMs ?? 0));
    if (windowMs !== this.#windowMs) {
      this.#windowMs = windowMs;
      this.#list.replaceChildren(
        ...[...ranges.filter((range) => range < windowMs), windowMs].map((range) => el("option", { value: range })),
      );
      this.#list.hidden = windowMs === 0;
      const { rangeMs } = this.#chosen;
      if (rangeMs !== undefined && rangeMs >= windowMs) this.#chosen = { rangeMs: undefined, endUnixMs: undefined };
    }
    this.#say();
  }

  step(by: -1 | 1): void {
    const next = stepped(this.#chosen, by, this.#windowMs, this.#nowUnixMs);
    if (next.endUnixMs !== this.#chosen.endUnixMs) this.#choose(next);
  }

  #choose(chosen: ChosenRange): void {
    this.#chosen = chosen;
    const query = rangeQuery(chosen);
    history.replaceState(null, "", `${location.pathname}${query === "" ? "" : `?${query}`}${location.hash}`);
    this.#say();
    this.#onChange();
  }

  #say(): void {
    const { rangeMs, endUnixMs } = this.#chosen;
    const value = String(rangeMs ?? this.#windowMs);
    if (this.#list.value !== value) this.#offer(value);
    for (const option of this.#list.options) {
      const text = rangeText(Number(option.value));
      setText(option, endUnixMs === undefined ? `Last ${text}` : text);
    }
    const canStep = rangeMs !== undefined;
    this.#earlier.hidden = !canStep;
    this.#later.hidden = !canStep || endUnixMs === undefined;
    const from = (endUnixMs ?? 0) - (rangeMs ?? 0);
    setText(this.#said, endUnixMs === undefined ? "" : `${clock(from)} to ${clock(endUnixMs)} UTC`);
  }

  /** A range that a link names and the list does not have. */
  #offer(value: string): void {
    if (this.#windowMs === 0) return;
    if (![...this.#list.options].some((option) => option.value === value)) {
      this.#list.prepend(el("option", { value }));
    }
    this.#list.value = value;
  }
}
