// The keys with which other programs of the clinic tell Hookwell what happens there. A key is shown once, when it is made.
import { Button } from "@mantine/core";
import IconKey from "@tabler/icons-react/dist/esm/icons/IconKey.mjs";
import IconPlus from "@tabler/icons-react/dist/esm/icons/IconPlus.mjs";
import { queryOptions, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { type ApiKey, apiKeys } from "../api/api-keys.ts";
import { useTranslation } from "../i18n/words.ts";
import { useIntent } from "../intent.ts";
import { ManagersOnly } from "../session/ManagersOnly.tsx";
import { ConfirmDialog } from "../ui/ConfirmDialog.tsx";
import { PageHeader } from "../ui/PageHeader.tsx";
import { QuietLine } from "../ui/QuietLine.tsx";
import rows from "../ui/rows.module.css";
import { Empty, LoadFailed, LoadingRows } from "../ui/states.tsx";
import { useWhen } from "../ui/when.ts";
import { webhooksQuery } from "../webhooks/queries.ts";
import classes from "./ApiKeysPage.module.css";
import { NewKey } from "./NewKey.tsx";

const KEYS = ["api-keys"] as const;
const keysQuery = queryOptions({ queryKey: KEYS, queryFn: ({ signal }) => apiKeys.list(signal) });

function useRefresh(): () => Promise<void> {
  const queryClient = useQueryClient();
  return () => queryClient.invalidateQueries({ queryKey: KEYS });
}

function Revoke({ apiKey, onDone }: { apiKey: ApiKey; onDone: (name: string) => void }) {
  const { t } = useTranslation();
  const refresh = useRefresh();
  const [asking, setAsking] = useState(false);
  const { id, name } = apiKey;
  const revoke = useIntent(() => apiKeys.revoke(id), {
    onSuccess: async () => {
      await refresh();
      onDone(name);
    },
  });
  const close = () => {
    setAsking(false);
    revoke.reset();
  };
  return (
    <>
      <Button
        variant="default"
        size="xs"
        aria-label={t("settings.apiKeys.revokeName", { name })}
        onClick={() => setAsking(true)}
      >
        {t("settings.apiKeys.revoke")}
      </Button>
      {asking && (
        <ConfirmDialog
          title={t("settings.apiKeys.revokeTitle", { name })}
          action={t("settings.apiKeys.revoke")}
          keep={t("settings.apiKeys.keep")}
          danger
          pending={revoke.isPending}
          error={revoke.error}
          onConfirm={() => revoke.start()}
          onClose={close}
        >
          {t("settings.apiKeys.revokeText")}
        </ConfirmDialog>
      )}
    </>
  );
}

const hostOf = (origin: string) => new URL(origin).host;

/** What it opens, in a few words. */
function usePurpose(): (apiKey: ApiKey) => string {
  const { t } = useTranslation();
  const { data: webhooks } = useQuery(webhooksQuery);
  return ({ scopes, webhook_id: webhookId, embed_origins: origins }) => {
    const pulled = webhooks?.find(({ id }) => id === webhookId)?.name ?? t("settings.apiKeys.someWebhook");
    const said = [
      ...(scopes.includes("feed") ? [t("settings.apiKeys.scope.feed")] : []),
      ...(scopes.includes("deliveries:pull") ? [t("settings.apiKeys.scope.pullOf", { webhook: pulled })] : []),
      ...(origins === null ? [] : [t("settings.apiKeys.scope.embedOf", { hosts: origins.map(hostOf).join(", ") })]),
    ];
    return said.join(" · ");
  };
}

function KeyRow({ apiKey, onRevoked }: { apiKey: ApiKey; onRevoked: (name: string) => void }) {
  const { t } = useTranslation();
  const when = useWhen();
  const purposeOf = usePurpose();
  const { name, prefix, created_at: created, last_used_at: used } = apiKey;
  return (
    <div className={rows.row}>
      <span className={rows.main}>
        <span className={rows.name}>{name}</span>
        <span className={rows.under}>{purposeOf(apiKey)}</span>
        <span className={rows.under}>
          {t("settings.apiKeys.starts")} <code className={classes.prefix}>{prefix}</code>
        </span>
      </span>
      <span className={rows.aside}>
        {t("settings.apiKeys.createdOn", { when: when(created, "on") })}
        <span className={rows.under}>
          {used === null ? t("settings.apiKeys.neverUsed") : t("settings.apiKeys.lastUsed", { when: when(used, "on") })}
        </span>
      </span>
      <Revoke apiKey={apiKey} onDone={onRevoked} />
    </div>
  );
}

function Content() {
  const { t } = useTranslation();
  const refresh = useRefresh();
  const query = useQuery(keysQuery);
  const [isNew, setIsNew] = useState(false);
  const [said, setSaid] = useState<string | null>(null);
  const create = (
    <Button leftSection={<IconPlus size={16} aria-hidden="true" />} onClick={() => setIsNew(true)}>
      {t("settings.apiKeys.new")}
    </Button>
  );
  return (
    <>
      <PageHeader title={t("settings.apiKeys.title")} intro={t("settings.apiKeys.intro")} action={create} />
      <div className={rows.said}>
        <QuietLine said={said} subject={null} sends={false} />
      </div>
      {query.data === undefined ? (
        query.isError ? (
          <LoadFailed error={query.error} retry={() => query.refetch()} />
        ) : (
          <LoadingRows rows={3} />
        )
      ) : query.data.length === 0 ? (
        <Empty icon={IconKey} title={t("settings.apiKeys.nothing")} text={t("settings.apiKeys.nothingText")} />
      ) : (
        <ul className={rows.list} aria-label={t("settings.apiKeys.list")}>
          {query.data.map((apiKey) => (
            <li key={apiKey.id}>
              <KeyRow apiKey={apiKey} onRevoked={(name) => setSaid(t("settings.apiKeys.revoked", { name }))} />
            </li>
          ))}
        </ul>
      )}
      {isNew && <NewKey onCreated={refresh} onClose={() => setIsNew(false)} />}
    </>
  );
}

/** For managers; others read who can do it. */
export function ApiKeysPage() {
  return (
    <ManagersOnly what="apiKeys">
      <Content />
    </ManagersOnly>
  );
}
