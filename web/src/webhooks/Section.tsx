import { Text, Title } from "@mantine/core";
import type { ReactNode } from "react";
import classes from "./ConfigureForm.module.css";

/** One numbered question of the Configure dialog. */
export function Section({
  number,
  title,
  text,
  children,
}: {
  number: number;
  title: string;
  text: string;
  children: ReactNode;
}) {
  return (
    <section className={classes.section} aria-label={title}>
      <span className={classes.number} aria-hidden="true">
        {number}
      </span>
      <div className={classes.body}>
        <div className={classes.heading}>
          <Title order={3} fz="1.0625rem">
            {title}
          </Title>
          <Text size="sm" c="dimmed">
            {text}
          </Text>
        </div>
        {children}
      </div>
    </section>
  );
}
