import { ActionIcon, Button, VisuallyHidden } from "@mantine/core";
import IconCheck from "@tabler/icons-react/dist/esm/icons/IconCheck.mjs";
import IconCopy from "@tabler/icons-react/dist/esm/icons/IconCopy.mjs";
import { useEffect, useState } from "react";
import { useTranslation } from "../i18n/words.ts";

const TOLD_FOR_MILLISECONDS = 2_000;

async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // No clipboard without https or permission; the button then simply does not say "copied".
    return false;
  }
}

/** Copies a text and says so. `what` completes the name: "Copy the address". */
export function CopyButton({ text, what, full = false }: { text: string; what: string; full?: boolean }) {
  const { t } = useTranslation();
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), TOLD_FOR_MILLISECONDS);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = async () => setCopied(await copyText(text));
  const Icon = copied ? IconCheck : IconCopy;
  const name = t("shell.copyWhat", { what });
  return (
    <>
      {full ? (
        <Button variant="default" leftSection={<Icon size={16} aria-hidden="true" />} onClick={copy} aria-label={name}>
          {copied ? t("shell.copied") : t("shell.copy")}
        </Button>
      ) : (
        <ActionIcon variant="subtle" color="gray" size={24} onClick={copy} aria-label={name} title={name}>
          <Icon size={15} aria-hidden="true" />
        </ActionIcon>
      )}
      <VisuallyHidden role="status">{copied ? t("shell.copied") : ""}</VisuallyHidden>
    </>
  );
}
