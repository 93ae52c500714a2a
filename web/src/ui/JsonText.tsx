import type { ReactNode } from "react";
import { useTranslation } from "../i18n/words.ts";
import { CopyButton } from "./CopyButton.tsx";
import classes from "./JsonText.module.css";
import { prettyText } from "./json.ts";

/** The box of a text and its bar, with the button that copies the exact text. `raised`: it stands on a ground of its own. */
export function JsonFrame(props: { text: string; label: string; raised?: boolean; children: ReactNode }) {
  const { text, label, raised = false, children } = props;
  return (
    <div className={classes.box} data-raised={raised || undefined}>
      <div className={classes.bar}>
        <span>{label}</span>
        <CopyButton text={text} what={label} />
      </div>
      {children}
    </div>
  );
}

/**
 * A text as it came or will be sent, indented for the eye where it is JSON; the copy button copies the exact text. With
 * `isBody`, it is a message, and its exact text stands in `data-body`. Shown as text only, never as markup: much of it
 * comes from outside.
 */
export function JsonText({
  text,
  label,
  isBody = false,
  limitHeight = true,
}: {
  text: string;
  label: string;
  isBody?: boolean;
  limitHeight?: boolean;
}) {
  const { t } = useTranslation();
  return (
    <JsonFrame text={text} label={label}>
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset is for forms, and a section would be one more landmark. */}
      <div
        role="group"
        className={classes.scroll}
        data-limit={limitHeight || undefined}
        aria-label={label}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard.
        tabIndex={0}
      >
        <pre className={classes.text} data-body={isBody ? text : undefined}>
          {text === "" ? t("shell.emptyText") : prettyText(text)}
        </pre>
      </div>
    </JsonFrame>
  );
}
