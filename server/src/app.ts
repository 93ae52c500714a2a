/**
 * The composition root: the only place that wires.
 *
 * Owns the order in which parts are started and stopped. Promises: what was started is stopped when a later part fails; a
 * stop first stops being ready, then takes no new webhooks and lets deliveries in flight end, then takes no new requests,
 * then closes. Does not read the environment, print or handle signals (cli/).
 */
import { hostname } from "node:os";
import { join } from "node:path";
import { type Accounts, createAccounts } from "./accounts/accounts.ts";
import { watchStrandedLetters } from "./accounts/invitation-letters.ts";
import type { ApiContext } from "./api/context.ts";
import { embedPageRoutes } from "./api/embed-page.ts";
import { healthRoutes } from "./api/health.ts";
import { operatorRoutes } from "./api/operator.ts";
import { pageRoutes } from "./api/page.ts";
import { createServer as createApiServer, type ServerParts } from "./api/server.ts";
import { checkoutWork } from "./clinic/academy/checkouts.ts";
import { importWork } from "./clinic/import/import-work.ts";
import { practiceCard } from "./clinic/memberships/charger.ts";
import { membershipWork } from "./clinic/memberships/renewals.ts";
import { type Clock, systemClock } from "./clock.ts";
import type { Config } from "./config.ts";
import { freePort } from "./db/embedded/free-port.ts";
import { type EmbeddedError, startEmbedded } from "./db/embedded.ts";
import { migrate } from "./db/migrate.ts";
import { createKysely, createPools, type Pools } from "./db/pool.ts";
import type { Db } from "./db/schema.ts";
import { Dispatcher, type DispatcherOptions } from "./delivery/dispatcher.ts";
import { Neighbours } from "./delivery/notify.ts";
import { Recoverer } from "./delivery/recover.ts";
import { Sender } from "./delivery/sender.ts";
import { DeliveryStore } from "./delivery/store.ts";
import { Targets } from "./delivery/targets.ts";
import { sendTest } from "./delivery/test-send.ts";
import { createAllowList } from "./egress/allow-list.ts";
import { createEgress, type Egress } from "./egress/client.ts";
import { createMailSender } from "./egress/mail.ts";
import { OUTCOME_KINDS } from "./egress/outcome.ts";
import { inboxUrlPrefix, startInbox } from "./inbox/listener.ts";
import { type Log, logEvent } from "./log.ts";
import { startMaintenance } from "./maintenance.ts";
import type { Metrics } from "./metrics/metrics.ts";
import { openMetrics } from "./metrics/open.ts";
import { Notices } from "./notices/notices.ts";
import { Scheduler } from "./scheduler/scheduler.ts";
import { refuseForeignKey } from "./seal/foreign-key.ts";
import { loadAuthSecret } from "./seal/kept-secrets.ts";
import { loadMasterKeys } from "./seal/master-keys.ts";
import { Seal } from "./seal/seal.ts";
import { liveSecrets } from "./webhooks/secrets.ts";

/** The built page; made by `npm run build`. */
const PAGE_FOLDER: string = join(import.meta.dirname, "../../web/dist");

/** An import begins while somebody looks on; what falls due at the clinic by itself can wait a little longer. */
const IMPORT_POLL_MS = 3_000;
const CLINIC_WORK_POLL_MS = 8_000;

export interface AppOptions {
  readonly log: Log;
  readonly clock?: Clock;
  readonly pageFolder?: string;
  /** Addresses with ports of the name servers to ask; the system's by default. */
  readonly nameServers?: readonly string[];
  /** Called once if the embedded database goes away while it is in use; the process should end then. */
  readonly onDatabaseLost?: (error: EmbeddedError) => void;
  /** Called as soon as the embedded database runs, with the way to stop it without waiting for anything else. */
  readonly onDatabaseStarted?: (stop: () => Promise<void>) => void;
}

export interface RunningApp {
  /** Origin under which a browser finds it. */
  readonly publicUrl: string;
  readonly accounts: Accounts;
  /** One clinic at a time. */
  readonly db: Db;
  /** The operator's: creates clinics. */
  readonly owner: Db;
  readonly seal: Seal;
  readonly clock: Clock;
  /** Stops gracefully and returns when everything is closed. May be called twice. */
  stop(): Promise<void>;
}

/** Starts everything that the configuration asks for, database included, and returns once it answers. */
export async function createApp(config: Config, options: AppOptions): Promise<RunningApp> {
  await using parts = new AsyncDisposableStack();
  const app = await start(parts, await withPorts(config), options);
  const started = parts.move();
  let stopped: Promise<void> | undefined;
  return {
    ...app,
    stop() {
      stopped ??= started.disposeAsync();
      return stopped;
    },
  };
}

/** Port 0 means "any"; the public address and the inbox's have to be known before anything listens. */
async function withPorts(config: Config): Promise<Config> {
  const port = config.port || (await freePort(config.host));
  const inboxPort = config.inboxPort || (await freePort(config.host));
  const isAnywhere = config.publicUrl === "http://localhost:0";
  return { ...config, port, inboxPort, publicUrl: isAnywhere ? `http://localhost:${port}` : config.publicUrl };
}

type Started = Omit<RunningApp, "stop">;

/** Bottom up; the stack closes in the opposite order. */
async function start(parts: AsyncDisposableStack, config: Config, options: AppOptions): Promise<Started> {
  const { log, clock = systemClock } = options;
  const masterKeys = await loadMasterKeys(config);
  const pools = await openDatabase(parts, config, options);
  const db = createKysely(pools.app);
  const owner = createKysely(pools.owner);
  const seal = new Seal(masterKeys, { readAgain: () => loadMasterKeys(config) });
  await refuseForeignKey(owner, seal);
  const egress = createEgress({
    rules: {
      allowLoopback: config.allowLoopback,
      inboxUrlPrefix: inboxUrlPrefix(config.inboxPort),
      opened: createAllowList(config.allowed),
    },
    monotonicMs: clock.monotonicMs,
    ...(options.nameServers && { nameServers: options.nameServers }),
  });
  parts.defer(() => egress.close());
  const maintenance = await startMaintenance({ owner: pools.owner, log, retentionDays: config.retentionDays });
  parts.defer(() => maintenance.stop());
  const { publicUrl } = config;
  const secret = await loadAuthSecret(config, { owner, seal, masterKeys });
  const mail = config.mail === undefined ? null : createMailSender(config.mail);
  const accounts = createAccounts({ db, authPool: pools.auth, secret, publicUrl, log, mail });
  parts.defer(() => accounts.close());
  if (config.role !== "worker") parts.defer(watchStrandedLetters({ db, post: accounts.post, publicUrl }, log));
  const counting = { pools, clock, log, role: config.role, outcomes: OUTCOME_KINDS };
  const lettersWaiting = () => accounts.post.waiting;
  const metrics = config.metrics && (await openMetrics(parts, { ...config.metrics, ...counting, lettersWaiting }));
  const wiring: Wiring = { config, options, pools, db, seal, clock, log, egress, accounts, metrics };
  if (config.role !== "worker") await openInbox(parts, wiring);
  // Before the work begins and until it has ended, so that probes are answered all the while.
  const state: ServerState = { isReady: false, nudge: () => {} };
  await openServer(parts, wiring, state);
  state.nudge = await startWork(parts, wiring);
  parts.defer(() => {
    state.isReady = false;
  });
  state.isReady = true;
  logEvent(log, "server.started", { port: config.port, role: config.role });
  return { publicUrl, accounts, db, owner, seal, clock };
}

async function openDatabase(parts: AsyncDisposableStack, config: Config, options: AppOptions): Promise<Pools> {
  const { log, onDatabaseLost } = options;
  let url = config.databaseUrl;
  if (url === undefined) {
    const { dataFolder } = config;
    const embedded = await startEmbedded({ dataFolder, log, ...(onDatabaseLost && { onLost: onDatabaseLost }) });
    parts.defer(() => embedded.stop());
    options.onDatabaseStarted?.(() => embedded.stop());
    url = embedded.url;
  }
  const pools = createPools({ url, log });
  parts.defer(() => pools.close());
  await migrate({ owner: pools.owner, log });
  return pools;
}

interface Wiring {
  readonly config: Config;
  readonly options: AppOptions;
  readonly pools: Pools;
  readonly db: Db;
  readonly seal: Seal;
  readonly clock: Clock;
  readonly log: Log;
  readonly egress: Egress;
  readonly accounts: Accounts;
  readonly metrics: Metrics | undefined;
}

async function openInbox(parts: AsyncDisposableStack, { config, db, seal, clock, log }: Wiring): Promise<void> {
  const inbox = await startInbox({ db, seal, clock, log, port: config.inboxPort, secretsOf: liveSecrets });
  parts.defer(() => inbox.close());
}

/** Starts what this process does besides answering requests; returns what wakes it after a commit that emitted. */
async function startWork(parts: AsyncDisposableStack, wiring: Wiring): Promise<ServerState["nudge"]> {
  const { config, pools, clock, log } = wiring;
  const connect = () => pools.createClient("neighbours");
  if (config.role === "api") {
    const neighbours = new Neighbours({ connect, clock, log });
    neighbours.start();
    parts.defer(() => neighbours.stop());
    return () => neighbours.tell();
  }
  // The embedded database belongs to one process: it has no neighbours, and whoever was registered before is dead.
  const alone = config.databaseUrl === undefined;
  const dispatcher = createDispatcher(wiring, { alone, onGivenUp: () => neighbours?.tell() });
  const neighbours = alone ? null : new Neighbours({ connect, clock, log, onWord: () => dispatcher.nudge() });
  neighbours?.start();
  parts.defer(async () => neighbours?.stop());
  const notices = startNotices(wiring);
  parts.defer(() => notices.stop());
  await dispatcher.start();
  const nudge: ServerState["nudge"] = (clinicId, webhookIds) => {
    dispatcher.nudge(clinicId, webhookIds);
    if (dispatcher.needsHelp(clinicId, webhookIds)) neighbours?.tell();
  };
  const recoverer = new Recoverer({ pool: pools.dispatch, log, nudge });
  recoverer.start();
  const works = [...startSchedulers(wiring, nudge), recoverer];
  parts.defer(async () => {
    await Promise.all([dispatcher.stop(), ...works.map((work) => work.stop())]);
  });
  return nudge;
}

function createDispatcher(
  { config, pools, seal, egress, clock, log, metrics }: Wiring,
  company: Pick<DispatcherOptions, "alone" | "onGivenUp">,
): Dispatcher {
  return new Dispatcher({
    store: new DeliveryStore(pools.engine, pools.pulse),
    db: createKysely(pools.dispatch),
    ...{ seal, egress, clock, log, ...company },
    name: `${hostname()} ${process.pid}`,
    hostPerSecond: config.hostPacePerSecond,
    onSettled: metrics && ((settled) => metrics.attempted(settled)),
  });
}

function startSchedulers({ db, seal, clock, log }: Wiring, nudge: ServerState["nudge"]): Scheduler[] {
  // A large import takes minutes, and nobody's renewal shall wait for it.
  const shared = { db, outbox: { seal, clock }, log, nudge };
  const schedulers = [
    new Scheduler({ ...shared, works: [membershipWork(practiceCard), checkoutWork], pollMs: CLINIC_WORK_POLL_MS }),
    new Scheduler({ ...shared, works: [importWork(db)], pollMs: IMPORT_POLL_MS }),
  ];
  for (const scheduler of schedulers) scheduler.start();
  return schedulers;
}

function startNotices({ config, pools, seal, clock, log, egress }: Wiring): Notices {
  const mail = config.mail === undefined ? null : createMailSender(config.mail);
  const db = createKysely(pools.dispatch);
  const notices = new Notices({ ...{ db, seal, clock, log, egress, mail }, publicUrl: config.publicUrl });
  notices.start();
  return notices;
}

/** What the server asks of the rest while it runs. */
interface ServerState {
  isReady: boolean;
  /** after a commit that emitted, for the clinic that did, and for the webhooks it has woken where they are known */
  nudge: ApiContext["nudge"];
}

async function openServer(parts: AsyncDisposableStack, wiring: Wiring, state: ServerState): Promise<void> {
  const { config, options, pools, db, seal, clock, log, egress, accounts, metrics } = wiring;
  const dispatchDb = createKysely(pools.dispatch);
  const store = new DeliveryStore(pools.engine);
  const targets = new Targets({ db: dispatchDb, seal, clock });
  const sender = new Sender({ db: dispatchDb, clock, log, egress, targets });
  const context: ApiContext = {
    ...{ db, seal, clock, log, accounts, egress, metrics },
    nudge: (clinicId, webhookIds) => {
      if (webhookIds?.length !== 0) state.nudge(clinicId, webhookIds); // none: nobody listened
    },
    publicUrl: config.publicUrl,
    trustProxy: config.trustProxy,
    allowLoopback: config.allowLoopback,
    outbox: { seal, clock },
    sendTest: (test) => sendTest({ db, seal, clock, store, targets, sender }, test),
    inboxUrlPrefix: inboxUrlPrefix(config.inboxPort),
    retentionDays: config.retentionDays,
    sendsEmail: config.mail !== undefined,
  };
  const health = healthRoutes({ isReady: () => state.isReady, allowLoopback: config.allowLoopback });
  const folder = options.pageFolder ?? PAGE_FOLDER;
  const pages = [embedPageRoutes(folder), pageRoutes(folder)];
  const { operatorKey: key } = config;
  const operator = key === undefined ? [] : [operatorRoutes({ key, db: createKysely(pools.owner) })];
  const routes =
    config.role === "worker" ? { v1: [], open: [health] } : await allRoutes([health, ...operator, ...pages]);
  const server = await createApiServer(context, routes);
  parts.defer(async () => {
    await server.close();
    logEvent(log, "server.stopped");
  });
  await server.listen({ host: config.host, port: config.port });
}

/** Read only where they are answered: what checks the bodies of requests takes memory that a worker can do without. */
async function allRoutes(own: ServerParts["open"]): Promise<ServerParts> {
  const { OPEN_ROUTES, V1_ROUTES } = await import("./api/routes.ts");
  return { v1: V1_ROUTES, open: [...own, ...OPEN_ROUTES] };
}
