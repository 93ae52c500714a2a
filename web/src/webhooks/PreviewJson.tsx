import { useTranslation } from "../i18n/words.ts";
import frame from "../ui/JsonText.module.css";
import { JsonFrame } from "../ui/JsonText.tsx";
import classes from "./PreviewJson.module.css";
import { causeKey, type Line, textLines } from "./words.ts";

/**
 * The exact message, indented, with the reason why each line is there beside the first line of its block. What is copied is
 * the very text, which also stands in `data-body`.
 */
export function PreviewJson({ text, lines }: { text: string; lines: readonly Line[] }) {
  const { t } = useTranslation();
  return (
    <JsonFrame text={text} label={t("preview.json")} raised>
      <pre className={frame.text} data-body={text}>
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
    </JsonFrame>
  );
}
