// Reading a file that a person has chosen, before any of it leaves the browser. The limits are the server's.
export const FILE_MAX_MEGABYTES = 5;
export const LINES_MAX = 20_000;
const BYTES_PER_MEGABYTE = 1024 * 1024;

/** What is wrong with a file; in the dictionaries under `import.mistake`. */
export type FileMistake = "file" | "tooBig" | "encoding" | "unreadable";

/** The file's text, or what is wrong with it. */
export async function readFile(file: File | null): Promise<{ text: string } | { mistake: FileMistake }> {
  if (file === null) return { mistake: "file" };
  if (file.size > FILE_MAX_MEGABYTES * BYTES_PER_MEGABYTE) return { mistake: "tooBig" };
  let bytes: ArrayBuffer;
  try {
    bytes = await file.arrayBuffer();
  } catch {
    // It was moved or changed since it was chosen.
    return { mistake: "unreadable" };
  }
  try {
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(bytes) };
  } catch {
    return { mistake: "encoding" };
  }
}
