// The composition root of the embedded page. Nothing of it is kept in the browser: no cookie, no storage; the token lives in
// this document's memory. Who holds the frame decides how it looks and speaks, within a list.
import "../ui/mantine.css";
import "../ui/base.css";
import "./embed.css";
import { type EmbedTheme, LANGUAGES, readEmbedTheme } from "@hookwell/sdk";
import { QueryClient } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { ProblemError } from "../api.ts";
import type { FromHost } from "../element/protocol.ts";
import { chooseLanguage, type Language } from "../i18n/languages.ts";
import { changeLanguage, startLanguage, withWords } from "../i18n/setup.ts";
import { meQuery } from "../session/queries.ts";
import { watchFocus } from "../ui/focus.ts";
import { keepNoDrafts } from "../webhooks/kept-draft.ts";
import { EmbedApp, Live } from "./EmbedApp.tsx";
import { allowedHosts, Host } from "./host.ts";
import { EmbedSession, takeLink } from "./session.ts";

const RETRIES = 2;

keepNoDrafts();
watchFocus();

const place = document.getElementById("root");
if (place === null) throw new Error("embed.html has no #root");
const host = new Host(allowedHosts());
const session = new EmbedSession(host);
const theme = new Live<EmbedTheme>({});
const person = new Live<string | null>(null);
const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      retry: (failures, error) => !(error instanceof ProblemError && error.status < 500) && failures < RETRIES,
      staleTime: 1_000,
    },
  },
});
/** What the host's page asks for goes over what the session was made with. */
let asked: { theme: EmbedTheme; language: Language | null } = { theme: {}, language: null };
let language: Language = chooseLanguage(null, navigator.languages);

async function speak(wanted: Language): Promise<void> {
  if (wanted === language) return;
  language = wanted;
  await changeLanguage(wanted, { remember: false });
}

/** Follows a link: the first one, or the next after an end. What was typed stays unless it is for somebody else. */
async function open(link: string): Promise<void> {
  const opened = await session.open(link);
  if (opened === null) return;
  theme.set({ ...readEmbedTheme(opened.theme), ...asked.theme });
  await speak(asked.language ?? opened.language);
  const me = await queryClient.fetchQuery({ ...meQuery, staleTime: 0 });
  const who = `${me.clinic.id} ${me.user.id}`;
  if (person.get() !== null && person.get() !== who) queryClient.clear();
  queryClient.setQueryData(meQuery.queryKey, me);
  session.stand();
  if (person.get() === who) await queryClient.invalidateQueries();
  else person.set(who);
  host.say({ type: "ready", capabilities: me.embedded?.capabilities ?? [], language });
}

function see({ top, height }: { top: unknown; height: unknown }): void {
  if (typeof top !== "number" || typeof height !== "number") return;
  // A sliver in sight is too little for a dialog: it may reach beyond.
  const least = Math.min(VIEW_MIN_PIXELS, window.innerHeight);
  const seen = Math.min(Math.max(height, least), window.innerHeight);
  const { style } = document.documentElement;
  style.setProperty("--hw-view-top", `${Math.max(0, Math.min(top, window.innerHeight - seen))}px`);
  style.setProperty("--hw-view-height", `${seen}px`);
}
const VIEW_MIN_PIXELS = 420;

function hear(message: FromHost): void {
  if (message.type === "view") see(message);
  else if (message.type === "theme") {
    asked = { ...asked, theme: readEmbedTheme(message.theme) };
    theme.set({ ...theme.get(), ...asked.theme });
  } else if (message.type === "language") {
    const known = LANGUAGES.find((one) => one === message.language) ?? null;
    asked = { ...asked, language: known };
    if (known !== null) run(started.then(() => speak(known)));
  } else if (message.type === "link" && typeof message.token === "string") run(started.then(() => open(message.token)));
}

/** A failure on the way is told to whoever holds the frame; nobody else could do anything about it. */
function run(work: Promise<void>): void {
  work.catch((error: unknown) => {
    const code = error instanceof ProblemError ? error.code : "unknown";
    host.say({ type: "error", code, message: error instanceof Error ? error.message : "" });
  });
}

function tellHeight(root: HTMLElement): void {
  const tell = () => host.say({ type: "height", height: Math.ceil(root.getBoundingClientRect().height) });
  new ResizeObserver(tell).observe(root);
}

// Before anything is waited for: the host speaks as soon as this document has loaded.
const { promise: started, resolve: hasStarted } = Promise.withResolvers<void>();
host.listen(hear);
const link = takeLink();
tellHeight(place);

async function start(root: HTMLElement): Promise<void> {
  await startLanguage(language);
  await withWords(["embed"], Promise.resolve());
  hasStarted();
  createRoot(root).render(
    <StrictMode>
      <EmbedApp {...{ host, session, queryClient, theme, person }} />
    </StrictMode>,
  );
  if (link === "") session.wait();
  else await open(link);
}
run(start(place));
