// What can be done with a membership in its state. Acts that end or replace it ask first.
import { Button } from "@mantine/core";
import { lazy, Suspense, useState } from "react";
import { type Membership, memberships } from "../api/memberships.ts";
import { useAct } from "../billing/act.ts";
import { useBillingWords } from "../billing/words.ts";
import { useTranslation } from "../i18n/words.ts";
import { useMe } from "../session/queries.ts";
import { Callout } from "../ui/Callout.tsx";
import { dayInZone } from "../ui/time.ts";
import { CancelMembership } from "./CancelMembership.tsx";
import classes from "./MembershipPage.module.css";
import { type Act, actsOf } from "./state.ts";

const SwitchDialog = lazy(() => import("./SwitchDialog.tsx"));
const SourceDialog = lazy(() => import("./SourceDialog.tsx"));

interface Props {
  membership: Membership;
  /** `sends`: whether other systems hear of it. */
  onSaid: (text: string, sends: boolean) => void;
}

type AtOnce = "markPaid" | "pause" | "resume" | "undo";
type Asked = Exclude<Act, AtOnce>;

const CALLS = {
  markPaid: memberships.markPaid,
  pause: memberships.pause,
  resume: memberships.resume,
  undo: memberships.resume,
} as const satisfies Record<AtOnce, unknown>;

const isAtOnce = (act: Act): act is AtOnce => act in CALLS;

function Dialogs({ opened, onClose, onSaid, membership }: Props & { opened: Asked | null; onClose: () => void }) {
  const { t } = useTranslation();
  const done = (text: string, sends: boolean) => {
    onClose();
    onSaid(text, sends);
  };
  const props = { membership, onClose };
  return (
    <Suspense fallback={null}>
      {opened === "cancel" && (
        <CancelMembership
          {...props}
          onDone={(hadBegun) => done(t(hadBegun ? "memberships.said.cancel" : "memberships.said.withdraw"), hadBegun)}
        />
      )}
      {opened === "switch" && <SwitchDialog {...props} />}
      {opened === "source" && <SourceDialog {...props} onDone={() => done(t("memberships.said.source"), false)} />}
    </Suspense>
  );
}

/** See the head of this file. */
export function MembershipActs({ membership, onSaid }: Props) {
  const { t } = useTranslation();
  const words = useBillingWords();
  const { time_zone } = useMe().clinic;
  const [opened, setOpened] = useState<Asked | null>(null);
  const acts = actsOf(membership, dayInZone(new Date(), time_zone));
  const [last, setLast] = useState<AtOnce>("resume");
  const act = useAct(
    (intent, what: AtOnce) => CALLS[what](membership.id, intent),
    () => onSaid(t(`memberships.said.${last}`), last === "undo" || last === "markPaid"),
  );
  const start = (what: Act) => {
    if (!isAtOnce(what)) return setOpened(what);
    setLast(what);
    act.start(what);
  };
  if (acts.length === 0) return null;
  return (
    <>
      <div className={classes.acts}>
        {acts.map((what) => (
          <Button
            key={what}
            variant={what === "cancel" ? "outline" : "default"}
            {...(what === "cancel" ? { className: classes.ending } : {})}
            disabled={act.isPending}
            onClick={() => start(what)}
          >
            {t(
              what === "cancel" && membership.state === "pending"
                ? "memberships.act.withdraw"
                : `memberships.act.${what}`,
            )}
          </Button>
        ))}
      </div>
      <div role="alert">{act.isError && <Callout tone="bad" text={words(act.error)} />}</div>
      <Dialogs membership={membership} onSaid={onSaid} opened={opened} onClose={() => setOpened(null)} />
    </>
  );
}
