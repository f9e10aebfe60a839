import packageJson from "../package.json" with { type: "json" };

/** The version of otelpipe: that of its package. */
export const version: string = packageJson.version;
