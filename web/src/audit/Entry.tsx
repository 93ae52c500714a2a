import { Text } from "@mantine/core";
import type { AuditEntry } from "../api/audit.ts";
import { useTranslation } from "../i18n/words.ts";
import rows from "../ui/rows.module.css";
import { useWhen } from "../ui/when.ts";
import classes from "./AuditPage.module.css";
import { type Change, changesOf } from "./filters.ts";
import { nameOf, useActionWords, useActorWords, useFieldWords, useValueWords } from "./words.ts";

function Changes({ changes, label }: { changes: Change[]; label: string }) {
  const { t } = useTranslation();
  const fieldWords = useFieldWords();
  const valueWords = useValueWords();
  return (
    <details className={classes.changes}>
      <summary aria-label={label}>{t("audit.details")}</summary>
      <dl>
        {changes.map(({ field, before, after }) => (
          <div key={field}>
            <dt>{fieldWords(field)}</dt>
            <dd>
              {before !== undefined && (
                <span>
                  <span className={classes.which}>{t("audit.before")}</span> {valueWords(before)}
                </span>
              )}
              {after !== undefined && (
                <span>
                  <span className={classes.which}>{t("audit.after")}</span> {valueWords(after)}
                </span>
              )}
            </dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

/** One change: what, to what, by whom, from where, when, and on demand what it was before and after. */
export function Entry({ entry }: { entry: AuditEntry }) {
  const { t } = useTranslation();
  const when = useWhen();
  const what = useActionWords()(entry.action);
  const who = useActorWords()(entry.actor);
  const name = nameOf(entry);
  const changes = changesOf(entry);
  return (
    <div className={rows.row}>
      <span className={rows.main}>
        <span className={rows.name}>{name === null ? what : t("audit.named", { what, name })}</span>
        <span className={rows.under}>
          {entry.origin === null ? t("audit.by", { who }) : t("audit.byFrom", { who, origin: entry.origin })}
        </span>
        {changes.length > 0 && <Changes changes={changes} label={t("audit.detailsOf", { what })} />}
      </span>
      <span className={rows.aside}>
        <Text component="time" size="sm" dateTime={entry.at}>
          {when(entry.at, "alone")}
        </Text>
      </span>
    </div>
  );
}
