/** @hookwell/sdk: what Hookwell sends, and how to check it. The one barrel of the project. */
export * from "./catalogue.ts";
export { PROBLEMS_MAX, type Problem } from "./check.ts";
export * from "./choice.ts";
export * from "./embed.ts";
export {
  type Body,
  type BodyOf,
  checkFacts,
  type Facts,
  type FactsCheck,
  type FactsOf,
  sampleFacts,
} from "./facts.ts";
export { WEBHOOK_HEADERS } from "./headers.ts";
export { type JsonSchema, jsonSchema } from "./json-schema.ts";
export type {
  AcademyBody,
  AcademyEventName,
  AcademyFacts,
  AccessFacts,
  AccessPayment,
  CheckoutFacts,
  Resource,
  ResourceType,
} from "./payloads/academy.ts";
export type { AccountBody, AccountEventName, AccountFacts } from "./payloads/account.ts";
export type { Consult, ConsultBody, ConsultEventName, ConsultFacts, Service } from "./payloads/consult.ts";
export {
  INVOICE_STATUSES,
  INVOICE_TYPES,
  type Invoice,
  type InvoiceBody,
  type InvoiceEventName,
  type InvoiceFacts,
  type InvoiceStatus,
  type InvoiceType,
  type LineItem,
  PAYMENT_STATUSES,
  type Payment,
  type PaymentStatus,
} from "./payloads/invoice.ts";
export {
  MEMBERSHIP_TYPES,
  type Membership,
  type MembershipBody,
  type MembershipEventName,
  type MembershipFacts,
  type MembershipType,
  RECURRENCE_INTERVALS,
  type RecurrenceInterval,
} from "./payloads/membership.ts";
export type { IdOnly, Person, Practitioner } from "./payloads/persons.ts";
export { countParts, PARTICIPANTS_PER_REQUEST_MAX, project, render, type Slice } from "./project.ts";
export { LINE_ITEMS_MAX, PAYMENTS_MAX, UNITS_MAX } from "./shapes.ts";
export {
  decodePublicKey,
  decodeSecret,
  generateSecret,
  type HeaderSource,
  PRIVATE_KEY_PREFIX,
  PUBLIC_KEY_PREFIX,
  type RefusalReason,
  SECRET_MAX_BYTES,
  SECRET_MIN_BYTES,
  SECRET_PREFIX,
  type Secrets,
  type SignatureVersion,
  type SignInput,
  sign,
  TOLERANCE_DEFAULT_SECONDS,
  type Verification,
  type VerifyInput,
  verify,
} from "./signature.ts";
