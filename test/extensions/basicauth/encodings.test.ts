import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isSlow, isWellFormed, matchesAtOnce } from "../../../extensions/basicauth/encodings.ts";
import { matchesSlowly } from "../../../extensions/basicauth/slow_encodings.ts";
import type { AuthVerdict, ServerAuthenticator } from "../../../pipeline/net/auth.ts";
import { start } from "../authenticators.ts";

/** Of the password `secret`, by `openssl passwd`, glibc's `crypt`, and SHA-1 of OpenSSL; one of bcrypt by Go's author. */
const known = [
  { name: "bcrypt, 2y", encoded: "$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a", password: "secret" },
  { name: "bcrypt, 2b", encoded: "$2b$08$hQbZuw.cHsECArUAP9mOjehaJxTG9NMJfioQIHcbC0YyXpVybhoQa", password: "bar" },
  { name: "bcrypt, 2x", encoded: "$2x$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a", password: "secret" },
  { name: "MD5 of Apache", encoded: "$apr1$saltsalt$LrttParrLPdxvgutaSXWJ0", password: "secret" },
  { name: "MD5 of crypt", encoded: "$1$saltsalt$9xy1btjgzLYfb7hivXtC//", password: "secret" },
  { name: "SHA-256 of crypt", encoded: "$5$saltsalt$0IyaXrmV7.sGNS6tirgqHLqX/G.FBvgkYA.lpPdS5sA", password: "secret" },
  {
    name: "SHA-512 of crypt",
    encoded: "$6$saltsalt$TVLlQcbpFVof5W3Yz4DTP6gRstiNuHwwTt6GLc1E5n0U0aDehy0S5knV8wiOQSpT0Y77vwPZN.Pq.H91p5hVO1",
    password: "secret",
  },
  {
    name: "SHA-512 of crypt, 1200 rounds",
    encoded:
      "$6$rounds=1200$saltsalt$xbr9HBARqH0YxPS2NZgINQ/kPjotuGKzvTMltvdQ4YSjkj/Dy26WC5RPFw1CGf6HUUU1tWo0NDGItpyE65UPl.",
    password: "secret",
  },
  { name: "SHA-1", encoded: "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=", password: "secret" },
  { name: "salted SHA-1", encoded: "{SSHA}gVK8WC9YyFT1gMsQHTGCgT3sSv5zYWx0", password: "secret" },
  { name: "plain text", encoded: "secret", password: "secret" },
  { name: "plain text as nginx marks it", encoded: "{PLAIN}secret", password: "secret" },
];

function matches(password: string, encoded: string): boolean {
  return isSlow(encoded) ? matchesSlowly({ password, encoded }) : matchesAtOnce(password, encoded);
}

describe("encodings of passwords", () => {
  for (const { name, encoded, password } of known) {
    it(`${name}: the password and nothing else matches`, () => {
      assert.ok(isWellFormed(encoded));
      assert.ok(matches(password, encoded));
      for (const other of ["", `${password}x`, password.toUpperCase(), encoded]) {
        assert.ok(!matches(other, encoded) || other === password || encoded === other, other);
      }
    });
  }

  for (const encoded of ["{SHA}5en6", "{SSHA}5en6", "$apr1$salt", "$1$", "$5$salt", "$6$salt"]) {
    it(`${encoded} is malformed`, () => assert.equal(isWellFormed(encoded), false));
  }

  for (const encoded of ["$2y$", "$2y$05$short", "$2y$99$abcdefghijklmnopqrstuu", "$6$rounds=x$salt$digest", "$5$$"]) {
    it(`${encoded} matches nothing`, () => assert.equal(matches("secret", encoded), false));
  }
});

describe("a password that is slow to check", () => {
  const credentials = (password: string) => {
    const authorization = `Basic ${Buffer.from(`ada:${password}`).toString("base64")}`;
    return { values: (name: string) => (name === "authorization" ? [authorization] : []) };
  };
  const server = async (encoded: string) => {
    const { extension } = await start("basicauth", { htpasswd: { inline: `ada:${encoded}` } });
    return extension as ServerAuthenticator;
  };
  const accepted = ({ accepted }: AuthVerdict) => accepted;

  it("is checked once, elsewhere; then it is known at once", async () => {
    const authenticator = await server("$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a");
    const first = authenticator.authenticate(credentials("secret"));
    assert.ok(first instanceof Promise);
    assert.ok(accepted(await first));
    const second = authenticator.authenticate(credentials("secret"));
    assert.ok(!(second instanceof Promise) && accepted(second));
    assert.ok(!accepted(await authenticator.authenticate(credentials("Secret"))));
    assert.ok(authenticator.authenticate(credentials("Secret")) instanceof Promise, "what is wrong is not remembered");
  });

  it("is answered with 'come back' when very many wait, not with a refusal for good", async () => {
    const authenticator = await server("$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a");
    const verdicts = await Promise.all(
      Array.from({ length: 80 }, async () => await authenticator.authenticate(credentials("secret"))),
    );
    const turnedAway = verdicts.filter((verdict) => !verdict.accepted);
    assert.ok(turnedAway.length > 0 && turnedAway.length < 20, String(turnedAway.length));
    assert.ok(turnedAway.every((verdict) => !verdict.accepted && verdict.comeBack === true));
  });
});
