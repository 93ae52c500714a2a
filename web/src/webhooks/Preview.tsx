import { NativeSelect, SegmentedControl, Text } from "@mantine/core";
import "../ui/segmented.css";
import { EVENTS, type EventName } from "@hookwell/sdk";
import { useState } from "react";
import { useTranslation } from "../i18n/words.ts";
import { useLanguage } from "../session/queries.ts";
import type { Draft } from "./draft.ts";
import classes from "./Preview.module.css";
import { PreviewJson } from "./PreviewJson.tsx";
import { previewText } from "./preview.ts";
import { causeKey, previewWords, type Words } from "./words.ts";

type View = "words" | "json";

function InWords({ words, event }: { words: Words; event: EventName }) {
  const { t } = useTranslation();
  const language = useLanguage();
  const { patients, messages, isList } = words;
  return (
    <div className={classes.words}>
      <Text size="sm">{isList ? t("preview.list", { patients, messages }) : t("preview.single")}</Text>
      <ul className={classes.lines}>
        {words.lines.map((line) => (
          <li key={line.block} className={classes.line} data-off={line.extent === "off" || undefined}>
            <div className={classes.block}>
              <strong>{t(`preview.block.${line.block}.title`)}</strong>
              <span className={classes.cause}>{t(`preview.cause.${causeKey(line)}`)}</span>
            </div>
            <div>
              {line.block === "event"
                ? EVENTS[event].label[language]
                : line.extent === "all"
                  ? t(`preview.block.${line.block}.text`)
                  : t(`preview.extent.${line.extent}`)}
            </div>
          </li>
        ))}
      </ul>
    </div>
  );
}

function Head({ view, onView }: { view: View; onView: (view: View) => void }) {
  const { t } = useTranslation();
  return (
    <div className={classes.head}>
      <Text fw={600}>{t("preview.title")}</Text>
      <SegmentedControl
        size="xs"
        className={classes.view}
        aria-label={t("preview.view")}
        value={view}
        onChange={(chosen) => onView(chosen === "json" ? "json" : "words")}
        data={[
          { value: "words", label: t("preview.words") },
          { value: "json", label: t("preview.json") },
        ]}
      />
    </div>
  );
}

/** What will be sent, live: in words and as the exact text. Both come from the function that the sender itself calls. */
export function Preview({
  draft,
  choices,
  shown,
  onShow,
}: {
  draft: Draft;
  choices: readonly EventName[];
  shown: EventName;
  onShow: (event: EventName) => void;
}) {
  const { t } = useTranslation();
  const language = useLanguage();
  const [view, setView] = useState<View>("words");
  const choice = { practitioner: draft.practitioner, patient: draft.patient };
  const options = { oneParticipantPerRequest: draft.oneParticipantPerRequest };
  const words = previewWords(shown, choice, options);
  return (
    <aside className={classes.preview} aria-label={t("preview.title")}>
      <Head view={view} onView={setView} />
      <NativeSelect
        label={t("preview.event")}
        data={choices.map((event) => ({ value: event, label: EVENTS[event].label[language] }))}
        value={shown}
        onChange={(event) => {
          const chosen = choices.find((name) => name === event.currentTarget.value);
          if (chosen !== undefined) onShow(chosen);
        }}
      />
      <div hidden={view !== "words"}>
        <InWords words={words} event={shown} />
      </div>
      <div hidden={view !== "json"}>
        <PreviewJson text={previewText(shown, choice, options)} lines={words.lines} />
      </div>
      <Text size="xs" c="dimmed">
        {t("preview.invented")}
      </Text>
    </aside>
  );
}
