import { PasswordInput, type PasswordInputProps } from "@mantine/core";
import "@mantine/core/styles/PasswordInput.layer.css";
import { useTranslation } from "../i18n/words.ts";

/** The server's limits. */
export const PASSWORD_MIN_CHARACTERS = 12;
export const PASSWORD_MAX_CHARACTERS = 128;

/** A password, that can be shown while it is typed. `onType` gets the text. */
export function PasswordField({
  onType,
  ...props
}: Omit<PasswordInputProps, "onChange"> & { onType: (text: string) => void }) {
  const { t } = useTranslation();
  return (
    <PasswordInput
      maxLength={PASSWORD_MAX_CHARACTERS}
      onChange={(event) => onType(event.currentTarget.value)}
      visibilityToggleButtonProps={{ "aria-label": t("shell.signIn.showPassword"), tabIndex: 0 }}
      {...props}
    />
  );
}
