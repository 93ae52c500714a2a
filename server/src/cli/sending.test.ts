import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../test/database.ts";
import { readConfig } from "../config.ts";
import { sendingCommand } from "./sending.ts";

let database: TestDatabase;
let printed = "";
beforeAll(async () => {
  database = await createTestDatabase();
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    printed += text;
    return true;
  });
});
afterEach(() => {
  printed = "";
});
afterAll(async () => {
  vi.restoreAllMocks();
  await database.drop();
});

const run = (...words: string[]) =>
  sendingCommand(() => readConfig({ DATABASE_URL: database.url })).parseAsync(words, { from: "user" });

describe("hookwell sending", () => {
  it("pauses, shows and resumes, and says when it was so already", async () => {
    await run("pause", "--all", "--reason", "moving house");
    await run("pause", "--all", "--reason", "again");
    await run("show");
    expect(printed).toMatch(/^Done\.\nIt was so already\.\nall\t\S+\tmoving house\n$/);
    printed = "";
    await run("resume", "--all", "--reason", "moved");
    await run("show");
    expect(printed).toBe("Done.\n");
  });

  it("says in its help what each command does", () => {
    const { commands } = sendingCommand(() => readConfig({}));
    expect(commands.map((command) => command.name())).toEqual(["show", "pause", "resume"]);
    for (const command of commands) expect(command.description()).not.toBe("");
  });

  it("wants to know of whom, and a clinic that is there", async () => {
    await expect(run("pause", "--reason", "x")).rejects.toThrow("Name either --clinic <id> or --all.");
    await expect(run("pause", "--all", "--clinic", "1", "--reason", "x")).rejects.toThrow("Name either");
    await expect(run("pause", "--clinic", "999", "--reason", "x")).rejects.toThrow("The clinic was not found");
    const embedded = sendingCommand(() => readConfig({}));
    await expect(embedded.parseAsync(["show"], { from: "user" })).rejects.toThrow("HOOKWELL_OPERATOR_KEY");
  });

  it("wants a reason that is kept, as the API does", async () => {
    await expect(run("pause", "--all", "--reason", " ")).rejects.toThrow(/^reason: Say why/);
    await expect(run("resume", "--all", "--reason", "x".repeat(501))).rejects.toThrow(
      /^reason: At most 500 characters/,
    );
    await run("show");
    expect(printed).toBe("");
  });
});
