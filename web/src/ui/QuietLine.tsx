import { Text } from "@mantine/core";
import IconCheck from "@tabler/icons-react/dist/esm/icons/IconCheck.mjs";
import { useTranslation } from "../i18n/words.ts";
import { useMe } from "../session/queries.ts";
import { AnchorLink } from "./links.tsx";
import classes from "./QuietLine.module.css";

/**
 * What was just done; for managers with the way to the deliveries that it caused. Others cannot open those. `subject` is what
 * the deliveries are about, such as `invoice:12`; null leads to all of them, or to those of `webhook`. With `sends` false, the
 * act causes none.
 */
export function QuietLine({
  said,
  subject,
  webhook,
  sends = true,
}: {
  said: string | null;
  subject: string | null;
  webhook?: number;
  sends?: boolean;
}) {
  const { t } = useTranslation();
  const { role } = useMe();
  return (
    <div role="status" className={classes.quiet}>
      {said !== null && (
        <>
          <IconCheck size={16} aria-hidden="true" />
          <Text size="sm" component="span">
            {said}
          </Text>
          {sends && role === "manager" && (
            <AnchorLink
              to="/deliveries"
              search={{ ...(subject !== null && { subject }), ...(webhook !== undefined && { webhook }) }}
              size="sm"
            >
              {t("shell.toDeliveries")}
            </AnchorLink>
          )}
        </>
      )}
    </div>
  );
}
