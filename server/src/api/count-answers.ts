/** Counts each answer by its route's pattern, method and status: for /metrics, which is on another port. */
import type { Metrics } from "../metrics/metrics.ts";
import { UNKNOWN_ROUTE } from "../metrics/metrics.ts";
import type { App } from "./server.ts";

/** To be called before any route is registered: the patterns are the labels that there can be. */
export function countAnswers(app: App, metrics: Metrics | undefined): void {
  if (metrics === undefined) return;
  app.addHook("onRoute", ({ url }) => metrics.knowRoutes([url]));
  app.addHook("onResponse", async ({ method, routeOptions }, reply) => {
    const route = routeOptions.url ?? UNKNOWN_ROUTE;
    metrics.answered({ method, route, status: reply.statusCode, durationMs: reply.elapsedTime });
  });
}
