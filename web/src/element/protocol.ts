// What the web component in the host's page and the page in the frame say to each other, by postMessage. Types alone: the
// component is one file, and shares no code with the page.
import type { EmbedCapability, EmbedTheme, Language } from "@hookwell/sdk";

/** In every message, so that neither takes another script's for its own. */
export const VERSION = 1;

/** What was changed in the frame. */
export interface Changed {
  what: "webhook" | "delivery" | "recovery";
  method: "POST" | "PATCH" | "DELETE";
}

export type FromFrame = { hookwell: typeof VERSION } & (
  | { type: "ready"; capabilities: readonly EmbedCapability[]; language: Language }
  | { type: "height"; height: number }
  /** Another screen of the frame is shown, from its top. */
  | { type: "top" }
  | { type: "expired" }
  | ({ type: "changed" } & Changed)
  | { type: "error"; code: string; message: string }
);

export type FromHost = { hookwell: typeof VERSION } & (
  | { type: "hello" }
  | { type: "theme"; theme: EmbedTheme }
  | { type: "language"; language: string }
  /** What of the frame is in sight, in its own pixels. */
  | { type: "view"; top: number; height: number }
  | { type: "link"; token: string }
);
