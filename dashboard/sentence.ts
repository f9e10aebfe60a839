import { gap, memory, share, timeSpan } from "../pipeline/number_text.ts";
import { byId, el, setText, visible } from "./dom.ts";
import type { Run, Tick } from "./wire/messages.ts";

let lastMeaning = "";

/** The sentence, and beside it what the process needs. Screen readers hear of a new meaning, not of new digits. */
export function showSentence({ sentence, process }: Tick): void {
  byId("state").dataset["level"] = sentence.level;
  byId("headline").replaceChildren(...sentence.headline.map(runOf));
  byId("detail").replaceChildren(...sentence.detail.map(runOf));
  if (sentence.meaning !== lastMeaning) {
    lastMeaning = sentence.meaning;
    setText(
      byId("announce"),
      [...sentence.headline, { text: " " }, ...sentence.detail].map((run) => visible(run.text)).join(""),
    );
  }
  const limit = process.memoryLimitBytes;
  byId("process").replaceChildren(
    fact(
      "Memory",
      limit > 0 ? share(process.rssBytes / limit) : memory(process.rssBytes),
      limit > 0 ? `of ${memory(limit)}` : "",
    ),
    fact("Loop lag", lag(process.loopLagMs), ""),
    fact("CPU", process.cpuCores.toFixed(2), "cores"),
  );
}

function lag(milliseconds: number): string {
  return milliseconds < 10 ? `${milliseconds.toFixed(1)}${gap}ms` : timeSpan(milliseconds);
}

function fact(name: string, value: string, rest: string): HTMLElement {
  return el("div", {}, el("dt", {}, name), el("dd", {}, el("b", {}, value), rest === "" ? undefined : ` ${rest}`));
}

function runOf({ text, code }: Run): HTMLElement | string {
  return code === true ? el("bdi", { class: "code" }, visible(text)) : visible(text);
}
