// The page in the frame and the page around it: messages to and from the one window that may hold the frame. It owns whom it
// listens to: the parent window, from an origin that the server has named in this very document.
import { type FromFrame, type FromHost, VERSION } from "../element/protocol.ts";

const WAITING_MAX = 50;

type Said = FromFrame extends infer Message ? (Message extends unknown ? Omit<Message, "hookwell"> : never) : never;

export class Host {
  readonly #allowed: readonly string[];
  /** Known with the host's first word; what is said before waits for it. */
  #origin: string | null = null;
  #waiting: Said[] = [];

  /** @param allowed the origins that may hold the frame */
  constructor(allowed: readonly string[]) {
    this.#allowed = allowed;
  }

  /** To be called before the document has loaded: the host speaks first, as soon as it has. */
  listen(hear: (message: FromHost) => void): void {
    window.addEventListener("message", ({ source, origin, data }: MessageEvent) => {
      if (source !== window.parent || source === window || !this.#allowed.includes(origin)) return;
      if (data?.hookwell !== VERSION) return;
      this.#meet(origin);
      hear(data as FromHost);
    });
  }

  say(message: Said): void {
    if (this.#origin === null) this.#waiting = [...this.#waiting, message].slice(-WAITING_MAX);
    else window.parent.postMessage({ hookwell: VERSION, ...message }, this.#origin);
  }

  #meet(origin: string): void {
    if (this.#origin !== null) return;
    this.#origin = origin;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const message of waiting) this.say(message);
  }
}

/** What the server wrote into the document. */
export function allowedHosts(): readonly string[] {
  const named = document.querySelector<HTMLMetaElement>('meta[name="embed-hosts"]')?.content ?? "";
  return named.split(" ").filter((origin) => origin !== "");
}
