// The frame of every page before the sign-in: the product, one card, and the other language.
import { Anchor, Paper, Stack, Text, Title } from "@mantine/core";
import { type ReactNode, useEffect, useRef } from "react";
import { changeLanguage } from "../i18n/setup.ts";
import { useTranslation } from "../i18n/words.ts";
import { otherLanguage } from "../ui/LanguageButton.tsx";
import { Mark } from "../ui/Mark.tsx";
import classes from "./Entrance.module.css";
import { useLanguage } from "./queries.ts";

/** `moved`: the card took the place of another one, and takes the focus that was there. */
export function Entrance({
  title,
  intro,
  moved = false,
  children,
}: {
  title: string;
  intro?: string;
  moved?: boolean;
  children?: ReactNode;
}) {
  const { t } = useTranslation();
  const other = otherLanguage(useLanguage());
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (moved) heading.current?.focus();
  }, [moved]);
  return (
    <main tabIndex={-1} className={classes.page}>
      <title>{`${title} · ${t("shell.product")}`}</title>
      <Stack gap="lg" className={classes.column}>
        <div className={classes.brand}>
          <Mark size={36} />
          <Text fw={650} fz="xl">
            {t("shell.product")}
          </Text>
        </div>
        <Paper withBorder radius="lg" p={{ base: "lg", sm: "xl" }} shadow="xs">
          <Title order={1} mb={4} ref={heading} tabIndex={-1} className={classes.title}>
            {title}
          </Title>
          {intro !== undefined && (
            <Text c="dimmed" mb="lg">
              {intro}
            </Text>
          )}
          {children}
        </Paper>
        <Text ta="center">
          <Anchor component="button" type="button" lang={other.language} onClick={() => changeLanguage(other.language)}>
            {other.name}
          </Anchor>
        </Text>
      </Stack>
    </main>
  );
}
