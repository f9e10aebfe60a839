import type { Cell, Page, Table } from "./pages.ts";

const style =
  "body{font:14px/1.5 system-ui,sans-serif;margin:1.5em;color-scheme:light dark}" +
  "table{border-collapse:collapse;margin:0 0 1em}th,td{padding:.15em .8em;text-align:left;vertical-align:top}" +
  "tr:nth-child(even) td{background:#8881}";

/** A page for people. All that it shows is escaped: ids are what a user wrote. */
export function htmlPage({ title, tables, links = [] }: Page): string {
  const navigation = links.map(({ label, to }) => `<p>${anchor(label, to)}</p>`).join("\n");
  return `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>${escaped(title)}</title><style>${style}</style></head>
<body>
<h2>${escaped(title)}</h2>
${tables.map(tableHtml).join("\n")}
${navigation}
</body></html>
`;
}

function tableHtml({ name, columns, rows }: Table): string {
  const caption = name === undefined ? "" : `<h4>${escaped(name)}</h4>\n`;
  const header =
    columns === undefined ? "" : `<tr>${columns.map((column) => `<th>${escaped(column)}</th>`).join("")}</tr>\n`;
  const body = rows.map((row) => `<tr>${row.map((cell) => `<td>${cellHtml(cell)}</td>`).join("")}</tr>`).join("\n");
  return `${caption}<table>\n${header}${body}\n</table>`;
}

function cellHtml(cell: Cell): string {
  if (typeof cell === "string") return escaped(cell);
  if ("to" in cell) return anchor(cell.label, cell.to);
  const between = cell.isFlow === true ? " &rarr; " : "<br>";
  return cell.parts.map(cellHtml).join(between);
}

function anchor(label: string, to: string): string {
  return `<a href="${escaped(to)}">${escaped(label)}</a>`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
