import { faded, isDark, token } from "../theme.ts";
import type { Palette } from "./look.ts";

const viridis = [
  "#440154",
  "#482878",
  "#3b528b",
  "#2c728e",
  "#21918c",
  "#28ae80",
  "#5ec962",
  "#8fb916",
  "#addc30",
  "#fde725",
];

/** The figures' colours as the style sheet has them now. */
export function readPalette(): Palette {
  const colors = isDark() ? viridis.slice(2) : viridis.slice(0, 8);
  const first = token("--series-1");
  return {
    series: [1, 2, 3, 4, 5, 6, 7].map((index) => token(`--series-${index}`)),
    error: token("--error"),
    control: token("--control"),
    text2: token("--text-2"),
    text3: token("--text-3"),
    line: token("--line-strong"),
    grid: token("--grid"),
    raised: token("--surface-2"),
    panel: token("--surface-1"),
    scale: colors.map((color, index) => [index / (colors.length - 1), color] as const),
    area: faded(first, 0.15),
  };
}
