// The page's one ear to the server, the embedded page's as well: hears what kind of thing has changed, and lets the lists that
// show it be read anew. It owns whether the stream stands; what is shown stays TanStack Query's. Where the stream cannot be
// had (a proxy that holds it back, too many windows), the lists ask from time to time.
import type { QueryClient } from "@tanstack/react-query";
import { ask } from "../api/call.ts";
import { browserClock } from "./clock.ts";
import { Resuming } from "./resuming.ts";
import { Seldom } from "./seldom.ts";
import type { ServerEvent } from "./server-events.ts";

type Topic = "deliveries" | "webhooks" | "notices";

/** The lists of each topic. `exact`: the dialog's own copy of a webhook stays as it was when the dialog opened. */
const LISTS: Readonly<Record<Topic, readonly { queryKey: readonly string[]; exact?: boolean }[]>> = {
  deliveries: [{ queryKey: ["deliveries"] }, { queryKey: ["delivery"] }, { queryKey: ["recovery"] }],
  webhooks: [{ queryKey: ["webhooks"], exact: true }],
  notices: [{ queryKey: ["notices"] }],
};
const TOPICS = Object.keys(LISTS) as Topic[];
/** Even while the stream stands, in case that it says nothing. */
const SELDOM_MILLISECONDS = 60_000;
/**
 * The bars of seven days change with each delivery. For 25 busy webhooks they took 0.3 to 0.5 s on a machine under load, five
 * times what the list of deliveries took. Notices, which say what has become of their deliveries, keep them company.
 */
const BARS_MILLISECONDS = 15_000;

let stands = false;

/** For `refetchInterval`: so often, but seldom while the stream says when. */
export function unlessLive(milliseconds: number): () => number {
  return () => (stands ? SELDOM_MILLISECONDS : milliseconds);
}

async function openStream(lastId: string | undefined, signal: AbortSignal) {
  const resuming = lastId === undefined ? {} : { "last-event-id": lastId };
  const { body } = await ask("/v1/stream", { headers: { accept: "text/event-stream", ...resuming }, signal });
  if (body === null) throw new Error("The stream has no body.");
  return body;
}

/** Listens for as long as the window is looked at; returns how to stop. */
export function listen(queryClient: QueryClient): () => void {
  const seldom = new Seldom(
    BARS_MILLISECONDS,
    () => {
      for (const queryKey of [["activity"], ["notices"]]) void queryClient.invalidateQueries({ queryKey });
    },
    browserClock,
  );
  const read = (topics: readonly Topic[]) => {
    for (const list of topics.flatMap((topic) => LISTS[topic] ?? [])) void queryClient.invalidateQueries(list);
    if (topics.includes("deliveries")) seldom.ask();
  };
  const onEvent = ({ event, data }: ServerEvent) => {
    if (event !== "changed") return;
    stands = true;
    read((JSON.parse(data) as { topics: Topic[] }).topics);
  };
  const onEnd = () => {
    if (!stands) return;
    stands = false;
    // Each list takes up its own pace again with its next answer.
    read(TOPICS);
  };
  const stream = new Resuming({ open: openStream, onEvent, onEnd }, browserClock);
  let listening = new AbortController();
  const close = () => {
    listening.abort();
    seldom.stop();
    stands = false;
  };
  const look = () => {
    close();
    // A hidden window would keep one of the few connections that a browser has to one server.
    if (document.visibilityState !== "visible") return;
    listening = new AbortController();
    void stream.listen(listening.signal);
  };
  document.addEventListener("visibilitychange", look);
  look();
  return () => {
    document.removeEventListener("visibilitychange", look);
    close();
  };
}
