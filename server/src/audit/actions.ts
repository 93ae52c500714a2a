/** What the audit trail tells of, one word each. Every one has words in both languages (web/src/i18n, `audit.actions`). */
export const AUDIT_ACTIONS = [
  "api_key.created",
  "api_key.revoked",
  "audit.exported",
  "deliveries.pulled",
  "delivery.resent",
  "import.done",
  "import.refused",
  "import.started",
  "operational_webhook.changed",
  "operational_webhook.created",
  "operational_webhook.deleted",
  "operational_webhook.secret_rotated",
  "recovery.cancelled",
  "recovery.paused",
  "recovery.resumed",
  "recovery.started",
  "retention.changed",
  "sending.paused",
  "sending.resumed",
  "webhook.changed",
  "webhook.created",
  "webhook.deleted",
  "webhook.secret_revoked",
  "webhook.secret_rotated",
] as const;

export type AuditAction = (typeof AUDIT_ACTIONS)[number];
