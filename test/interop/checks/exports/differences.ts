import type { Reasons } from "../../scenarios.ts";

/** Where what leaves is otherwise on purpose. */
export const exportReasons: Reasons = {};
