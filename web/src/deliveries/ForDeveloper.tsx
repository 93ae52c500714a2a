// What only whoever set up the other system wants to know: headers, times, codes, and the request to try again by hand.
// Loaded when somebody opens it. Its words are the only ones of these screens that may be technical.
import { Stack, Text, Title } from "@mantine/core";
import type { AttemptDetail, DeliveryDetail } from "../api-types.ts";
import { FORMAT_LOCALES } from "../i18n/languages.ts";
import { useTranslation } from "../i18n/words.ts";
import { useLanguage, useTimeFormat } from "../session/queries.ts";
import { HeaderTable } from "../ui/HeaderTable.tsx";
import { JsonText } from "../ui/JsonText.tsx";
import { formatMoment, formatSeconds } from "../ui/time.ts";
import { curlOf } from "./curl.ts";

function Answer({ attempt }: { attempt: AttemptDetail }) {
  const { t } = useTranslation();
  const locale = FORMAT_LOCALES[useLanguage()];
  const format = useTimeFormat();
  const { status, failure_code, duration_ms, answer_headers } = attempt;
  return (
    <div>
      <Text size="sm" fw={600}>
        {t("deliveries.developer.attempt", {
          number: attempt.attempt,
          result: status ?? failure_code ?? attempt.outcome,
        })}
      </Text>
      <Text size="sm" c="dimmed">
        {duration_ms === null
          ? t("deliveries.developer.began", { when: formatMoment(attempt.started_at, format) })
          : t("deliveries.developer.took", {
              when: formatMoment(attempt.started_at, format),
              seconds: formatSeconds(duration_ms, locale),
            })}
      </Text>
      {answer_headers !== null && (
        <HeaderTable headers={answer_headers} label={t("deliveries.developer.answerHeaders")} />
      )}
    </div>
  );
}

/** See the head of this file. `body` is what is shown above: masked, or revealed. */
export default function ForDeveloper({ delivery, body }: { delivery: DeliveryDetail; body: string | null }) {
  const { t } = useTranslation();
  const { request, attempts } = delivery;
  return (
    <Stack gap="md">
      <HeaderTable headers={request.headers} label={t("deliveries.developer.requestHeaders")} />
      {attempts.length > 0 && (
        <section aria-labelledby="answers">
          <Title order={5} id="answers" mb={4}>
            {t("deliveries.developer.answers")}
          </Title>
          <Stack gap="sm">
            {attempts.map((attempt) => (
              <Answer key={`${attempt.attempt} ${attempt.started_at}`} attempt={attempt} />
            ))}
          </Stack>
        </section>
      )}
      {body !== null && (
        <div>
          <JsonText text={curlOf(request, body)} label={t("deliveries.developer.curl")} />
          <Text size="xs" c="dimmed" mt={4}>
            {t("deliveries.developer.curlText")}
          </Text>
        </div>
      )}
    </Stack>
  );
}
