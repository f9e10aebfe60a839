import { generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";

/** X.509 certificates made in a test: EC keys on P-256, signed with SHA-256. @see RFC 5280, 4.1 */

export interface Certificate {
  /** PEM. */
  readonly cert: string;
  /** PEM. */
  readonly key: string;
}

export interface Authority extends Certificate {
  issue(name: string, options?: IssueOptions): Certificate;
}

interface IssueOptions {
  /** DNS names and IPv4 addresses; without any, `localhost` and 127.0.0.1. */
  readonly names?: readonly string[];
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

/** A new CA with a key of its own. */
export function authority(name: string): Authority {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const cert = certificate(name, publicKey, { name, key: privateKey }, {}, [basicConstraintsOfCa]);
  return {
    cert,
    key: pemOf(privateKey),
    issue(subject, options = {}) {
      const own = generateKeyPairSync("ec", { namedCurve: "P-256" });
      const extensions = [subjectAltName(options.names ?? ["localhost", "127.0.0.1"])];
      return {
        cert: certificate(subject, own.publicKey, { name, key: privateKey }, options, extensions),
        key: pemOf(own.privateKey),
      };
    },
  };
}

function pemOf(key: KeyObject): string {
  return key.export({ type: "pkcs8", format: "pem" }).toString();
}

function certificate(
  subject: string,
  publicKey: KeyObject,
  issuer: { readonly name: string; readonly key: KeyObject },
  { notBefore = new Date("2020-01-01T00:00:00Z"), notAfter = new Date("2049-01-01T00:00:00Z") }: IssueOptions,
  extensions: readonly Buffer[],
): string {
  const serial = randomBytes(8);
  serial[0] = (serial[0]! & 0x7f) | 0x01;
  const toBeSigned = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, serial),
    ecdsaWithSha256,
    nameOf(issuer.name),
    sequence(utcTime(notBefore), utcTime(notAfter)),
    nameOf(subject),
    publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, sequence(...extensions)),
  );
  const signature = sign("sha256", toBeSigned, issuer.key);
  const bytes = sequence(toBeSigned, ecdsaWithSha256, der(0x03, Buffer.concat([Buffer.from([0]), signature])));
  const lines = bytes.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(0x30, Buffer.concat(parts));
}

function oid(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, "hex"));
}

const ecdsaWithSha256 = sequence(oid("2a8648ce3d040302"));

/** `CN=name`. */
function nameOf(name: string): Buffer {
  return sequence(der(0x31, sequence(oid("550403"), der(0x0c, Buffer.from(name)))));
}

function utcTime(time: Date): Buffer {
  const text = time.toISOString().replace(/[-:T]/g, "").slice(2, 14);
  return der(0x17, Buffer.from(`${text}Z`));
}

const basicConstraintsOfCa = sequence(
  oid("551d13"),
  der(0x01, Buffer.from([0xff])),
  der(0x04, sequence(der(0x01, Buffer.from([0xff])))),
);

function subjectAltName(names: readonly string[]): Buffer {
  const isAddress = (name: string) => /^\d+(\.\d+){3}$/.test(name);
  const parts = names.map((name) =>
    isAddress(name) ? der(0x87, Buffer.from(name.split(".").map(Number))) : der(0x82, Buffer.from(name)),
  );
  return sequence(oid("551d11"), der(0x04, sequence(...parts)));
}
