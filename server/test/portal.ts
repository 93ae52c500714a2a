/** A clinic's portal as patients use it: signed up, confirmed by the letter's link, with a session of their own. */
import { getClinic } from "../src/clinic/clinics.ts";
import { inClinic } from "../src/db/pool.ts";
import { type Answer, anyAddress, type Caller, startTestApi, type TestApi, type TestClinic } from "./api.ts";
import { startTestMail, type TestMail, tokenIn } from "./mail.ts";

/** Of every patient, unless told. */
export const PATIENT_PASSWORD = "an invented pass phrase";

export class PortalSteps {
  readonly api: TestApi;
  readonly mail: TestMail;
  /** By which the portal's address names its clinic. */
  readonly portal: string;

  constructor(api: TestApi, mail: TestMail, portal: string) {
    this.api = api;
    this.mail = mail;
    this.portal = portal;
  }

  /** From an address of its own, so that limits do not add up. */
  post(path: string, body: object, at = this.portal): Promise<Answer> {
    return this.api.anonymous(`/portal-api/${at}/${path}`, { method: "POST", body, remoteAddress: anyAddress() });
  }

  own(caller: Caller, at = this.portal): Promise<Answer> {
    return caller(`/portal-api/${at}/session`);
  }

  signUp(email: string, password = PATIENT_PASSWORD): Promise<Answer> {
    return this.post("accounts", { name: "Test Example", email, password });
  }

  /** The token of the letter that came as the last of so many. */
  async linkOf(email: string, letters = 1): Promise<string> {
    const letter = (await this.mail.lettersTo(email, letters)).at(-1);
    if (letter === undefined) throw new Error("no letter came");
    return tokenIn(letter);
  }

  /** Signs up and confirms; what comes with the confirmation. */
  async confirmed(email: string): Promise<Answer> {
    await this.signUp(email);
    return this.post("confirm", { token: await this.linkOf(email), password: PATIENT_PASSWORD });
  }
}

export interface OpenPortal {
  readonly steps: PortalSteps;
  readonly api: TestApi;
  readonly mail: TestMail;
  readonly clinic: TestClinic;
  close(): Promise<void>;
}

/** An API with a mail server and one clinic; call `close` in `afterAll`. */
export async function openPortal(): Promise<OpenPortal> {
  const mail = await startTestMail();
  const api = await startTestApi({ mail: mail.sender });
  const clinic = await api.newClinic();
  return {
    ...{ api, mail, clinic },
    steps: new PortalSteps(api, mail, await portalNameOf(api, clinic.id)),
    async close() {
      await api.close();
      await mail.close();
    },
  };
}

export async function portalNameOf({ db }: TestApi, clinicId: number): Promise<string> {
  return (await inClinic(db, clinicId, (tx) => getClinic(tx, clinicId))).portalName;
}
