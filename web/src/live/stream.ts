// The page's one ear to the server: hears what kind of thing has changed, and lets the lists that show it be read anew. It
// owns the connection and whether it stands; what is shown stays TanStack Query's. Where the stream cannot be had (a proxy
// that holds it back, too many windows), the lists ask from time to time as they did before.
import type { QueryClient } from "@tanstack/react-query";

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
/** After a refusal the browser does not come back by itself. */
const AGAIN_MILLISECONDS = 60_000;

let stands = false;

/** For `refetchInterval`: so often, but seldom while the stream says when. */
export function unlessLive(milliseconds: number): () => number {
  return () => (stands ? SELDOM_MILLISECONDS : milliseconds);
}

/** Listens for as long as the window is looked at; returns how to stop. */
export function listen(queryClient: QueryClient): () => void {
  let source: EventSource | null = null;
  let again: number | undefined;
  const read = (topics: readonly Topic[]) => {
    for (const list of topics.flatMap((topic) => LISTS[topic] ?? [])) void queryClient.invalidateQueries(list);
  };
  const fall = () => {
    if (!stands) return;
    stands = false;
    // Each list takes up its own pace again with its next answer.
    read(TOPICS);
  };
  const close = () => {
    clearTimeout(again);
    source?.close();
    source = null;
  };
  const open = () => {
    close();
    source = new EventSource("/v1/stream");
    source.addEventListener("changed", ({ data }: MessageEvent<string>) => {
      stands = true;
      read((JSON.parse(data) as { topics: Topic[] }).topics);
    });
    source.addEventListener("error", () => {
      fall();
      if (source?.readyState === EventSource.CLOSED) again = window.setTimeout(open, AGAIN_MILLISECONDS);
    });
  };
  const look = () => {
    if (document.visibilityState === "visible") return open();
    // A hidden window would keep one of the few connections that a browser has to one server.
    close();
    stands = false;
  };
  document.addEventListener("visibilitychange", look);
  look();
  return () => {
    document.removeEventListener("visibilitychange", look);
    close();
    stands = false;
  };
}
