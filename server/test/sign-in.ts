/** Signing in step by step through the real routes, each request from a client address of its own. */
import { expect } from "vitest";
import { type Answer, anyAddress, type Caller, callerWith, cookieOf, TEST_ORIGIN, type TestApi } from "./api.ts";
import { codeOf } from "./totp.ts";

export interface Login {
  readonly email: string;
  readonly password: string;
}

export interface Enrolled extends Login {
  /** for the authenticator app */
  readonly uri: string;
  readonly backup: string[];
  readonly caller: Caller;
}

/** What of an answer says what became of the request. */
export const kept = ({ status, json }: Answer): unknown[] => [status, json?.code];

export class SignInSteps {
  readonly #api: TestApi;

  constructor(api: TestApi) {
    this.#api = api;
  }

  post(path: string, body: object, caller: Caller = this.#api.anonymous): Promise<Answer> {
    return caller(`/api/auth/${path}`, {
      method: "POST",
      body,
      remoteAddress: anyAddress(),
      headers: { origin: TEST_ORIGIN },
    });
  }

  /** A manager of a new clinic, who has not signed in yet. */
  async someone(): Promise<Login> {
    const { emails, password } = await this.#api.newClinic();
    return { email: emails.manager, password };
  }

  async session({ email, password }: Login): Promise<Caller> {
    const answer = await this.post("sign-in/email", { email, password });
    expect(answer.status).toBe(200);
    return callerWith(this.#api.app, cookieOf(answer));
  }

  /** Somebody who has turned the second step on, with the code before the one of now, so that the next ones are unused. */
  async enrolled(): Promise<Enrolled> {
    const login = await this.someone();
    const before = await this.session(login);
    const begun = await this.post("two-factor/enable", { password: login.password }, before);
    expect(begun.status).toBe(200);
    const { totp_uri: uri, backup_codes: backup } = begun.json;
    const done = await this.post("two-factor/verify-totp", { code: codeOf(uri, -1) }, before);
    expect(done.status).toBe(200);
    expect((await before("/v1/me")).status).toBe(401);
    return { ...login, uri, backup, caller: callerWith(this.#api.app, cookieOf(done)) };
  }

  /** The first step of somebody with a second one: the password alone. */
  async half({ email, password }: Login, cookies = ""): Promise<Caller> {
    const answer = await this.post("sign-in/email", { email, password }, callerWith(this.#api.app, cookies));
    expect([answer.status, answer.json]).toEqual([200, { two_factor_redirect: true }]);
    return callerWith(this.#api.app, cookieOf(answer));
  }
}
