/** Whether the database could not be asked, rather than that what it was asked was wrong. */

/** SQLSTATE classes: connection, resources used up, ended by an operator; and locks, deadlocks, a session that was ended. */
const OUTAGE_STATE = /^(08|53|57P)|^(40001|40P01|55P03|25P03)$/;
const OUTAGE_ERRNOS = new Set(["ECONNREFUSED", "ECONNRESET", "EPIPE", "ETIMEDOUT", "ENOTFOUND"]);
/** The driver's own errors have no code. */
const OUTAGE_MESSAGE =
  /^Connection terminated|not queryable|^timeout exceeded when trying to connect|^Query read timeout/;

/** True for what passes by itself, such as a database that restarts; to try again later is then no attempt too many. */
export function isOutage(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
  if (code === undefined) return OUTAGE_MESSAGE.test(error.message);
  return OUTAGE_ERRNOS.has(code) || OUTAGE_STATE.test(code);
}
