/** Whether a body, as the receiver parses it, fits the published JSON Schema of its event and data choice. */
import { Ajv2020 } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import type { EventName } from "../src/catalogue.ts";
import type { DataChoice } from "../src/choice.ts";
import { jsonSchema } from "../src/json-schema.ts";

const ajv = new Ajv2020({ strict: true, strictRequired: false, allErrors: true });
// biome-ignore lint/suspicious/noExplicitAny: ajv-formats is CommonJS and typed for a default import that is not there.
((formats as any).default ?? formats)(ajv);
// The plug-in does not know this format of the standard; the schema's own pattern is what is tried here.
ajv.addFormat("idn-email", true);

export function fits(event: EventName, choice: DataChoice, body: unknown): boolean {
  const key = `${event} ${choice.practitioner} ${choice.patient}`;
  const known = ajv.getSchema(key) ?? ajv.addSchema(jsonSchema(event, choice), key).getSchema(key);
  return known?.(body) === true;
}
