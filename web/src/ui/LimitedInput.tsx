import { Text, TextInput, type TextInputProps } from "@mantine/core";
import { useTranslation } from "../i18n/words.ts";

/** A text field with a limit that says when it is reached, instead of cutting off in silence. */
export function LimitedInput({ max, value, ...props }: TextInputProps & { max: number; value: string }) {
  const { t } = useTranslation();
  return (
    <div>
      <TextInput maxLength={max} value={value} {...props} />
      <div role="status">
        {value.length >= max && (
          <Text size="xs" mt={4} c="var(--hw-warn)">
            {t("shell.full", { max })}
          </Text>
        )}
      </div>
    </div>
  );
}
