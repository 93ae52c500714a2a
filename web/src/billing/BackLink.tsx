import IconLeft from "@tabler/icons-react/dist/esm/icons/IconArrowLeft.mjs";
import { Link, type LinkProps } from "@tanstack/react-router";
import type { ReactNode } from "react";
import classes from "./BackLink.module.css";

/** Above a page of one thing: the way back to the list that it is in. */
export function BackLink({ to, children }: { to: NonNullable<LinkProps["to"]>; children: ReactNode }) {
  return (
    <Link to={to} className={classes.back}>
      <IconLeft size={16} aria-hidden="true" />
      {children}
    </Link>
  );
}
