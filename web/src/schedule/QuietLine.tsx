import { Text } from "@mantine/core";
import IconCheck from "@tabler/icons-react/dist/esm/icons/IconCheck.mjs";
import { useTranslation } from "react-i18next";
import { useMe } from "../session/queries.ts";
import { AnchorLink } from "../ui/links.tsx";
import classes from "./SchedulePage.module.css";

/** What was just done; for managers with the way to the deliveries about that consult. Others cannot open those. */
export function QuietLine({ said, consultId }: { said: string | null; consultId: number | null }) {
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
          {role === "manager" && (
            <AnchorLink
              to="/deliveries"
              search={consultId === null ? {} : { subject: `consult:${consultId}` }}
              size="sm"
            >
              {t("schedule.toDeliveries")}
            </AnchorLink>
          )}
        </>
      )}
    </div>
  );
}
