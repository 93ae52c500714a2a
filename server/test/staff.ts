/** Staff of one clinic as they come in: invited by letter, accepted at the real route, signed in. */
import { type Answer, anyAddress, type Caller, signIn, startTestApi, type TestApi, type TestClinic } from "./api.ts";
import { startTestMail, type TestMail, tokenIn } from "./mail.ts";

/** Of everybody who joins. */
export const JOINED_PASSWORD = "an invented pass phrase";

export class StaffSteps {
  readonly api: TestApi;
  readonly mail: TestMail;
  readonly clinic: TestClinic;
  #people = 0;

  private constructor(parts: Pick<StaffSteps, "api" | "mail" | "clinic">) {
    this.api = parts.api;
    this.mail = parts.mail;
    this.clinic = parts.clinic;
  }

  /** An API with a mail server and one clinic; call `close` in `afterAll`. */
  static async open(): Promise<StaffSteps> {
    const mail = await startTestMail();
    const api = await startTestApi({ mail: mail.sender });
    return new StaffSteps({ api, mail, clinic: await api.newClinic() });
  }

  async close(): Promise<void> {
    await this.api.close();
    await this.mail.close();
  }

  /** Of somebody who was never asked before. */
  newEmail(): string {
    this.#people += 1;
    return `invited.${this.#people}@example.test`;
  }

  invite(email: string, role = "front_desk", caller: Caller = this.clinic.as.manager): Promise<Answer> {
    return caller("/v1/invitations", { method: "POST", body: { email, role } });
  }

  accept(body: object, caller: Caller = this.api.anonymous): Promise<Answer> {
    return caller("/api/invitations/accept", { method: "POST", remoteAddress: anyAddress(), body });
  }

  /** Invites somebody new to a clinic, who accepts. */
  async join(role = "front_desk", caller?: Caller): Promise<{ email: string; caller: Caller }> {
    const email = this.newEmail();
    await this.invite(email, role, caller);
    const [letter] = await this.mail.lettersTo(email);
    if (letter === undefined) throw new Error("no letter came");
    await this.accept({ token: tokenIn(letter), name: "Invited Example", password: JOINED_PASSWORD });
    return { email, caller: await signIn(this.api.app, { email, password: JOINED_PASSWORD }) };
  }
}

export async function staffOf(caller: Caller): Promise<{ user_id: string; email: string }[]> {
  return (await caller("/v1/staff")).json.data;
}

/** `nobody` where the clinic has no such member. */
export async function idOf(caller: Caller, email: string): Promise<string> {
  return (await staffOf(caller)).find((one) => one.email === email)?.user_id ?? "nobody";
}
