/**
 * What a million rows that wait behind parked webhooks cost the healthy ones: the same drain beside 1,000,000 of them and beside
 * 1,000; and what memory the node needs for it.
 */
import { randomBytes } from "node:crypto";
import { startBenchServer } from "./database.ts";
import { type DrainContext, type DrainFigures, measureDrain, prepareBacklog } from "./drain.ts";
import { medians, type PartFigures, type SuiteOptions, spreads } from "./part.ts";
import { startReceiver } from "./receiver.ts";
import { printTopStatements } from "./statements.ts";
import { ratiosByRun, rounded } from "./statistics.ts";
import type { Workload } from "./workload.ts";

const HEALTHY = { webhooks: 100, each: 600 };
/** 100 parked webhooks; every event of their clinics is for all of a clinic's 25. */
const PARKED_CLINICS = 4;
const PARKED_PER_CLINIC = 25;
/** Nobody listens there; nothing is sent there either, as long as they are parked. */
const PARKED_URL = "http://127.0.0.1:9/hook";
const EVENT = "participant.added";

const PARK = `
  update runs set failures = 10, failing_since = now() - interval '2 hours', parked_at = now() - interval '1 hour',
    next_at = now() + interval '6 hours'
  where clinic_id = any ($1::bigint[])`;

export async function backlog(options: SuiteOptions): Promise<PartFigures> {
  const server = await startBenchServer({ statements: options.pgStats });
  const receiver = await startReceiver();
  const masterKey = randomBytes(32).toString("base64");
  const onSettled = options.pgStats ? () => printTopStatements(server, options.print) : undefined;
  const context: DrainContext = {
    server,
    receiver,
    masterKey,
    cpuProf: options.cpuProf,
    ...(onSettled && { onSettled }),
  };
  const runs: { small: DrainFigures; large: DrainFigures }[] = [];
  try {
    options.print("Preparing: 1,000 and 1,000,000 deliveries behind parked webhooks …");
    const prepared = (name: string, rows: number) =>
      prepareBacklog(context, { name, ...HEALTHY, more: (workload) => park(workload, rows) });
    const small = await prepared("parked_thousand", 1_000);
    const large = await prepared("parked_million", 1_000_000);
    for (let run = 1; run <= options.runs; run += 1) {
      const first = run % 2 === 1 ? small : large; // in turn, so that going first counts for neither
      const before = await measureDrain(context, first);
      const after = await measureDrain(context, first === small ? large : small);
      const found = first === small ? { small: before, large: after } : { small: after, large: before };
      runs.push(found);
      options.print(`Run ${run}: ${JSON.stringify(found)}`);
    }
  } finally {
    receiver.close();
    await server.stop();
  }
  const small = runs.map((run) => run.small.per_second);
  const large = runs.map((run) => run.large.per_second);
  const rss = runs.map((run) => run.large.rss_mb).filter((mb) => mb !== null);
  const flatness = { backlog_flatness: ratiosByRun(large, small) };
  const others = { beside_thousand_per_second: small, beside_million_per_second: large };
  return {
    keys: { ...medians(flatness), rss_mb_max: rss.length === 0 ? null : rounded(Math.max(...rss)) },
    supporting: medians(others),
    details: { ...spreads({ ...flatness, ...others }), rss_mb: rss },
  };
}

/** So many deliveries behind webhooks that are parked, as the engine leaves them: no bells, the next probe hours away. */
async function park(workload: Workload, rows: number): Promise<void> {
  const webhooks = Array.from({ length: PARKED_PER_CLINIC }, () => ({ event: EVENT, url: PARKED_URL }) as const);
  const clinics = await workload.createClinics({ clinics: PARKED_CLINICS, webhooks });
  const ids = clinics.map(({ id }) => id);
  const events = rows / PARKED_CLINICS / PARKED_PER_CLINIC;
  await workload.emit(clinics, () =>
    Array.from({ length: events }, (_, n) => ({ event: EVENT, subject: `consult:parked-${n}` })),
  );
  const { owner } = workload.pools;
  await owner.query(PARK, [ids]);
  await owner.query("delete from bells where clinic_id = any ($1::bigint[])", [ids]);
  const { rows: counted } = await owner.query<{ n: number }>(
    "select count(*)::int as n from deliveries where clinic_id = any ($1::bigint[])",
    [ids],
  );
  if (counted[0]?.n !== rows) throw new Error(`${counted[0]?.n} rows wait instead of ${rows}`);
}
