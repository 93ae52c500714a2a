// Who works at the clinic, in which role, and who is invited to.
import { Button, NativeSelect, Title } from "@mantine/core";
import IconPlus from "@tabler/icons-react/dist/esm/icons/IconPlus.mjs";
import { queryOptions, useQuery, useQueryClient } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { useState } from "react";
import { type StaffMember, staff } from "../api/staff.ts";
import type { Role } from "../api-types.ts";
import { useTranslation } from "../i18n/words.ts";
import { useIntent } from "../intent.ts";
import { ManagersOnly } from "../session/ManagersOnly.tsx";
import { Callout } from "../ui/Callout.tsx";
import { ConfirmDialog } from "../ui/ConfirmDialog.tsx";
import { PageHeader } from "../ui/PageHeader.tsx";
import { QuietLine } from "../ui/QuietLine.tsx";
import { useRefusalWords } from "../ui/refusals.ts";
import rows from "../ui/rows.module.css";
import { LoadFailed, LoadingRows } from "../ui/states.tsx";
import { Invitations } from "./Invitations.tsx";
import { Invite } from "./Invite.tsx";
import { ROLES, STAFF } from "./staff.ts";

const staffQuery = queryOptions({ queryKey: [...STAFF, "list"], queryFn: ({ signal }) => staff.list(signal) });

/** What the server says no to, in the page's words. */
function useWords(): (error: unknown) => string {
  const { t } = useTranslation();
  return useRefusalWords((code) => (code === "last_manager" ? t("settings.staff.lastManager") : undefined));
}

/** A change of one's own role or place ends one's session here: the page asks again who one is. */
function useDone({ is_you: isYou }: StaffMember, onSaid: () => void) {
  const queryClient = useQueryClient();
  const router = useRouter();
  return async () => {
    if (isYou) await router.navigate({ to: "/sign-in" });
    else await queryClient.invalidateQueries({ queryKey: STAFF });
    onSaid();
  };
}

interface MemberProps {
  member: StaffMember;
  onSaid: (words: string) => void;
}

function RoleChoice({ member, onSaid }: MemberProps) {
  const { t } = useTranslation();
  const [wanted, setWanted] = useState<Role | null>(null);
  const { user_id: id, name, role } = member;
  const words = useWords();
  const done = useDone(member, () => {
    setWanted(null);
    onSaid(t("settings.staff.changed", { name }));
  });
  const change = useIntent((_intent, to: Role) => staff.changeRole(id, to), { onSuccess: done });
  const close = () => {
    setWanted(null);
    change.reset();
  };
  return (
    <>
      <NativeSelect
        aria-label={t("settings.staff.roleOf", { name })}
        value={role}
        data={ROLES.map((value) => ({ value, label: t(`shell.role.${value}`) }))}
        onChange={(event) => setWanted(event.currentTarget.value as Role)}
      />
      {wanted !== null && (
        <ConfirmDialog
          title={t("settings.staff.changeTitle", { name, role: t(`shell.role.${wanted}`) })}
          action={t("settings.staff.change")}
          pending={change.isPending}
          onConfirm={() => change.start(wanted)}
          onClose={close}
        >
          {t(`settings.staff.may.${wanted}`)} {t("settings.staff.signsOut")}
          {change.error !== null && <Callout tone="bad" text={words(change.error)} />}
        </ConfirmDialog>
      )}
    </>
  );
}

function Remove({ member, onSaid }: MemberProps) {
  const { t } = useTranslation();
  const [asking, setAsking] = useState(false);
  const { user_id: id, name } = member;
  const words = useWords();
  const done = useDone(member, () => {
    setAsking(false);
    onSaid(t("settings.staff.removed", { name }));
  });
  const remove = useIntent(() => staff.remove(id), { onSuccess: done });
  const close = () => {
    setAsking(false);
    remove.reset();
  };
  return (
    <>
      <Button
        variant="default"
        size="xs"
        aria-label={t("settings.staff.removeName", { name })}
        onClick={() => setAsking(true)}
      >
        {t("settings.staff.remove")}
      </Button>
      {asking && (
        <ConfirmDialog
          title={t("settings.staff.removeTitle", { name })}
          action={t("settings.staff.remove")}
          keep={t("settings.staff.keep")}
          danger
          pending={remove.isPending}
          onConfirm={() => remove.start()}
          onClose={close}
        >
          {t("settings.staff.removeText")}
          {remove.error !== null && <Callout tone="bad" text={words(remove.error)} />}
        </ConfirmDialog>
      )}
    </>
  );
}

function MemberRow({ member, onSaid }: MemberProps) {
  const { t } = useTranslation();
  const { name, email, is_you: isYou, second_factor: hasSecond } = member;
  return (
    <div className={rows.row}>
      <span className={rows.main}>
        <span className={rows.name}>{isYou ? t("settings.staff.you", { name }) : name}</span>
        <span className={rows.under}>{email}</span>
      </span>
      <span className={rows.aside}>{t(hasSecond ? "settings.staff.hasSecond" : "settings.staff.noSecond")}</span>
      <RoleChoice member={member} onSaid={onSaid} />
      <Remove member={member} onSaid={onSaid} />
    </div>
  );
}

function Content() {
  const { t } = useTranslation();
  const query = useQuery(staffQuery);
  const [isNew, setIsNew] = useState(false);
  const [said, setSaid] = useState<string | null>(null);
  const invite = (
    <Button leftSection={<IconPlus size={16} aria-hidden="true" />} onClick={() => setIsNew(true)}>
      {t("settings.staff.invite")}
    </Button>
  );
  return (
    <>
      <PageHeader title={t("settings.staff.title")} intro={t("settings.staff.intro")} action={invite} />
      <div className={rows.said}>
        <QuietLine said={said} subject={null} sends={false} />
      </div>
      <div className={rows.sections}>
        {query.data === undefined ? (
          query.isError ? (
            <LoadFailed error={query.error} retry={() => query.refetch()} />
          ) : (
            <LoadingRows rows={3} />
          )
        ) : (
          <section>
            <Title order={2} mb="sm">
              {t("settings.staff.people")}
            </Title>
            <ul className={rows.list} aria-label={t("settings.staff.people")}>
              {query.data.map((member) => (
                <li key={member.user_id}>
                  <MemberRow member={member} onSaid={setSaid} />
                </li>
              ))}
            </ul>
          </section>
        )}
        <Invitations onSaid={setSaid} />
      </div>
      {isNew && <Invite onSaid={setSaid} onClose={() => setIsNew(false)} />}
    </>
  );
}

/** For managers; others read who can do it. */
export function StaffPage() {
  return (
    <ManagersOnly what="staff">
      <Content />
    </ManagersOnly>
  );
}
