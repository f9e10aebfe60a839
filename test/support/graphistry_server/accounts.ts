import { randomBytes } from "node:crypto";

export interface Organization {
  readonly slug: string;
  readonly isMember: boolean;
}

export interface Account {
  readonly username: string;
  readonly password: string;
  /** Secrets by key id. */
  readonly keys: Readonly<Record<string, string>>;
  /** Besides the personal one, which is named as the user. */
  readonly organizations: readonly Organization[];
}

interface Grant {
  readonly account: Account;
  readonly organization: string;
  readonly expiresMs: number;
  /** When the login was that the token descends from. */
  readonly loggedInMs: number;
}

const refreshableForMs = 24 * 3600_000;

/** Users, and the tokens they were given. */
export class Accounts {
  readonly #accounts: readonly Account[];
  readonly #nowMs: () => number;
  readonly #tokenLifetimeMs: number;
  readonly #grants = new Map<string, Grant>();

  constructor(accounts: readonly Account[], nowMs: () => number, tokenLifetimeMs: number) {
    this.#accounts = accounts;
    this.#nowMs = nowMs;
    this.#tokenLifetimeMs = tokenLifetimeMs;
  }

  /** Tokens that were handed out. */
  get tokens(): readonly string[] {
    return [...this.#grants.keys()];
  }

  byPassword(username: unknown, password: unknown): Account | undefined {
    return this.#accounts.find((account) => account.username === username && account.password === password);
  }

  /** @param header exactly `PersonalKey <id>:<secret>` */
  byPersonalKey(header: string | undefined): Account | undefined {
    const [, id = "", secret = ""] = /^PersonalKey ([^:\s]+):(\S+)$/.exec(header ?? "") ?? [];
    return this.#accounts.find((account) => secret !== "" && account.keys[id] === secret);
  }

  /** What a login answers. An organization that is not known is silently replaced by the personal one. */
  login(account: Account, asked: unknown) {
    const organization = account.organizations.find(({ slug }) => slug === asked);
    const slug = organization?.slug ?? account.username;
    const token = this.#grant({ account, organization: slug, loggedInMs: this.#nowMs() });
    return {
      token,
      user: { username: account.username },
      active_organization: { slug, is_found: true, is_member: organization?.isMember ?? true },
    };
  }

  /** Who a live token belongs to. */
  holder(token: unknown): Account | undefined {
    const grant = this.#grants.get(String(token));
    return grant !== undefined && grant.expiresMs > this.#nowMs() ? grant.account : undefined;
  }

  refresh(token: unknown): string | undefined {
    const grant = this.#grants.get(String(token));
    const nowMs = this.#nowMs();
    if (grant === undefined || grant.expiresMs <= nowMs || nowMs - grant.loggedInMs >= refreshableForMs)
      return undefined;
    return this.#grant(grant);
  }

  #grant({ account, organization, loggedInMs }: Omit<Grant, "expiresMs">): string {
    const expiresMs = this.#nowMs() + this.#tokenLifetimeMs;
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const payload = { username: account.username, exp: Math.floor(expiresMs / 1000), orig_iat: loggedInMs / 1000 };
    const token = `${part({ typ: "JWT", alg: "HS256" })}.${part(payload)}.${randomBytes(32).toString("base64url")}`;
    this.#grants.set(token, { account, organization, expiresMs, loggedInMs });
    return token;
  }
}

/** Whether an account may own things as `slug`; not naming one is the personal one. */
export function isOrganizationOf(account: Account, slug: unknown): boolean {
  if (slug === undefined || slug === null || slug === account.username) return true;
  return account.organizations.some((organization) => organization.slug === slug && organization.isMember);
}
