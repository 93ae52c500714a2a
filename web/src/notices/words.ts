// What a notice says. One table from kinds to the words under `notices.kind`; causes have the deliveries' words.
import { causeOf, causeWords, statusWords } from "@hookwell/sdk/causes";
import type { Notice, NoticeKind } from "../api/notices.ts";
import type { Language } from "../i18n/languages.ts";
import { useTranslation } from "../i18n/words.ts";
import { useLanguage } from "../session/queries.ts";
import type { Tone } from "../ui/Callout.tsx";
import { useWhen } from "../ui/when.ts";

type Key =
  | "failing"
  | "stillFailing"
  | "offSoon"
  | "turnedOff"
  | "gone"
  | "recovered"
  | "late"
  | "expiring"
  | "addressChanged"
  | "patientDataOn";

export const KINDS: Readonly<Record<NoticeKind, { key: Key; tone: Tone }>> = {
  "webhook.failing": { key: "failing", tone: "warn" },
  "webhook.still_failing": { key: "stillFailing", tone: "warn" },
  "webhook.off_soon": { key: "offSoon", tone: "warn" },
  "webhook.turned_off": { key: "turnedOff", tone: "bad" },
  "webhook.gone": { key: "gone", tone: "bad" },
  "webhook.recovered": { key: "recovered", tone: "good" },
  "delivery.late": { key: "late", tone: "warn" },
  "deliveries.expiring": { key: "expiring", tone: "warn" },
  "webhook.address_changed": { key: "addressChanged", tone: "calm" },
  "webhook.patient_data_on": { key: "patientDataOn", tone: "calm" },
};

/** What was late says something else once it has arrived, and once nobody can tell any more whether it has. */
function keyOf({ kind, delivery_state: state }: Notice): { key: Key | "lateArrived" | "lateForgotten"; tone: Tone } {
  if (kind !== "delivery.late" || (state !== "delivered" && state !== null)) return KINDS[kind];
  return { key: state === null ? "lateForgotten" : "lateArrived", tone: "calm" };
}

export interface NoticeWords {
  title: string;
  text: string;
  tone: Tone;
}

/** Title and sentences of a notice, in the page's language. */
export function useNoticeWords(): (notice: Notice) => NoticeWords {
  const { t } = useTranslation();
  const when = useWhen();
  const language = useLanguage();
  return (notice) => {
    const { key, tone } = keyOf(notice);
    const at = notice.off_at ?? notice.consult_starts_at ?? notice.expires_at;
    const values = {
      name: notice.webhook?.name ?? t("notices.nameless"),
      at: at === null ? "" : when(at, "on"),
      arrived: notice.delivered_at === null ? "" : when(notice.delivered_at, "on"),
      known: at === null ? "no" : "yes",
      event: notice.event === "participant.removed" ? "removed" : "updated",
    };
    const cause = causeText(notice, language);
    const since =
      notice.failing_since === null ? "" : t("notices.since", { when: when(notice.failing_since, "since") });
    const waiting = notice.waiting_count ? t("notices.waiting", { count: notice.waiting_count }) : "";
    const text = [cause, since, t(`notices.kind.${key}.text`, values), waiting].filter((part) => part !== "").join(" ");
    return { title: t(`notices.kind.${key}.title`, values), text, tone };
  };
}

/** What went wrong; empty where nothing did, and where the title says it already. */
function causeText({ kind, outcome, status }: Notice, language: Language): string {
  if (outcome === null || kind === "webhook.gone") return "";
  const cause = causeOf({ outcome, status });
  return causeWords(cause, language, { status: status === null ? undefined : statusWords(status) }).text;
}
