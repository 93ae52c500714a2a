/** The names of the headers that every delivery carries (contract §7). Lower case, as HTTP/2 sends them. */
export const WEBHOOK_HEADERS = {
  /** Names one delivery; the same on every attempt. */
  id: "webhook-id",
  /** Of the attempt, in seconds since 1970. */
  timestamp: "webhook-timestamp",
  /** One entry per live secret, separated by spaces. */
  signature: "webhook-signature",
  /** Per webhook, without gaps; tests carry none. */
  sequence: "webhook-sequence",
  /** What the event is about, such as `consult:42`. */
  subject: "webhook-subject",
  /** Rises with each event of the subject; drop what is lower. */
  subjectVersion: "webhook-subject-version",
  attempt: "webhook-attempt",
  /** `true` on tests, absent otherwise. */
  test: "webhook-test",
} as const;
