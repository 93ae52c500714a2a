import { queryOptions } from "@tanstack/react-query";
import { inbox } from "../api.ts";

export const INBOX_REFRESH_MILLISECONDS = 2_000;

/** The built-in test inbox: its address and what arrived there, newest first. */
export const inboxQuery = queryOptions({
  queryKey: ["inbox"],
  queryFn: ({ signal }) => inbox.get(signal),
});
