import { Link, Outlet, useLocation } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { useTranslation } from "../i18n/words.ts";
import classes from "./Embed.module.css";
import { useHost } from "./host-context.ts";

/** Another screen begins at its top, for the eye and for the keyboard. */
function useTopOfScreen() {
  const host = useHost();
  const content = useRef<HTMLElement>(null);
  const screen = useLocation({ select: ({ pathname }) => pathname.split("/", 2).join("/") });
  const shown = useRef(screen);
  useEffect(() => {
    if (shown.current === screen) return;
    shown.current = screen;
    content.current?.focus({ preventScroll: true });
    host.say({ type: "top" });
  }, [screen, host]);
  return content;
}

/** The frame's own small navigation, and the screen. Everything else is the page's around it. */
export function EmbedShell() {
  const { t } = useTranslation();
  const content = useTopOfScreen();
  return (
    <>
      <nav aria-label={t("embed.navigation")} className={classes.nav}>
        <Link to="/consults/export/webhooks" className={classes.link} activeProps={{ "data-active": "true" }}>
          {t("shell.nav.webhooks")}
        </Link>
        <Link to="/deliveries" className={classes.link} activeProps={{ "data-active": "true" }}>
          {t("shell.nav.deliveries")}
        </Link>
      </nav>
      <main id="content" ref={content} tabIndex={-1} className={classes.content}>
        <Outlet />
      </main>
    </>
  );
}
