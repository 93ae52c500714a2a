import IconAlert from "@tabler/icons-react/dist/esm/icons/IconAlertTriangle.mjs";
import IconCheck from "@tabler/icons-react/dist/esm/icons/IconCircleCheck.mjs";
import IconDashed from "@tabler/icons-react/dist/esm/icons/IconCircleDashed.mjs";
import IconClock from "@tabler/icons-react/dist/esm/icons/IconClock.mjs";
import type { Tone } from "./Callout.tsx";
import classes from "./StateBadge.module.css";

const ICONS = { good: IconCheck, warn: IconClock, bad: IconAlert, calm: IconDashed };

/** A state as icon and word, never colour alone. */
export function StateBadge({ tone, word }: { tone: Tone; word: string }) {
  const Glyph = ICONS[tone];
  return (
    <span className={classes.badge} data-tone={tone}>
      <Glyph size={15} aria-hidden="true" />
      {word}
    </span>
  );
}
