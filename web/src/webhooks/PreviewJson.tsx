import { useTranslation } from "react-i18next";
import { CopyButton } from "../ui/CopyButton.tsx";
import classes from "./PreviewJson.module.css";
import { causeKey, type Line, textLines } from "./words.ts";

/**
 * The exact message, indented, with the reason why each line is there beside the first line of its block. What is copied is
 * the very text, which also stands in `data-body`.
 */
export function PreviewJson({ text, lines }: { text: string; lines: readonly Line[] }) {
  const { t } = useTranslation();
  const label = t("preview.json");
  return (
    <div className={classes.box}>
      <div className={classes.bar}>
        <span>{label}</span>
        <CopyButton text={text} what={label} />
      </div>
      <pre className={classes.text} data-body={text}>
        {textLines(text).map(({ text: line, block, isFirst }, index) => {
          const because = lines.find((one) => one.block === block);
          return (
            // biome-ignore lint/suspicious/noArrayIndexKey: lines of one text, which never change places.
            <span key={index} className={classes.line} data-cause={because && causeKey(because)}>
              <span>{line}</span>
              {isFirst && because !== undefined && (
                <span className={classes.cause}>{t(`preview.cause.${causeKey(because)}`)}</span>
              )}
            </span>
          );
        })}
      </pre>
    </div>
  );
}
