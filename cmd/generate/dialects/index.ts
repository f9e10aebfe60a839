import { current } from "./current.ts";
import type { Dialect } from "./dialect.ts";
import { langfuse } from "./langfuse.ts";
import { langsmith } from "./langsmith.ts";
import { llamatelemetry } from "./llamatelemetry.ts";
import type { DialectName } from "./names.ts";
import { older } from "./older.ts";
import { openinference } from "./openinference.ts";
import { openllmetry } from "./openllmetry.ts";
import { vercel } from "./vercel.ts";

export const dialects: Readonly<Record<DialectName, Dialect>> = {
  current,
  older,
  openllmetry,
  openinference,
  vercel,
  llamatelemetry,
  langsmith,
  langfuse,
};
