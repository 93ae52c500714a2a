import { Text, Title } from "@mantine/core";
import type { ReactNode } from "react";
import { useTranslation } from "../i18n/words.ts";
import classes from "./PageHeader.module.css";

/** The top of a page: where one is, its name, one sentence, and its main action. Also names the browser's tab. */
export function PageHeader({
  trail,
  title,
  intro,
  action,
}: {
  trail?: readonly string[];
  title: string;
  intro?: string;
  action?: ReactNode;
}) {
  const { t } = useTranslation();
  return (
    <header className={classes.header}>
      <title>{`${title} · ${t("shell.product")}`}</title>
      <div className={classes.words}>
        {trail !== undefined && (
          <nav aria-label={t("shell.breadcrumb")}>
            <ol className={classes.trail}>
              {trail.map((step, index) => (
                <li key={step} aria-current={index === trail.length - 1 ? "page" : undefined}>
                  {step}
                </li>
              ))}
            </ol>
          </nav>
        )}
        <Title order={1}>{title}</Title>
        {intro !== undefined && (
          <Text c="dimmed" mt={4} maw="44rem">
            {intro}
          </Text>
        )}
      </div>
      {action}
    </header>
  );
}
