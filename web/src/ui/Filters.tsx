import type { ReactNode } from "react";
import classes from "./Filters.module.css";

/** The frame around what a list is narrowed by: side by side where there is room, below each other on a phone. */
export function Filters({
  children,
  second,
  secondId,
}: {
  children: ReactNode;
  /** A second line of them. */
  second?: ReactNode;
  secondId?: string;
}) {
  return (
    <search className={classes.filters}>
      <div className={classes.line}>{children}</div>
      {secondId !== undefined && (
        <div id={secondId} className={classes.line}>
          {second}
        </div>
      )}
    </search>
  );
}
