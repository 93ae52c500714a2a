// The session of the page in the frame: a link for a token, the token in memory and nowhere else, its end, and the next one.
import type { EmbedTheme, Language } from "@hookwell/sdk";
import { ProblemError, post, speakAs } from "../api/call.ts";
import type { Changed } from "../element/protocol.ts";
import type { Host } from "./host.ts";

interface Opened {
  token: string;
  lifetime_seconds: number;
  language: Language;
  theme: EmbedTheme;
}

/** `opens`: how many links were followed so far. `refused`: why the last one was not taken, in the server's word. */
export type EmbedState =
  | { readonly kind: "opening" }
  | { readonly kind: "open"; readonly opens: number }
  | { readonly kind: "ended" }
  | { readonly kind: "refused"; readonly code: string };

/** POSTs that change nothing. */
const LOOKING = /\/(check-url|test|recover\/count)$/;

export class EmbedSession {
  readonly #host: Host;
  #token: string | null = null;
  #ends: number | undefined;
  #opens = 0;
  #state: EmbedState = { kind: "opening" };
  readonly #listeners = new Set<() => void>();

  constructor(host: Host) {
    this.#host = host;
    speakAs({
      token: () => this.#token,
      refused: () => this.#end(),
      done: (method, path) => this.#tell(method, path),
    });
  }

  get state(): EmbedState {
    return this.#state;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Follows a link. Null where it was refused; the host is told why. */
  async open(link: string): Promise<Pick<Opened, "language" | "theme"> | null> {
    try {
      const opened = await post<Opened>("/embed/exchange", { link });
      clearTimeout(this.#ends);
      this.#token = opened.token;
      this.#ends = window.setTimeout(() => this.#end(), opened.lifetime_seconds * 1_000);
      return opened;
    } catch (error) {
      this.#refuse(error);
      return null;
    }
  }

  /** Once the page knows who it is for. */
  stand(): void {
    this.#opens += 1;
    this.#become({ kind: "open", opens: this.#opens });
  }

  /** Without a link, as after a reload of the frame alone: the host has to bring one. */
  wait(): void {
    this.#end();
  }

  #refuse(error: unknown): void {
    const code = error instanceof ProblemError ? error.code : "unknown";
    const message = error instanceof Error ? error.message : "";
    this.#become({ kind: "refused", code });
    this.#host.say({ type: "error", code, message });
  }

  #end(): void {
    if (this.#state.kind === "ended") return;
    clearTimeout(this.#ends);
    this.#token = null;
    this.#become({ kind: "ended" });
    this.#host.say({ type: "expired" });
  }

  #tell(method: string, path: string): void {
    if (method === "GET" || LOOKING.test(path) || path.startsWith("/embed/")) return;
    const what = path.includes("/recover") ? "recovery" : path.startsWith("/v1/deliveries") ? "delivery" : "webhook";
    this.#host.say({ type: "changed", what, method: method as Changed["method"] });
  }

  #become(state: EmbedState): void {
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }
}

/** The link's token, out of the address, where it stays no longer than it takes to read it. */
export function takeLink(): string {
  const token = window.location.hash.slice(1);
  if (token !== "") window.history.replaceState(null, "", window.location.pathname);
  return token;
}
