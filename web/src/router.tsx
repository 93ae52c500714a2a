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
import { ProblemError } from "./api.ts";
import { deliveryFilters } from "./deliveries/filters.ts";
import { scheduleSearch } from "./schedule/week.ts";
import { meQuery } from "./session/queries.ts";
import { Crash } from "./ui/Crash.tsx";
import { NotFound } from "./ui/NotFound.tsx";
import { Shell } from "./ui/Shell.tsx";
import { LoadingRows } from "./ui/states.tsx";

const root = createRootRouteWithContext<{ queryClient: QueryClient }>()({ component: Outlet });

const signIn = createRoute({
  getParentRoute: () => root,
  path: "/sign-in",
  validateSearch: (search: Record<string, unknown>): { redirect?: string } =>
    typeof search.redirect === "string" ? { redirect: search.redirect } : {},
  component: lazyRouteComponent(() => import("./session/SignInPage.tsx"), "SignInPage"),
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
  component: lazyRouteComponent(() => import("./schedule/SchedulePage.tsx"), "SchedulePage"),
});

const webhooks = createRoute({
  getParentRoute: () => shell,
  path: "/consults/export/webhooks",
  component: lazyRouteComponent(() => import("./webhooks/WebhooksPage.tsx"), "WebhooksPage"),
});

const deliveries = createRoute({
  getParentRoute: () => shell,
  path: "/deliveries",
  validateSearch: deliveryFilters,
  component: lazyRouteComponent(() => import("./deliveries/DeliveriesPage.tsx"), "DeliveriesPage"),
});

const delivery = createRoute({
  getParentRoute: () => deliveries,
  path: "$deliveryId",
  component: lazyRouteComponent(() => import("./deliveries/DeliveryDrawer.tsx"), "DeliveryDrawer"),
});

const inbox = createRoute({
  getParentRoute: () => shell,
  path: "/inbox",
  component: lazyRouteComponent(() => import("./inbox/InboxPage.tsx"), "InboxPage"),
});

/** Any other address, inside the frame so that the way on is one click. */
const unknown = createRoute({ getParentRoute: () => shell, path: "$", component: NotFound });

const routes = root.addChildren([
  signIn,
  shell.addChildren([home, schedule, webhooks, deliveries.addChildren([delivery]), inbox, unknown]),
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
