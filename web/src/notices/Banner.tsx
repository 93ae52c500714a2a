import { Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { Webhook } from "../api-types.ts";
import { useTranslation } from "../i18n/words.ts";
import { useIsEmbedded } from "../session/queries.ts";
import { Callout } from "../ui/Callout.tsx";
import { AnchorLink } from "../ui/links.tsx";
import { needingAttention } from "./attention.ts";
import { newestQuery } from "./queries.ts";
import { WhereLink } from "./WhereLink.tsx";
import { useNoticeWords } from "./words.ts";

const SHOWN_MAX = 3;

/** What needs a manager's attention, at the top of the webhooks' page; nothing at all otherwise. */
export default function Banner({ webhooks }: { webhooks: readonly Webhook[] }) {
  const { t } = useTranslation();
  const words = useNoticeWords();
  const isEmbedded = useIsEmbedded();
  const newest = useQuery(newestQuery);
  const needing = needingAttention(newest.data ?? [], webhooks);
  if (needing.length === 0) return null;
  const tone = needing.some((notice) => words(notice).tone === "bad") ? "bad" : "warn";
  return (
    <section aria-label={t("notices.banner.title")}>
      <Callout tone={tone} title={t("notices.banner.title")}>
        <Stack gap="xs" mt={4}>
          {needing.slice(0, SHOWN_MAX).map((notice) => (
            <Text key={notice.id} size="sm">
              {words(notice).title}. <WhereLink notice={notice} />
            </Text>
          ))}
          {!isEmbedded && (
            <AnchorLink to="/notices" size="sm">
              {t("notices.banner.all", { more: Math.max(0, needing.length - SHOWN_MAX) })}
            </AnchorLink>
          )}
        </Stack>
      </Callout>
    </section>
  );
}
