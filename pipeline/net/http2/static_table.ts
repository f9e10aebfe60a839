/** The static table of HPACK, names and values in turn. @see RFC 7541, appendix A. */
export const staticTable: readonly string[] = [
  [":authority", ""],
  [":method", "GET"],
  [":method", "POST"],
  [":path", "/"],
  [":path", "/index.html"],
  [":scheme", "http"],
  [":scheme", "https"],
  [":status", "200"],
  [":status", "204"],
  [":status", "206"],
  [":status", "304"],
  [":status", "400"],
  [":status", "404"],
  [":status", "500"],
  ["accept-charset", ""],
  ["accept-encoding", "gzip, deflate"],
  ...[
    "accept-language accept-ranges accept access-control-allow-origin age allow authorization cache-control",
    "content-disposition content-encoding content-language content-length content-location content-range content-type",
    "cookie date etag expect expires from host if-match if-modified-since if-none-match if-range if-unmodified-since",
    "last-modified link location max-forwards proxy-authenticate proxy-authorization range referer refresh retry-after",
    "server set-cookie strict-transport-security transfer-encoding user-agent vary via www-authenticate",
  ].flatMap((names) => names.split(" ").map((name) => [name, ""])),
].flat();

/** Index of the first entry of each name, for those that are written. */
export const staticIndex = {
  authority: 1,
  methodPost: 3,
  path: 4,
  schemeHttp: 6,
  schemeHttps: 7,
  status200: 8,
  contentType: 31,
  userAgent: 58,
};
