/** Longest text from telemetry in a figure, in characters. */
const longestText = 80;

/**
 * Text from telemetry, safe for a Plotly name, tick or hover text: Plotly reads a small HTML there, so its signs become
 * entities; control and direction characters show as escapes; what is too long is cut in the middle.
 */
export function escapeText(text: string): string {
  return cutMiddle(text, longestText)
    .replace(/&/g, "&amp;")
    .replace(/</g, "&lt;")
    .replace(/>/g, "&gt;")
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, (sign) => `\\u{${(sign.codePointAt(0) ?? 0).toString(16)}}`);
}

function cutMiddle(text: string, longest: number): string {
  const signs = text.length > longest ? [...text.slice(0, longest), ...text.slice(-longest)] : [...text];
  if (text.length <= longest || signs.length <= longest) return text;
  const head = Math.ceil((longest - 1) / 2);
  return `${signs.slice(0, head).join("")}…${signs.slice(head + 1 - longest).join("")}`;
}
