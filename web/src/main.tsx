// The composition root of the browser: language, look, memory of answers, addresses. Nothing else is wired elsewhere.
import "./ui/mantine.css";
import "./ui/base.css";
import { MantineProvider } from "@mantine/core";
import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { ProblemError } from "./api.ts";
import { startLanguage } from "./i18n/setup.ts";
import { makeRouter } from "./router.tsx";
import { watchFocus } from "./ui/focus.ts";
import { nonce } from "./ui/nonce.ts";
import { cssVariables, theme } from "./ui/theme.ts";

const RETRIES = 2;

function worthRetrying(failures: number, error: unknown): boolean {
  const refusedForGood = error instanceof ProblemError && error.status >= 400 && error.status < 500;
  return !refusedForGood && failures < RETRIES;
}

/** Pages that need no session of staff; they say themselves what a refusal means. */
const OPEN_PAGE = /^\/(sign-in|forgot-password|reset-password|invitation|portal)(\/|$)/;

/** A session that ended while the page was open leads to the sign-in, and back again afterwards. */
function onError(error: unknown): void {
  if (!(error instanceof ProblemError) || error.code !== "sign_in_required") return;
  const { pathname, href } = router.state.location;
  if (OPEN_PAGE.test(pathname)) return;
  void router.navigate({ to: "/sign-in", search: { redirect: href } });
}

const queryClient = new QueryClient({
  queryCache: new QueryCache({ onError }),
  mutationCache: new MutationCache({ onError }),
  defaultOptions: { queries: { retry: worthRetrying, staleTime: 1_000 } },
});
const router = makeRouter(queryClient);

function Page() {
  return (
    <MantineProvider
      theme={theme}
      cssVariablesResolver={cssVariables}
      defaultColorScheme="auto"
      getStyleNonce={() => nonce}
    >
      <QueryClientProvider client={queryClient}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>
  );
}

const place = document.getElementById("root");
if (place === null) throw new Error("index.html has no #root");
watchFocus();
await startLanguage();
createRoot(place).render(
  <StrictMode>
    <Page />
  </StrictMode>,
);
