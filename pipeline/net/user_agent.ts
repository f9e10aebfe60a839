const architectures = new Map<string, string>([
  ["x64", "amd64"],
  ["ia32", "386"],
]);

/** `otelpipe/0.1.0 (linux/amd64)`, with the Collector's names for systems and processors. */
export function userAgent(build: { readonly command: string; readonly version: string }): string {
  return `${build.command}/${build.version} (${process.platform}/${architectures.get(process.arch) ?? process.arch})`;
}
