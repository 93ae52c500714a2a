/** Every resource of the API. A new one is a line here. */
import { authRoutes } from "./auth.ts";
import { consultsRoutes } from "./consults.ts";
import { deliveriesRoutes } from "./deliveries.ts";
import { eventTypesRoutes } from "./event-types.ts";
import { inboxRoutes } from "./inbox.ts";
import { meRoutes } from "./me.ts";
import { patientsRoutes } from "./patients.ts";
import { practitionersRoutes } from "./practitioners.ts";
import type { OpenRoutes, Routes } from "./server.ts";
import { servicesRoutes } from "./services.ts";
import { webhooksRoutes } from "./webhooks.ts";

/** Under /v1, for those who are signed in. */
export const V1_ROUTES: readonly Routes[] = [
  meRoutes,
  practitionersRoutes,
  patientsRoutes,
  servicesRoutes,
  consultsRoutes,
  eventTypesRoutes,
  webhooksRoutes,
  deliveriesRoutes,
  inboxRoutes,
];

/** For everybody. */
export const OPEN_ROUTES: readonly OpenRoutes[] = [authRoutes];
