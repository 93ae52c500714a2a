import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { PASSWORD_MIN_CHARACTERS } from "../accounts/auth.ts";
import { demoPassword } from "./password.ts";

it("the demo's password is made once, is long enough to sign in with, and only its owner can read it", async () => {
  const folder = await mkdtemp(join(tmpdir(), "hookwell-demo-"));
  try {
    const first = await demoPassword(folder);
    expect(first.isNew).toBe(true);
    expect(first.password.length).toBeGreaterThanOrEqual(PASSWORD_MIN_CHARACTERS);
    expect(await demoPassword(folder)).toEqual({ password: first.password, isNew: false });
    expect((await stat(join(folder, "demo-password"))).mode & 0o777).toBe(0o600);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
