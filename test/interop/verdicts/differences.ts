import type { VerdictConfig } from "./configs.ts";

/** Configurations of the table that otelpipe judges differently on purpose. */
export const verdictDifferences: readonly VerdictConfig[] = [];
