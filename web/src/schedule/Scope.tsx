import { Radio, Stack } from "@mantine/core";
import "../ui/checkbox.css";
import { useTranslation } from "../i18n/words.ts";

/** Of a repeating consult: this one alone, or this and all that come after it. */
export type Scope = "one" | "following";
const SCOPES: readonly Scope[] = ["one", "following"];

/** Shown only where a consult repeats. */
export function ScopeChoice({ value, onChange }: { value: Scope; onChange: (scope: Scope) => void }) {
  const { t } = useTranslation();
  return (
    <Radio.Group label={t("schedule.scope.label")} value={value} onChange={(scope) => onChange(scope as Scope)}>
      <Stack gap="xs" mt={6}>
        {SCOPES.map((scope) => (
          <Radio key={scope} value={scope} label={t(`schedule.scope.${scope}`)} />
        ))}
      </Stack>
    </Radio.Group>
  );
}
