import { queryOptions } from "@tanstack/react-query";
import { webhooks } from "../api.ts";
import type { Webhook } from "../api-types.ts";
import { unlessLive } from "../live/stream.ts";

const REFRESH_MILLISECONDS = 10_000;

/** The clinic's webhooks; drafts are left out, they exist only while somebody is in the dialog. */
export const webhooksQuery = queryOptions({
  queryKey: ["webhooks"],
  queryFn: async ({ signal }): Promise<Webhook[]> => {
    const list = await webhooks.list(signal);
    return list.filter((webhook) => !webhook.draft);
  },
  refetchInterval: unlessLive(REFRESH_MILLISECONDS),
});

const ACTIVITY_REFRESH_MILLISECONDS = 30_000;

/** How each webhook did in the last seven days; asked for once for all cards. */
export const activityQuery = queryOptions({
  queryKey: ["activity"],
  queryFn: ({ signal }) => webhooks.activity(signal),
  refetchInterval: unlessLive(ACTIVITY_REFRESH_MILLISECONDS),
});

/** What a webhook's messages are signed with besides its secret. */
export const publicKeysQuery = (id: string | number) =>
  queryOptions({
    queryKey: ["webhooks", String(id), "public-keys"],
    queryFn: ({ signal }) => webhooks.publicKeys(id, signal),
  });

/** One webhook with its whole address. */
export const webhookQuery = (id: string | number) =>
  queryOptions({
    queryKey: ["webhooks", String(id)],
    queryFn: ({ signal }) => webhooks.get(id, signal),
    // The dialog must start from what is stored now, not from what was looked at before.
    gcTime: 0,
    staleTime: Number.POSITIVE_INFINITY,
  });
