import { loadFonts } from "../fonts.ts";

/** What of Plotly the page uses. */
export interface Plotly {
  react(element: HTMLElement, data: readonly object[], layout: object, config: object): Promise<unknown>;
  purge(element: HTMLElement): void;
  readonly Plots: { resize(element: HTMLElement): Promise<unknown> };
}

/** Put in by the build: Plotly is a file of its own, 1.5 MB, and the page stands before it is there. */
declare const __PLOTLY_URL__: string;

let loading: Promise<Plotly> | undefined;

/** Loads Plotly once, and the fonts before it: it measures text only once. */
export function loadPlotly(): Promise<Plotly> {
  loading ??= loadFonts().then(loadScript);
  return loading;
}

function loadScript(): Promise<Plotly> {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = __PLOTLY_URL__;
    script.addEventListener("load", () => resolve((globalThis as unknown as { Plotly: Plotly }).Plotly));
    script.addEventListener("error", () => {
      loading = undefined;
      script.remove();
      reject(new Error("the part of the page that draws figures did not load"));
    });
    document.head.append(script);
  });
}
