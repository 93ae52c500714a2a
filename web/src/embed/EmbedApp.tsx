// The embedded page around its screens: look, what is shown before it opens and when it has ended, and a fresh start where
// another person's link came.
import type { EmbedTheme } from "@hookwell/sdk";
import { MantineProvider } from "@mantine/core";
import { useColorScheme } from "@mantine/hooks";
import { type QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { useEffect, useState, useSyncExternalStore } from "react";
import { useTranslation } from "../i18n/words.ts";
import { listen } from "../live/stream.ts";
import { Callout } from "../ui/Callout.tsx";
import { nonce } from "../ui/nonce.ts";
import { LoadingRows } from "../ui/states.tsx";
import classes from "./Embed.module.css";
import type { Host } from "./host.ts";
import { HostContext } from "./host-context.ts";
import { cssVariablesOf, fontSizeOf, themeOf } from "./look.ts";
import { makeEmbedRouter } from "./router.tsx";
import type { EmbedSession, EmbedState } from "./session.ts";

/** What changes while the page stands. */
export class Live<Value> {
  #value: Value;
  readonly #listeners = new Set<() => void>();

  constructor(value: Value) {
    this.#value = value;
  }

  readonly get = (): Value => this.#value;

  set(value: Value): void {
    this.#value = value;
    for (const listener of this.#listeners) listener();
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
}

export interface EmbedAppProps {
  host: Host;
  session: EmbedSession;
  queryClient: QueryClient;
  theme: Live<EmbedTheme>;
  /** Of whoever the page is for; null before that is known. */
  person: Live<string | null>;
}

const REFUSED = ["link_used", "link_expired", "link_unknown"] as const;

function useStateWords(): (state: EmbedState) => string | null {
  const { t } = useTranslation();
  return (state) => {
    if (state.kind === "ended") return t("embed.ended");
    if (state.kind !== "refused") return null;
    const known = REFUSED.find((code) => code === state.code);
    return t(`embed.refused.${known ?? "other"}`);
  };
}

/** The screens, from a fresh start for each person. */
function Screens({ queryClient }: { queryClient: QueryClient }) {
  const [router] = useState(() => makeEmbedRouter(queryClient));
  return <RouterProvider router={router as never} />;
}

/** One stream for each session: it is asked for with the session's token, and ends with it. */
function useStream(state: EmbedState, queryClient: QueryClient) {
  const opens = state.kind === "open" ? state.opens : 0;
  useEffect(() => (opens > 0 ? listen(queryClient) : undefined), [opens, queryClient]);
}

function Content({ session, person, queryClient }: EmbedAppProps) {
  const state = useSyncExternalStore(session.subscribe, () => session.state);
  useStream(state, queryClient);
  const who = useSyncExternalStore(person.subscribe, person.get);
  const words = useStateWords()(state);
  if (who === null) {
    return (
      <div className={classes.message} role="alert">
        {words === null ? <LoadingRows rows={4} /> : <Callout tone="warn" text={words} />}
      </div>
    );
  }
  return (
    <>
      <Screens key={who} queryClient={queryClient} />
      <div role="alert">
        {words !== null && (
          <div className={classes.paused}>
            <Callout tone="warn" text={words} />
          </div>
        )}
      </div>
    </>
  );
}

/** See the head of this file. */
export function EmbedApp(props: EmbedAppProps) {
  const { host, queryClient, theme } = props;
  const chosen = useSyncExternalStore(theme.subscribe, theme.get);
  const browsers = useColorScheme("light", { getInitialValueInEffect: false });
  const scheme = chosen.color_scheme === "light" || chosen.color_scheme === "dark" ? chosen.color_scheme : browsers;
  useEffect(() => {
    document.documentElement.style.fontSize = fontSizeOf(chosen);
  }, [chosen]);
  return (
    <MantineProvider
      theme={themeOf(chosen)}
      cssVariablesResolver={cssVariablesOf(chosen)}
      forceColorScheme={scheme}
      getStyleNonce={() => nonce}
    >
      <QueryClientProvider client={queryClient}>
        <HostContext value={host}>
          <Content {...props} />
        </HostContext>
      </QueryClientProvider>
    </MantineProvider>
  );
}
