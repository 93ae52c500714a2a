// What was done last, told by the quiet line; it also goes along to the next page, where an act leads to one.
import { useLocation } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "../i18n/words.ts";

/** `subject` is what the deliveries are about. */
export interface Said {
  text: string;
  subject: string;
  /** False where nothing is sent because of it. */
  sends?: boolean;
}

declare module "@tanstack/react-router" {
  interface HistoryState {
    said?: { key: "created" | "deleted" | "sold" | "assigned" | "switched"; subject: string };
  }
}

/** What was done here last; before that, what was done on the page that led here. */
export function useSaid(): [Said | null, (said: Said) => void] {
  const { t } = useTranslation();
  const before = useLocation({ select: ({ state }) => state.said });
  const [said, setSaid] = useState<Said | null>(null);
  const carried = before === undefined ? null : { text: t(`billing.said.${before.key}`), subject: before.subject };
  return [said ?? carried, setSaid];
}
