// <hookwell-webhooks link="…">: Hookwell's webhooks inside another page. It makes the frame and keeps it as high as what it
// shows, hands a fresh link on, tells the frame how to look, and says what happens there. It has no dependency, keeps
// nothing, and takes messages of its own frame alone. See docs/embed.md.
import type { FromFrame, FromHost } from "./protocol.ts";

const VERSION = 1;
const MIN_HEIGHT_PIXELS = 640;
const MAX_HEIGHT_PIXELS = 200_000;
/** Attributes that are the frame's look, by the name it knows them by. */
const LOOKS: Readonly<Record<string, string>> = {
  accent: "accent",
  "color-scheme": "color_scheme",
  radius: "radius",
  "font-size": "font_size",
};
const EVENTS: ReadonlySet<string> = new Set(["ready", "expired", "changed", "error"]);

/** Without the name of its kind, so that each message is told apart by its type. */
type Said = FromHost extends infer Message ? (Message extends unknown ? Omit<Message, "hookwell"> : never) : never;

class HookwellWebhooks extends HTMLElement {
  static readonly observedAttributes = ["link", "language", "min-height", ...Object.keys(LOOKS)];
  #frame: HTMLIFrameElement | null = null;
  #address: URL | null = null;
  /** The frame has answered: what it is told from now on arrives. */
  #stands = false;
  #pending = 0;
  /** The frame went with this element's place in the document; what comes back needs a new link. */
  #lost = false;
  readonly #root = this.attachShadow({ mode: "open" });
  readonly #hear = (event: MessageEvent) => this.#take(event);
  readonly #look = () => {
    if (this.#pending === 0) this.#pending = requestAnimationFrame(() => this.#tellView());
  };

  /** A one-time link, as POST /v1/embed-sessions answers it. It is taken and not kept: reading gives "". */
  get link(): string {
    return "";
  }

  set link(link: string) {
    this.#open(link);
  }

  connectedCallback(): void {
    this.style.display ||= "block";
    window.addEventListener("message", this.#hear);
    // Captured, because whatever holds this element may scroll, too.
    window.addEventListener("scroll", this.#look, { capture: true, passive: true });
    window.addEventListener("resize", this.#look);
    if (this.#lost) this.#emit("expired", {});
    this.#lost = false;
    this.#takeEarlyLink();
  }

  disconnectedCallback(): void {
    window.removeEventListener("message", this.#hear);
    window.removeEventListener("scroll", this.#look, { capture: true });
    window.removeEventListener("resize", this.#look);
    cancelAnimationFrame(this.#pending);
    this.#pending = 0;
    this.#lost = this.#frame !== null;
    this.#close();
  }

  /** One that was set before this script had come. */
  #takeEarlyLink(): void {
    const early = Object.getOwnPropertyDescriptor(this, "link")?.value;
    if (typeof early !== "string") return;
    Reflect.deleteProperty(this, "link");
    this.#open(early);
  }

  attributeChangedCallback(name: string, _before: string | null, now: string | null): void {
    if (name === "link") {
      if (now === null) return;
      // It opens once, and nobody who reads the document shall find it.
      this.removeAttribute("link");
      this.#open(now);
    } else if (name === "language") this.#tellLanguage();
    else if (name === "min-height") this.#frame?.style.setProperty("min-height", `${this.#minHeight()}px`);
    else this.#tellTheme();
  }

  /** A page that stands takes a new link without being loaded anew, so that nothing typed is lost. */
  #open(link: string): void {
    const url = URL.parse(link);
    if (url === null || !/^https?:$/.test(url.protocol) || url.hash.length < 2) {
      this.#emit("error", { code: "link_unknown", message: "This is no link of an embedded page." });
      return;
    }
    if (this.#stands && this.#address?.origin === url.origin && this.#address.pathname === url.pathname) {
      this.#say({ type: "link", token: url.hash.slice(1) });
      return;
    }
    this.#close();
    this.#address = url;
    this.#frame = this.#makeFrame(link);
    this.#root.append(this.#frame);
  }

  #makeFrame(link: string): HTMLIFrameElement {
    const frame = document.createElement("iframe");
    frame.title = "Webhooks";
    frame.allow = "clipboard-write";
    frame.referrerPolicy = "no-referrer";
    Object.assign(frame.style, { display: "block", width: "100%", border: "0", minHeight: `${this.#minHeight()}px` });
    frame.addEventListener("load", () => this.#say({ type: "hello" }));
    frame.src = link;
    return frame;
  }

  #close(): void {
    this.#frame?.remove();
    this.#frame = null;
    this.#address = null;
    this.#stands = false;
  }

  #minHeight(): number {
    const wanted = Number(this.getAttribute("min-height") ?? Number.NaN);
    return Number.isFinite(wanted) ? Math.min(Math.max(wanted, 0), MAX_HEIGHT_PIXELS) : MIN_HEIGHT_PIXELS;
  }

  #take({ source, origin, data }: MessageEvent): void {
    const isOurs = source !== null && source === this.#frame?.contentWindow && origin === this.#address?.origin;
    if (!isOurs || data?.hookwell !== VERSION) return;
    const message = data as FromFrame;
    this.#greet();
    if (message.type === "height") this.#fit(message.height);
    else if (message.type === "top") this.#toTop();
    else if (EVENTS.has(message.type)) {
      const { hookwell: _, type, ...detail } = message;
      this.#emit(type, detail);
    }
  }

  /** At its first word the frame learns what it has to know. */
  #greet(): void {
    if (this.#stands) return;
    this.#stands = true;
    this.#tellTheme();
    this.#tellLanguage();
    this.#tellView();
  }

  #fit(height: unknown): void {
    if (typeof height !== "number" || !(height >= 0)) return;
    this.#frame?.style.setProperty("height", `${Math.min(Math.ceil(height), MAX_HEIGHT_PIXELS)}px`);
    this.#look();
  }

  #toTop(): void {
    if (this.getBoundingClientRect().top < 0) this.scrollIntoView({ block: "start" });
  }

  #tellTheme(): void {
    const chosen = Object.entries(LOOKS).map(([attribute, name]) => [name, this.getAttribute(attribute)] as const);
    const theme = Object.fromEntries(chosen.filter(([, value]) => value !== null));
    if (Object.keys(theme).length > 0) this.#say({ type: "theme", theme });
  }

  #tellLanguage(): void {
    const language = this.getAttribute("language");
    if (language !== null) this.#say({ type: "language", language });
  }

  #tellView(): void {
    this.#pending = 0;
    if (this.#frame === null) return;
    const { top, bottom } = this.#frame.getBoundingClientRect();
    const height = Math.min(bottom, window.innerHeight) - Math.max(top, 0);
    this.#say({ type: "view", top: Math.max(0, -top), height: Math.max(0, height) });
  }

  /** To the frame's own origin alone, so that no other document that came into its place hears it. */
  #say(message: Said): void {
    const hears = this.#stands || message.type === "hello";
    if (!hears || this.#address === null) return;
    this.#frame?.contentWindow?.postMessage({ hookwell: VERSION, ...message }, this.#address.origin);
  }

  #emit(type: string, detail: object): void {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

if (customElements.get("hookwell-webhooks") === undefined) customElements.define("hookwell-webhooks", HookwellWebhooks);
