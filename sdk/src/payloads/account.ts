/** Patient accounts: sign-up on the clinic's portal (contract §2). */
import { object, oneOf } from "../shapes.ts";
import { PERSON, type Person, SAMPLE_PATIENTS } from "./persons.ts";

export type AccountEventName = "patient_account.created";

/** Everything known of the change, as captured in its transaction. */
export interface AccountFacts {
  event: AccountEventName;
  client: Person;
}

/** The body that is sent. The client is the payload, so it is always there in full. */
export interface AccountBody {
  event: AccountEventName;
  client: Person;
}

export const ACCOUNT_SHAPE = object({ event: oneOf("patient_account.created"), client: PERSON });

export const ACCOUNT_SAMPLES: { readonly [E in AccountEventName]: AccountFacts } = {
  "patient_account.created": { event: "patient_account.created", client: { ...SAMPLE_PATIENTS.placeholder } },
};
