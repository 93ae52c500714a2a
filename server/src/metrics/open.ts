/** Puts the figures, the database's and the listener together. */
import type { Clock } from "../clock.ts";
import { type Pools, poolFigures } from "../db/pool.ts";
import type { Log } from "../log.ts";
import { listenForMetrics } from "./listener.ts";
import { Metrics, type MetricsOptions } from "./metrics.ts";
import { Snapshots } from "./snapshot.ts";

export interface OpenMetricsOptions extends Omit<MetricsOptions, "pools"> {
  readonly host: string;
  readonly port: number;
  readonly pools: Pools;
  readonly clock: Clock;
  readonly log: Log;
}

/** Opens `/metrics`; the port is shut with the stack. */
export async function openMetrics(parts: AsyncDisposableStack, options: OpenMetricsOptions): Promise<Metrics> {
  const { host, port, pools, clock, log } = options;
  const metrics = new Metrics({ ...options, pools: () => poolFigures(pools) });
  parts.defer(() => metrics.stop());
  const snapshots = new Snapshots({ owner: pools.owner, log, monotonicMs: clock.monotonicMs });
  const text = async () => metrics.text(await snapshots.read());
  const listener = await listenForMetrics({ host, port, log, text });
  parts.defer(() => listener.close());
  return metrics;
}
