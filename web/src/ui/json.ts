// Indentation is display only: what is sent stays one line, and is never made again from what is shown.

/** The same JSON, indented; text that is not JSON comes back as it is. */
export function prettyText(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    // A receiver or a person may send anything; then the text itself is the best display of it.
    return text;
  }
}
