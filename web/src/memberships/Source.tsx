import { Radio, Stack } from "@mantine/core";
import "../ui/checkbox.css";
import type { PaymentSource } from "../api/memberships.ts";
import { useTranslation } from "../i18n/words.ts";
import { PAYMENT_SOURCES } from "./state.ts";

/** How a membership is paid. The practice cards are plainly said to stand in for a real one. */
export function SourceField({
  value,
  error,
  onChange,
}: {
  value: PaymentSource;
  error: string | undefined;
  onChange: (source: PaymentSource) => void;
}) {
  const { t } = useTranslation();
  return (
    <Radio.Group
      label={t("memberships.source.label")}
      value={value}
      error={error}
      onChange={(source) => onChange(PAYMENT_SOURCES.find((known) => known === source) ?? value)}
    >
      <Stack gap="sm" mt={6}>
        {PAYMENT_SOURCES.map((source) => (
          <Radio
            key={source}
            value={source}
            label={t(`memberships.source.${source}`)}
            description={t(`memberships.source.${source}_hint`)}
          />
        ))}
      </Stack>
    </Radio.Group>
  );
}
