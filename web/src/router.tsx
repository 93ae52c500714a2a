// Every address of the page, and what must be known before its screen is shown. Screens load when they are opened.
import type { QueryClient } from "@tanstack/react-query";
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from "@tanstack/react-router";
import { checkoutFilters } from "./academy/filters.ts";
import { ProblemError } from "./api.ts";
import { auditFilters } from "./audit/filters.ts";
import { invoiceFilters } from "./billing/filters.ts";
import { deliveryFilters } from "./deliveries/filters.ts";
import { withWords } from "./i18n/setup.ts";
import { importSearch } from "./import/search.ts";
import { membershipFilters } from "./memberships/filters.ts";
import { scheduleSearch } from "./schedule/week.ts";
import { meQuery } from "./session/queries.ts";
import { Crash } from "./ui/Crash.tsx";
import { NotFound } from "./ui/NotFound.tsx";
import { Shell } from "./ui/Shell.tsx";
import { LoadingRows } from "./ui/states.tsx";
import { webhooksSearch } from "./webhooks/search.ts";

const root = createRootRouteWithContext<{ queryClient: QueryClient }>()({ component: Outlet });

const signIn = createRoute({
  getParentRoute: () => root,
  path: "/sign-in",
  validateSearch: (search: Record<string, unknown>): { redirect?: string } =>
    typeof search.redirect === "string" ? { redirect: search.redirect } : {},
  component: lazyRouteComponent(() => withWords([], import("./session/SignInPage.tsx")), "SignInPage"),
});

/** Everything behind the sign-in. */
const shell = createRoute({
  getParentRoute: () => root,
  id: "shell",
  beforeLoad: async ({ context, location }) => {
    try {
      await context.queryClient.ensureQueryData(meQuery);
    } catch (error) {
      if (!(error instanceof ProblemError) || error.status !== 401) throw error;
      throw redirect({ to: "/sign-in", search: { redirect: location.href } });
    }
  },
  component: Shell,
  notFoundComponent: NotFound,
});

const home = createRoute({
  getParentRoute: () => shell,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: "/schedule" });
  },
});

const schedule = createRoute({
  getParentRoute: () => shell,
  path: "/schedule",
  validateSearch: scheduleSearch,
  component: lazyRouteComponent(() => withWords(["schedule"], import("./schedule/SchedulePage.tsx")), "SchedulePage"),
});

const billing = createRoute({
  getParentRoute: () => shell,
  path: "/billing",
  validateSearch: invoiceFilters,
  component: lazyRouteComponent(
    () => withWords(["billing", "memberships"], import("./billing/BillingPage.tsx")),
    "BillingPage",
  ),
});

const invoice = createRoute({
  getParentRoute: () => shell,
  path: "/billing/invoices/$invoiceId",
  component: lazyRouteComponent(
    () => withWords(["billing", "memberships"], import("./billing/InvoicePage.tsx")),
    "InvoicePage",
  ),
});

const packages = createRoute({
  getParentRoute: () => shell,
  path: "/billing/packages",
  component: lazyRouteComponent(
    () => withWords(["billing", "memberships"], import("./billing/PackagesPage.tsx")),
    "PackagesPage",
  ),
});

const giftCertificates = createRoute({
  getParentRoute: () => shell,
  path: "/billing/gift-certificates",
  component: lazyRouteComponent(
    () => withWords(["billing", "memberships"], import("./billing/GiftCertificatesPage.tsx")),
    "GiftCertificatesPage",
  ),
});

const memberships = createRoute({
  getParentRoute: () => shell,
  path: "/memberships",
  validateSearch: membershipFilters,
  component: lazyRouteComponent(
    () => withWords(["billing", "memberships"], import("./memberships/MembershipsPage.tsx")),
    "MembershipsPage",
  ),
});

const membership = createRoute({
  getParentRoute: () => shell,
  path: "/memberships/$membershipId",
  component: lazyRouteComponent(
    () => withWords(["billing", "memberships"], import("./memberships/MembershipPage.tsx")),
    "MembershipPage",
  ),
});

const plans = createRoute({
  getParentRoute: () => shell,
  path: "/memberships/plans",
  component: lazyRouteComponent(
    () => withWords(["billing", "memberships"], import("./memberships/PlansPage.tsx")),
    "PlansPage",
  ),
});

const webhooks = createRoute({
  getParentRoute: () => shell,
  path: "/consults/export/webhooks",
  validateSearch: webhooksSearch,
  component: lazyRouteComponent(() => withWords(["webhooks"], import("./webhooks/WebhooksPage.tsx")), "WebhooksPage"),
});

const deliveries = createRoute({
  getParentRoute: () => shell,
  path: "/deliveries",
  validateSearch: deliveryFilters,
  component: lazyRouteComponent(
    () => withWords(["deliveries"], import("./deliveries/DeliveriesPage.tsx")),
    "DeliveriesPage",
  ),
});

const delivery = createRoute({
  getParentRoute: () => deliveries,
  path: "$deliveryId",
  component: lazyRouteComponent(
    () => withWords(["deliveries", "embed"], import("./deliveries/DeliveryDrawer.tsx")),
    "DeliveryDrawer",
  ),
});

const notices = createRoute({
  getParentRoute: () => shell,
  path: "/notices",
  component: lazyRouteComponent(
    () => withWords(["embed", "notices", "webhooks"], import("./notices/NoticesPage.tsx")),
    "NoticesPage",
  ),
});

const inbox = createRoute({
  getParentRoute: () => shell,
  path: "/inbox",
  component: lazyRouteComponent(() => withWords(["inbox"], import("./inbox/InboxPage.tsx")), "InboxPage"),
});

const patients = createRoute({
  getParentRoute: () => shell,
  path: "/patients",
  component: lazyRouteComponent(() => withWords(["patients"], import("./patients/PatientsPage.tsx")), "PatientsPage"),
});

const patient = createRoute({
  getParentRoute: () => shell,
  path: "/patients/$patientId",
  component: lazyRouteComponent(
    () => withWords(["billing", "memberships", "patients"], import("./patients/PatientPage.tsx")),
    "PatientPage",
  ),
});

const academy = createRoute({
  getParentRoute: () => shell,
  path: "/academy",
  component: lazyRouteComponent(
    () => withWords(["academy", "billing", "memberships"], import("./academy/AcademyPage.tsx")),
    "AcademyPage",
  ),
});

const academyItem = createRoute({
  getParentRoute: () => shell,
  path: "/academy/$itemId",
  component: lazyRouteComponent(
    () => withWords(["academy", "billing", "memberships"], import("./academy/ItemPage.tsx")),
    "ItemPage",
  ),
});

const checkouts = createRoute({
  getParentRoute: () => shell,
  path: "/academy/checkouts",
  validateSearch: checkoutFilters,
  component: lazyRouteComponent(
    () => withWords(["academy", "billing", "memberships"], import("./academy/CheckoutsPage.tsx")),
    "CheckoutsPage",
  ),
});

const importing = createRoute({
  getParentRoute: () => shell,
  path: "/import",
  validateSearch: importSearch,
  component: lazyRouteComponent(() => withWords(["import"], import("./import/ImportPage.tsx")), "ImportPage"),
});

const apiKeys = createRoute({
  getParentRoute: () => shell,
  path: "/settings/api-keys",
  component: lazyRouteComponent(() => withWords(["settings"], import("./settings/ApiKeysPage.tsx")), "ApiKeysPage"),
});

const retention = createRoute({
  getParentRoute: () => shell,
  path: "/settings/retention",
  component: lazyRouteComponent(() => withWords(["settings"], import("./settings/RetentionPage.tsx")), "RetentionPage"),
});

const history = createRoute({
  getParentRoute: () => shell,
  path: "/settings/history",
  validateSearch: auditFilters,
  component: lazyRouteComponent(() => withWords(["audit", "webhooks"], import("./audit/AuditPage.tsx")), "AuditPage"),
});

const staffPage = createRoute({
  getParentRoute: () => shell,
  path: "/settings/staff",
  component: lazyRouteComponent(() => withWords(["settings"], import("./settings/StaffPage.tsx")), "StaffPage"),
});

const accountPage = createRoute({
  getParentRoute: () => shell,
  path: "/settings/account",
  component: lazyRouteComponent(() => withWords(["account"], import("./settings/AccountPage.tsx")), "AccountPage"),
});

const forgot = createRoute({
  getParentRoute: () => root,
  path: "/forgot-password",
  component: lazyRouteComponent(() => withWords(["account"], import("./session/ForgotPage.tsx")), "ForgotPage"),
});

const reset = createRoute({
  getParentRoute: () => root,
  path: "/reset-password",
  component: lazyRouteComponent(() => withWords(["account"], import("./session/ResetPage.tsx")), "ResetPage"),
});

const invitation = createRoute({
  getParentRoute: () => root,
  path: "/invitation",
  component: lazyRouteComponent(
    () => withWords(["account", "portal"], import("./session/InvitationPage.tsx")),
    "InvitationPage",
  ),
});

/** The patients' own doors: no member of staff is signed in by them. `step` is where a letter's link leads, or a patient goes. */
const portalStep = createRoute({
  getParentRoute: () => root,
  path: "/portal/$portalName/$step",
  component: lazyRouteComponent(() => withWords(["portal"], import("./portal/PortalStepPage.tsx")), "PortalStepPage"),
});

/** The patients' sign-up. */
const portal = createRoute({
  getParentRoute: () => root,
  path: "/portal/$portalName",
  component: lazyRouteComponent(() => withWords(["portal"], import("./portal/PortalPage.tsx")), "PortalPage"),
});

/** Any other address, inside the frame so that the way on is one click. */
const unknown = createRoute({ getParentRoute: () => shell, path: "$", component: NotFound });

const routes = root.addChildren([
  signIn,
  forgot,
  reset,
  invitation,
  portal,
  portalStep,
  shell.addChildren([
    home,
    schedule,
    patients,
    patient,
    billing,
    invoice,
    packages,
    giftCertificates,
    memberships,
    membership,
    plans,
    academy,
    academyItem,
    checkouts,
    webhooks,
    deliveries.addChildren([delivery]),
    notices,
    inbox,
    importing,
    apiKeys,
    retention,
    staffPage,
    accountPage,
    history,
    unknown,
  ]),
]);

/** The router of one page; the query client is where the screens find what the router has already asked for. */
export function makeRouter(queryClient: QueryClient) {
  return createRouter({
    routeTree: routes,
    context: { queryClient },
    defaultPreload: "intent",
    defaultPreloadStaleTime: 0,
    defaultErrorComponent: Crash,
    defaultNotFoundComponent: NotFound,
    defaultPendingComponent: LoadingRows,
    scrollRestoration: true,
  });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}
