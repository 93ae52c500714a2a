/** Passwords, codes and letters are counted over all processes of a database: each further one gives a guesser nothing more. */
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../test/database.ts";
import { type ServerProcess, startProcess } from "../../test/processes.ts";
import { SIGN_INS_PER_MINUTE_MAX } from "./auth.ts";
import { TRY_RULES } from "./limits.ts";

let database: TestDatabase;
let servers: ServerProcess[];

beforeAll(async () => {
  database = await createTestDatabase();
  const parts = { role: "api", databaseUrl: database.url, masterKey: randomBytes(32).toString("base64") } as const;
  // One after the other: the first makes what both share.
  servers = [await startProcess(parts), await startProcess(parts)];
}, 120_000);
afterAll(async () => {
  await Promise.all(servers.map((server) => server.stop()));
  await database.drop();
});

/** Asks both in turn, 1.5 times as often as may be, and returns how many answers were no 429. */
async function answersBut429(max: number, path: string, bodyOf: (nth: number) => object): Promise<number> {
  let others = 0;
  for (let nth = 0; nth < max * 1.5; nth += 1) {
    const origin = servers[nth % servers.length]?.origin;
    const headers = { "content-type": "application/json" };
    const answer = await fetch(`${origin}${path}`, { method: "POST", headers, body: JSON.stringify(bodyOf(nth)) });
    await answer.arrayBuffer();
    if (answer.status >= 500) throw new Error(`${path} answered ${answer.status}`);
    if (answer.status !== 429) others += 1;
  }
  return others;
}

const PASSWORD = "a password of nobody";
const someone = (nth: number) => `nobody.${nth}@example.test`;

it.each<[what: string, max: number, path: string, bodyOf: (nth: number) => object]>([
  [
    "passwords of staff from one address, for whichever accounts",
    SIGN_INS_PER_MINUTE_MAX,
    "/api/auth/sign-in/email",
    (nth) => ({ email: someone(nth), password: PASSWORD }),
  ],
  ["codes of the second step", SIGN_INS_PER_MINUTE_MAX, "/api/auth/two-factor/verify-totp", () => ({ code: "123456" })],
  [
    "letters with a link to a new password",
    TRY_RULES.reset_address.max,
    "/api/auth/reset-requests",
    (nth) => ({ email: someone(nth), locale: "en" }),
  ],
  [
    "passwords of patients, at whichever portals",
    TRY_RULES.portal_password_address.max,
    "/portal-api/nowhere/session",
    (nth) => ({ email: someone(nth), password: PASSWORD }),
  ],
])("two processes together let pass as many as one: %s", async (_what, max, path, bodyOf) => {
  expect(await answersBut429(max, path, bodyOf)).toBe(max);
});
