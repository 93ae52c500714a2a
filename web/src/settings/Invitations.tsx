// The open invitations, and what became of their letters.
import { Button, Title } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { type Invitation, type Invited, staff } from "../api/staff.ts";
import { useTranslation } from "../i18n/words.ts";
import { useIntent } from "../intent.ts";
import { Callout } from "../ui/Callout.tsx";
import { useProblemWords } from "../ui/problem-words.ts";
import rows from "../ui/rows.module.css";
import { LoadFailed } from "../ui/states.tsx";
import { useWhen } from "../ui/when.ts";
import { LinkOnce } from "./Invite.tsx";
import { STAFF } from "./staff.ts";

/** While a letter is on its way the list looks again. */
const LOOK_AGAIN_MS = 2_000;

function InvitationRow({ invitation, onSaid }: { invitation: Invitation; onSaid: (words: string) => void }) {
  const { t } = useTranslation();
  const when = useWhen();
  const words = useProblemWords();
  const queryClient = useQueryClient();
  const [link, setLink] = useState<string | null>(null);
  const { id, email, role, letter, expires_at: expires, is_over: isOver } = invitation;
  const refresh = () => queryClient.invalidateQueries({ queryKey: STAFF });
  const resend = useIntent((intent) => staff.resend(id, intent), {
    onSuccess: async (made: Invited) => {
      await refresh();
      if (made.link !== undefined) setLink(made.link);
      onSaid(t("settings.staff.invited", { email }));
    },
  });
  const withdraw = useIntent(() => staff.withdraw(id), {
    onSuccess: async () => {
      await refresh();
      onSaid(t("settings.staff.withdrawn", { email }));
    },
  });
  const error = resend.error ?? withdraw.error;
  return (
    <div className={rows.row}>
      <span className={rows.main}>
        <span className={rows.name}>{email}</span>
        <span className={rows.under}>{t(`shell.role.${role}`)}</span>
      </span>
      <span className={rows.aside}>
        {isOver ? t("settings.staff.over") : t(`settings.staff.letter.${letter}`)}
        {!isOver && <span className={rows.under}>{t("settings.staff.until", { when: when(expires, "until") })}</span>}
      </span>
      <span className={rows.acts}>
        <Button
          variant="default"
          size="xs"
          loading={resend.isPending}
          aria-label={t("settings.staff.resendTo", { email })}
          onClick={() => resend.start()}
        >
          {t("settings.staff.resend")}
        </Button>
        <Button
          variant="default"
          size="xs"
          loading={withdraw.isPending}
          aria-label={t("settings.staff.withdrawOf", { email })}
          onClick={() => withdraw.start()}
        >
          {t("settings.staff.withdraw")}
        </Button>
      </span>
      {error !== null && <Callout tone="bad" text={words(error)} />}
      {link !== null && <LinkOnce email={email} link={link} onClose={() => setLink(null)} />}
    </div>
  );
}

export function Invitations({ onSaid }: { onSaid: (words: string) => void }) {
  const { t } = useTranslation();
  const query = useQuery({
    queryKey: [...STAFF, "invitations"],
    queryFn: ({ signal }) => staff.invitations(signal),
    refetchInterval: ({ state }) =>
      state.data?.data.some(({ letter }) => letter === "waiting") ? LOOK_AGAIN_MS : false,
  });
  if (query.isError) return <LoadFailed error={query.error} retry={() => query.refetch()} />;
  if (query.data === undefined || query.data.data.length === 0) return null;
  return (
    <section>
      <Title order={2} mb="sm">
        {t("settings.staff.open")}
      </Title>
      <ul className={rows.list} aria-label={t("settings.staff.open")}>
        {query.data.data.map((invitation) => (
          <li key={invitation.id}>
            <InvitationRow invitation={invitation} onSaid={onSaid} />
          </li>
        ))}
      </ul>
    </section>
  );
}
