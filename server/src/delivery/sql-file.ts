/** The statements in sql/, read once when their module is loaded. */
import { readFileSync } from "node:fs";

const INCLUDE = /^-- include (\w+\.sql)$/gm;

/** The text of `sql/<name>.sql`; each line `-- include <other>.sql` stands for that file. */
export function sqlFile(name: string): string {
  return read(`${name}.sql`).replace(INCLUDE, (_line, file: string) => read(file));
}

function read(file: string): string {
  return readFileSync(new URL(`./sql/${file}`, import.meta.url), "utf8");
}
