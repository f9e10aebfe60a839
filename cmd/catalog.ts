import type { Manifest } from "../pipeline/manifest.ts";
import type { Catalog } from "../pipeline/registry.ts";
import { registry } from "./components.ts";
import manifest from "./manifest.generated.json" with { type: "json" };

/** The components of this build. */
export const catalog: Catalog = { registry, manifest: manifest as unknown as Manifest };
