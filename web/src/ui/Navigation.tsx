import type { Icon } from "@tabler/icons-react";
import IconBell from "@tabler/icons-react/dist/esm/icons/IconBell.mjs";
import IconCalendar from "@tabler/icons-react/dist/esm/icons/IconCalendar.mjs";
import IconCalendarTime from "@tabler/icons-react/dist/esm/icons/IconCalendarTime.mjs";
import IconFileImport from "@tabler/icons-react/dist/esm/icons/IconFileImport.mjs";
import IconHistory from "@tabler/icons-react/dist/esm/icons/IconHistory.mjs";
import IconId from "@tabler/icons-react/dist/esm/icons/IconId.mjs";
import IconInbox from "@tabler/icons-react/dist/esm/icons/IconInbox.mjs";
import IconKey from "@tabler/icons-react/dist/esm/icons/IconKey.mjs";
import IconReceipt from "@tabler/icons-react/dist/esm/icons/IconReceipt.mjs";
import IconSchool from "@tabler/icons-react/dist/esm/icons/IconSchool.mjs";
import IconSend from "@tabler/icons-react/dist/esm/icons/IconSend.mjs";
import IconUser from "@tabler/icons-react/dist/esm/icons/IconUser.mjs";
import IconUserCog from "@tabler/icons-react/dist/esm/icons/IconUserCog.mjs";
import IconUsers from "@tabler/icons-react/dist/esm/icons/IconUsers.mjs";
import IconWebhook from "@tabler/icons-react/dist/esm/icons/IconWebhook.mjs";
import { useQuery } from "@tanstack/react-query";
import { Link, type LinkProps } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useTranslation } from "../i18n/words.ts";
import { unreadQuery } from "../notices/queries.ts";
import { useMe } from "../session/queries.ts";
import classes from "./Navigation.module.css";

interface ItemProps {
  to: NonNullable<LinkProps["to"]>;
  icon: Icon;
  label: string;
  children?: ReactNode;
}

function Item({ to, icon: Glyph, label, children }: ItemProps) {
  return (
    <Link to={to} className={classes.link} activeProps={{ "data-active": "true" }}>
      <Glyph size={18} aria-hidden="true" />
      {label}
      {children}
    </Link>
  );
}

/** How many are new stands beside it. */
function Notices() {
  const { t } = useTranslation();
  const { data: unread = 0 } = useQuery(unreadQuery);
  return (
    <li>
      <Item to="/notices" icon={IconBell} label={t("shell.nav.notices")}>
        {unread > 0 && <span className={classes.count}>{t("shell.nav.unread", { count: unread })}</span>}
      </Item>
    </li>
  );
}

/** What managers alone can open. */
function Managing() {
  const { t } = useTranslation();
  return (
    <>
      <li>
        <span className={classes.heading} aria-hidden="true" />
        <Item to="/deliveries" icon={IconSend} label={t("shell.nav.deliveries")} />
      </li>
      <li>
        <Item to="/inbox" icon={IconInbox} label={t("shell.nav.inbox")} />
      </li>
      <Notices />
      <li>
        <span className={classes.heading} aria-hidden="true" />
        <Item to="/import" icon={IconFileImport} label={t("shell.nav.import")} />
      </li>
      <li>
        <Item to="/settings/api-keys" icon={IconKey} label={t("shell.nav.apiKeys")} />
      </li>
      <li>
        <Item to="/settings/retention" icon={IconCalendarTime} label={t("shell.nav.retention")} />
      </li>
      <li>
        <Item to="/settings/history" icon={IconHistory} label={t("shell.nav.history")} />
      </li>
      <li>
        <Item to="/settings/staff" icon={IconUserCog} label={t("shell.nav.staff")} />
      </li>
    </>
  );
}

/**
 * The way to every screen that is for the person's role, and to Webhooks, of which everybody sees that they exist and who can
 * change them. They stand where the clinic's people look for them: Consults › Export › Webhooks.
 */
export function Navigation() {
  const { t } = useTranslation();
  const { role } = useMe();
  return (
    <nav aria-label={t("shell.navigation")}>
      <ul className={classes.list}>
        <li>
          <Item to="/schedule" icon={IconCalendar} label={t("shell.nav.schedule")} />
        </li>
        <li>
          <Item to="/patients" icon={IconUsers} label={t("shell.nav.patients")} />
        </li>
        <li>
          <Item to="/billing" icon={IconReceipt} label={t("shell.nav.billing")} />
        </li>
        <li>
          <Item to="/memberships" icon={IconId} label={t("shell.nav.memberships")} />
        </li>
        <li>
          <Item to="/academy" icon={IconSchool} label={t("shell.nav.academy")} />
        </li>
        <li>
          <span className={classes.heading}>
            {t("shell.nav.consults")} <span aria-hidden="true">›</span> {t("shell.nav.export")}
          </span>
          <ul className={classes.list}>
            <li>
              <Item to="/consults/export/webhooks" icon={IconWebhook} label={t("shell.nav.webhooks")} />
            </li>
          </ul>
        </li>
        {role === "manager" && <Managing />}
        <li>
          {role !== "manager" && <span className={classes.heading} aria-hidden="true" />}
          <Item to="/settings/account" icon={IconUser} label={t("shell.nav.account")} />
        </li>
      </ul>
    </nav>
  );
}
