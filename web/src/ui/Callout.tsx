import IconAlert from "@tabler/icons-react/dist/esm/icons/IconAlertTriangle.mjs";
import IconCheck from "@tabler/icons-react/dist/esm/icons/IconCircleCheck.mjs";
import IconInfo from "@tabler/icons-react/dist/esm/icons/IconInfoCircle.mjs";
import type { ReactNode } from "react";
import classes from "./Callout.module.css";

export type Tone = "good" | "warn" | "bad" | "calm";

const ICONS = { good: IconCheck, warn: IconAlert, bad: IconAlert, calm: IconInfo };

/** A boxed message: an icon and words, never colour alone. */
export function Callout({
  tone,
  title,
  text,
  children,
}: {
  tone: Tone;
  title?: ReactNode;
  text?: ReactNode;
  children?: ReactNode;
}) {
  const Icon = ICONS[tone];
  return (
    <div className={classes.callout} data-tone={tone}>
      <Icon size={20} className={classes.icon} aria-hidden="true" />
      <div className={classes.words}>
        {title !== undefined && <strong>{title}</strong>}
        {text !== undefined && <div>{text}</div>}
        {children}
      </div>
    </div>
  );
}
