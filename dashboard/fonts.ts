const longestWaitMs = 2_000;

const faces = [
  { family: "Inter", file: "/inter-", weight: "100 900" },
  { family: "JetBrains Mono", file: "/jetbrains-mono-", weight: "100 800" },
] as const;

let loading: Promise<unknown> | undefined;

/**
 * Resolves when the fonts are there, or when there is no use in waiting longer: the system's stand in. Some builds of
 * Chromium refuse a font that the style sheet names though its bytes have come; then it is made from these bytes.
 */
export function loadFonts(): Promise<unknown> {
  loading ??= Promise.race([
    Promise.allSettled(faces.map(loadFace)),
    new Promise((resolve) => setTimeout(resolve, longestWaitMs)),
  ]);
  return loading;
}

async function loadFace({ family, file, weight }: (typeof faces)[number]): Promise<void> {
  try {
    await document.fonts.load(`11px "${family}"`);
  } catch {
    const link = [...document.querySelectorAll<HTMLLinkElement>('link[as="font"]')].find(({ href }) =>
      href.includes(file),
    );
    if (link === undefined) return;
    const bytes = await (await fetch(link.href)).arrayBuffer();
    document.fonts.add(await new FontFace(family, bytes, { weight }).load());
  }
}
