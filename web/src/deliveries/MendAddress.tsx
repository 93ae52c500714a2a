import type { Cause } from "@hookwell/sdk/causes";
import IconPencil from "@tabler/icons-react/dist/esm/icons/IconPencil.mjs";
import { useTranslation } from "../i18n/words.ts";
import { ButtonLink } from "../ui/links.tsx";

/** Where another address is what helps. */
const MENDED_BY_ADDRESS: ReadonlySet<Cause> = new Set([
  "moved",
  "not_found",
  "nothing_here",
  "gone",
  "gone_test",
  "refused",
]);

interface MendProps {
  webhookId: number | string;
  cause: Cause;
  /** The whole address that it has moved to. */
  movedTo: string | null;
}

/** The way from what went wrong to where it is mended; nothing where the address is not to blame. */
export function MendAddress({ webhookId, cause, movedTo }: MendProps) {
  const { t } = useTranslation();
  if (movedTo !== null) return <UseNew webhookId={webhookId} movedTo={movedTo} />;
  if (!MENDED_BY_ADDRESS.has(cause)) return null;
  return (
    <ButtonLink
      mt="xs"
      size="xs"
      variant="default"
      leftSection={<IconPencil size={15} aria-hidden="true" />}
      to="/consults/export/webhooks"
      search={{ edit: Number(webhookId) }}
    >
      {t("deliveries.changeAddress")}
    </ButtonLink>
  );
}

/** Nothing is saved yet: the dialog opens with the new address in it, to be tested and saved. */
function UseNew({ webhookId, movedTo }: { webhookId: number | string; movedTo: string }) {
  const { t } = useTranslation();
  return (
    <ButtonLink
      mt="xs"
      size="xs"
      variant="default"
      to="/consults/export/webhooks"
      search={{ edit: Number(webhookId) }}
      // Not in the page's address: it is a credential of many services.
      state={{ newAddress: movedTo }}
    >
      {t("deliveries.useNewAddress")}
    </ButtonLink>
  );
}
