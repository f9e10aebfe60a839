import { z } from "../config/schema.ts";

/**
 * A setting of the Collector that otelpipe knows and does not do yet. Absent or empty (`null`, `false`, `0`, `""`, `[]`,
 * `{}`) it is accepted; any other value is refused by name, so that no configuration means less here than it says.
 */
export function unsupported(key: string, summary: string) {
  return z
    .unknown()
    .superRefine((value, context) => {
      if (isEmpty(value)) return;
      context.addIssue({
        code: "custom",
        message: `${key} is not supported by otelpipe yet: remove it or leave it empty`,
      });
    })
    .optional()
    .describe(`${summary} Not supported yet: any value but an empty one is refused.`);
}

function isEmpty(value: unknown): boolean {
  if (typeof value === "object" && value !== null) return Object.keys(value).length === 0;
  return value === undefined || value === null || value === false || value === 0 || value === "" || value === "0s";
}
