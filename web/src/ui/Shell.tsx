// The frame around every screen of a signed-in person: header, navigation, content. Below 62em the navigation and the
// personal controls fold behind one button.
import { ActionIcon, Button, Text, useComputedColorScheme, useMantineColorScheme } from "@mantine/core";
import IconLogout from "@tabler/icons-react/dist/esm/icons/IconLogout.mjs";
import IconMenu from "@tabler/icons-react/dist/esm/icons/IconMenu2.mjs";
import IconMoon from "@tabler/icons-react/dist/esm/icons/IconMoon.mjs";
import IconSun from "@tabler/icons-react/dist/esm/icons/IconSun.mjs";
import IconX from "@tabler/icons-react/dist/esm/icons/IconX.mjs";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link, Outlet, useLocation, useRouter } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { session } from "../api.ts";
import { useTranslation } from "../i18n/words.ts";
import { listen } from "../live/stream.ts";
import { useMe } from "../session/queries.ts";
import { dropAllDrafts } from "../webhooks/kept-draft.ts";
import { ClinicSwitch } from "./ClinicSwitch.tsx";
import { LanguageButton } from "./LanguageButton.tsx";
import { Mark } from "./Mark.tsx";
import { Navigation } from "./Navigation.tsx";
import classes from "./Shell.module.css";

function ColorSchemeButton() {
  const { t } = useTranslation();
  const { setColorScheme } = useMantineColorScheme();
  const dark = useComputedColorScheme("light", { getInitialValueInEffect: false }) === "dark";
  const name = dark ? t("shell.useLight") : t("shell.useDark");
  return (
    <ActionIcon
      variant="subtle"
      size={32}
      onClick={() => setColorScheme(dark ? "light" : "dark")}
      aria-label={name}
      title={name}
    >
      {dark ? <IconSun size={18} aria-hidden="true" /> : <IconMoon size={18} aria-hidden="true" />}
    </ActionIcon>
  );
}

function SignOutButton() {
  const { t } = useTranslation();
  const router = useRouter();
  const queryClient = useQueryClient();
  const signOut = useMutation({
    mutationFn: session.signOut,
    onSettled: async () => {
      dropAllDrafts();
      await router.navigate({ to: "/sign-in" });
      queryClient.clear();
    },
  });
  return (
    <Button
      variant="default"
      size="compact-sm"
      leftSection={<IconLogout size={16} aria-hidden="true" />}
      loading={signOut.isPending}
      onClick={() => signOut.mutate()}
    >
      {t("shell.signOut")}
    </Button>
  );
}

function PersonalControls() {
  const { t } = useTranslation();
  const me = useMe();
  return (
    <div className={classes.personal}>
      <Text size="sm" className={classes.who}>
        <span className={classes.visually}>{t("shell.signedInAs", { name: "" })}</span>
        <Link to="/settings/account" className={classes.account}>
          {me.user.name}
        </Link>
        <span className={classes.role}>{t(`shell.role.${me.role}`)}</span>
      </Text>
      <LanguageButton />
      <ColorSchemeButton />
      <SignOutButton />
    </div>
  );
}

/** Moves the focus to the content when another section opens, so that a keyboard or a screen reader starts there. */
function useFocusOnSection() {
  const content = useRef<HTMLElement>(null);
  const section = useLocation({ select: (location) => location.pathname.split("/", 3).join("/") });
  const shown = useRef(section);
  useEffect(() => {
    const top = (path: string) => path.split("/")[1];
    if (top(shown.current) !== top(section)) content.current?.focus({ preventScroll: true });
    shown.current = section;
  }, [section]);
  return content;
}

/** The folded menu lies over the page: Escape closes it, and so does going on into what it covers, by keyboard or by pointer. */
function useMenu() {
  const [isOpen, setIsOpen] = useState(false);
  const pathname = useLocation({ select: (location) => location.pathname });
  // biome-ignore lint/correctness/useExhaustiveDependencies: the menu closes whenever the page changes.
  useEffect(() => setIsOpen(false), [pathname]);
  useEffect(() => {
    if (!isOpen) return;
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== "Escape") return;
      setIsOpen(false);
      document.querySelector<HTMLElement>("[aria-controls=menu]")?.focus();
    };
    const onPointer = ({ target }: PointerEvent) => {
      if (!(target instanceof Element && target.closest("#menu, [aria-controls=menu]"))) setIsOpen(false);
    };
    document.addEventListener("keydown", onKey);
    document.addEventListener("pointerdown", onPointer);
    return () => {
      document.removeEventListener("keydown", onKey);
      document.removeEventListener("pointerdown", onPointer);
    };
  }, [isOpen]);
  return { isOpen, toggle: () => setIsOpen(!isOpen), close: () => setIsOpen(false) };
}

/** Only managers see what changes by itself. */
function useStream() {
  const queryClient = useQueryClient();
  const isManager = useMe().role === "manager";
  useEffect(() => (isManager ? listen(queryClient) : undefined), [isManager, queryClient]);
}

function Header({ menuOpen, onMenu }: { menuOpen: boolean; onMenu: () => void }) {
  const { t } = useTranslation();
  const me = useMe();
  return (
    <header className={classes.header}>
      <div className={classes.brand}>
        <Mark size={28} />
        {me.clinics.length > 1 ? (
          <ClinicSwitch />
        ) : (
          <Text fw={600} truncate="end">
            {me.clinic.name}
          </Text>
        )}
      </div>
      <ActionIcon
        className={classes.menu}
        variant="default"
        size={36}
        aria-expanded={menuOpen}
        aria-controls="menu"
        aria-label={menuOpen ? t("shell.closeMenu") : t("shell.openMenu")}
        onClick={onMenu}
      >
        {menuOpen ? <IconX size={20} aria-hidden="true" /> : <IconMenu size={20} aria-hidden="true" />}
      </ActionIcon>
      <div className={classes.wide}>
        <PersonalControls />
      </div>
    </header>
  );
}

/** See the head of this file. */
export function Shell() {
  const { t } = useTranslation();
  const menu = useMenu();
  const content = useFocusOnSection();
  useStream();
  return (
    <div className={classes.frame} data-menu-open={menu.isOpen || undefined}>
      <a href="#content" className={classes.skip}>
        {t("shell.skip")}
      </a>
      <Header menuOpen={menu.isOpen} onMenu={menu.toggle} />
      <div className={classes.side} id="menu">
        <div className={classes.sticky}>
          <Navigation />
          <div className={classes.narrow}>
            <PersonalControls />
          </div>
        </div>
      </div>
      <main id="content" ref={content} tabIndex={-1} className={classes.content} onFocus={menu.close}>
        <Outlet />
      </main>
    </div>
  );
}
