/** Every resource of the API. A new one is a line here. */
import { academyRoutes } from "./academy.ts";
import { apiKeysRoutes } from "./api-keys.ts";
import { auditRoutes } from "./audit.ts";
import { authRoutes } from "./auth.ts";
import { checkoutsRoutes } from "./checkouts.ts";
import { consultsRoutes } from "./consults.ts";
import { deliveriesRoutes } from "./deliveries.ts";
import { embedExchangeRoutes, embedSessionsRoutes } from "./embed-sessions.ts";
import { eventTypesRoutes } from "./event-types.ts";
import { feedRoutes } from "./feed.ts";
import { giftCertificatesRoutes } from "./gift-certificates.ts";
import { importsRoutes } from "./imports.ts";
import { inboxRoutes } from "./inbox.ts";
import { invitationRoutes } from "./invitations.ts";
import { invoicesRoutes } from "./invoices.ts";
import { meRoutes } from "./me.ts";
import { membershipPlansRoutes } from "./membership-plans.ts";
import { membershipsRoutes } from "./memberships.ts";
import { noticesRoutes } from "./notices.ts";
import { operationalWebhookRoutes } from "./operational-webhook.ts";
import { packagesRoutes } from "./packages.ts";
import { patientsRoutes } from "./patients.ts";
import { portalRoutes } from "./portal.ts";
import { practitionersRoutes } from "./practitioners.ts";
import { publicKeysRoutes } from "./public-keys.ts";
import { pullRoutes } from "./pull.ts";
import { recoverRoutes } from "./recover.ts";
import { retentionRoutes } from "./retention.ts";
import { seriesRoutes } from "./series.ts";
import type { OpenRoutes, Routes } from "./server.ts";
import { servicesRoutes } from "./services.ts";
import { staffRoutes } from "./staff.ts";
import { streamRoutes } from "./stream.ts";
import { webhookSecretsRoutes } from "./webhook-secrets.ts";
import { webhooksRoutes } from "./webhooks.ts";

/** Under /v1, for those who are signed in. */
export const V1_ROUTES: readonly Routes[] = [
  meRoutes,
  practitionersRoutes,
  patientsRoutes,
  servicesRoutes,
  consultsRoutes,
  invoicesRoutes,
  packagesRoutes,
  giftCertificatesRoutes,
  academyRoutes,
  checkoutsRoutes,
  membershipPlansRoutes,
  membershipsRoutes,
  seriesRoutes,
  eventTypesRoutes,
  webhooksRoutes,
  webhookSecretsRoutes,
  deliveriesRoutes,
  noticesRoutes,
  operationalWebhookRoutes,
  recoverRoutes,
  pullRoutes,
  importsRoutes,
  inboxRoutes,
  apiKeysRoutes,
  embedSessionsRoutes,
  staffRoutes,
  feedRoutes,
  retentionRoutes,
  auditRoutes,
  streamRoutes,
];

/** For everybody. */
export const OPEN_ROUTES: readonly OpenRoutes[] = [
  authRoutes,
  invitationRoutes,
  portalRoutes,
  publicKeysRoutes,
  embedExchangeRoutes,
];
