// The addresses of the embedded page: the Webhooks room alone. They are kept in memory, because the browser's address and its
// way back belong to the page around the frame. The screens are the very same as ours.
import type { QueryClient } from "@tanstack/react-query";
import {
  createMemoryHistory,
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
} from "@tanstack/react-router";
import { deliveryFilters } from "../deliveries/filters.ts";
import { withWords } from "../i18n/setup.ts";
import { Crash } from "../ui/Crash.tsx";
import { LoadingRows } from "../ui/states.tsx";
import { EmbedShell } from "./EmbedShell.tsx";

const START = "/consults/export/webhooks";

const root = createRootRouteWithContext<{ queryClient: QueryClient }>()({ component: Outlet });
/** The ids are those of router.tsx: the screens ask for their route by it. */
const shell = createRoute({ getParentRoute: () => root, id: "shell", component: EmbedShell });

const webhooks = createRoute({
  getParentRoute: () => shell,
  path: START,
  component: lazyRouteComponent(() => withWords(["webhooks"], import("../webhooks/WebhooksPage.tsx")), "WebhooksPage"),
});
const deliveries = createRoute({
  getParentRoute: () => shell,
  path: "/deliveries",
  validateSearch: deliveryFilters,
  component: lazyRouteComponent(
    () => withWords(["deliveries"], import("../deliveries/DeliveriesPage.tsx")),
    "DeliveriesPage",
  ),
});
const delivery = createRoute({
  getParentRoute: () => deliveries,
  path: "$deliveryId",
  component: lazyRouteComponent(
    () => withWords(["deliveries", "embed"], import("../deliveries/DeliveryDrawer.tsx")),
    "DeliveryDrawer",
  ),
});

const routes = root.addChildren([shell.addChildren([webhooks, deliveries.addChildren([delivery])])]);

/** A fresh one, at the list of webhooks. */
export function makeEmbedRouter(queryClient: QueryClient) {
  return createRouter({
    routeTree: routes,
    history: createMemoryHistory({ initialEntries: [START] }),
    context: { queryClient },
    defaultErrorComponent: Crash,
    defaultNotFoundComponent: () => null,
    defaultPendingComponent: LoadingRows,
  });
}
