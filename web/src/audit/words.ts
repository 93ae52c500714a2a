// Plain words for an entry of the history: what was done, by whom, and each field that changed.

import type { AuditActor, AuditEntry } from "../api/audit.ts";
import words from "../i18n/en/audit.json";
import { useTranslation } from "../i18n/words.ts";

type Actions = typeof words.actions;
type ActionKey = { [Noun in keyof Actions]: `audit.actions.${Noun}.${keyof Actions[Noun] & string}` }[keyof Actions];
/** Every action that the page has words for, such as "webhook.changed"; the server's own list is held against it. */
export const AUDIT_ACTIONS: readonly string[] = Object.entries(words.actions).flatMap(([noun, verbs]) =>
  Object.keys(verbs).map((verb) => `${noun}.${verb}`),
);

type Field = keyof typeof words.fields;

/** What an action is called in the filter and in the list; one that this page does not know yet stands as it is. */
export function useActionWords(): (action: string) => string {
  const { t } = useTranslation();
  return (action) => (AUDIT_ACTIONS.includes(action) ? t(`audit.actions.${action}` as ActionKey) : action);
}

/** A person, an API key, or a user of other software who acted in the embedded page; nobody's name is known where the program itself wrote the only entries. */
export function useActorWords(): (actor: AuditActor) => string {
  const { t } = useTranslation();
  return ({ id, name }) => {
    const known = name ?? t("audit.unknown");
    const [, userId] = /^embed:\d+:(.+)$/.exec(id) ?? [];
    if (userId !== undefined) return t("audit.byEmbedded", { name: known, id: userId });
    return id.startsWith("api_key:") ? t("audit.byKey", { name: known }) : known;
  };
}

/** What it was done to, where that has a name of its own. */
export function nameOf({ target, target_name }: AuditEntry): string | null {
  return target_name ?? (/^(delivery|import):/.test(target) ? target.replace(/^\w+:/, "") : null);
}

export function useFieldWords(): (field: string) => string {
  const { t } = useTranslation();
  return (field) => (field in words.fields ? t(`audit.fields.${field as Field}`) : field);
}

/** A value in words: yes and no, lists with commas, a dash for nothing. */
export function useValueWords(): (value: unknown) => string {
  const { t } = useTranslation();
  const fieldWords = useFieldWords();
  const pair = (key: string, value: unknown): string => {
    // How much of a person is sent has words of its own.
    const isExtent = value === "off" || value === "id" || value === "all";
    if (isExtent && (key === "practitioner" || key === "patient")) return t(`webhooks.card.${key}`, { extent: value });
    return `${fieldWords(key)}: ${inWords(value)}`;
  };
  const inWords = (value: unknown): string => {
    if (value === undefined || value === null || value === "") return t("audit.nothingThere");
    if (typeof value === "boolean") return t(value ? "audit.yes" : "audit.no");
    if (Array.isArray(value)) return value.length === 0 ? t("audit.nothingThere") : value.map(inWords).join(", ");
    if (typeof value !== "object") return String(value);
    return Object.entries(value)
      .map(([key, inner]) => pair(key, inner))
      .join("; ");
  };
  return inWords;
}
