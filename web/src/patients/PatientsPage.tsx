// Who is treated here: found by name, added, and the way to each one's page. A name that is looked for stays out of the
// page's address.
import { Button, Text, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import IconPlus from "@tabler/icons-react/dist/esm/icons/IconPlus.mjs";
import IconSearchOff from "@tabler/icons-react/dist/esm/icons/IconSearchOff.mjs";
import IconUsers from "@tabler/icons-react/dist/esm/icons/IconUsers.mjs";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { Person } from "../api-types.ts";
import { useTranslation } from "../i18n/words.ts";
import { useMe } from "../session/queries.ts";
import { AnchorLink, ButtonLink } from "../ui/links.tsx";
import { PagedList } from "../ui/PagedList.tsx";
import { PageHeader } from "../ui/PageHeader.tsx";
import { QuietLine } from "../ui/QuietLine.tsx";
import rows from "../ui/rows.module.css";
import { Empty, LoadFailed, LoadingRows } from "../ui/states.tsx";
import { PatientForm } from "./PatientForm.tsx";
import { patientListQuery } from "./queries.ts";

const TYPING_PAUSE_MILLISECONDS = 250;

function Nobody({ isSearch, onClear }: { isSearch: boolean; onClear: () => void }) {
  const { t } = useTranslation();
  const { role } = useMe();
  if (isSearch) {
    return (
      <Empty icon={IconSearchOff} title={t("patients.noMatch")} text={t("patients.noMatchText")}>
        <Button variant="default" mt="sm" onClick={onClear}>
          {t("patients.showAll")}
        </Button>
      </Empty>
    );
  }
  return (
    <Empty icon={IconUsers} title={t("patients.nothing")} text={t("patients.nothingText")}>
      {role === "manager" && (
        <ButtonLink to="/import" variant="default" mt="sm">
          {t("patients.toImport")}
        </ButtonLink>
      )}
    </Empty>
  );
}

function PatientRow({ patient }: { patient: Person }) {
  const { t } = useTranslation();
  return (
    <Link to="/patients/$patientId" params={{ patientId: String(patient.id) }} className={rows.row}>
      <span className={`${rows.main} ${rows.name}`}>{patient.name}</span>
      <span className={rows.aside}>{patient.email ?? t("patients.noEmail")}</span>
    </Link>
  );
}

function Found({ name, onClear }: { name: string; onClear: () => void }) {
  const { t } = useTranslation();
  const query = useInfiniteQuery(patientListQuery(name));
  if (query.data === undefined) {
    if (query.isError) return <LoadFailed error={query.error} retry={() => query.refetch()} />;
    return <LoadingRows rows={6} height={52} />;
  }
  const found = query.data.pages.flatMap((page) => page.data);
  if (found.length === 0) return <Nobody isSearch={name !== ""} onClear={onClear} />;
  return (
    <PagedList
      label={t("patients.list")}
      more={t("patients.more")}
      entries={found}
      keyOf={(patient) => patient.id}
      query={query}
    >
      {(patient) => <PatientRow patient={patient} />}
    </PagedList>
  );
}

/** Where patients sign up by themselves, for whoever shall tell them. */
function ToPortal() {
  const { t } = useTranslation();
  const { portal_name } = useMe().clinic;
  return (
    <Text size="sm" c="dimmed" mt="lg">
      {t("patients.portal")}{" "}
      <AnchorLink to="/portal/$portalName" params={{ portalName: portal_name }} size="sm">
        {t("patients.toPortal")}
      </AnchorLink>
    </Text>
  );
}

/** See the head of this file. */
export function PatientsPage() {
  const { t } = useTranslation();
  const [typed, setTyped] = useState("");
  const [name] = useDebouncedValue(typed.trim(), TYPING_PAUSE_MILLISECONDS);
  const [isNew, setIsNew] = useState(false);
  const [said, setSaid] = useState<string | null>(null);
  const add = (
    <Button leftSection={<IconPlus size={16} aria-hidden="true" />} onClick={() => setIsNew(true)}>
      {t("patients.add")}
    </Button>
  );
  return (
    <>
      <PageHeader title={t("patients.title")} action={add} />
      <search className={rows.search}>
        <TextInput
          type="search"
          aria-label={t("patients.find")}
          placeholder={t("patients.find")}
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
        />
      </search>
      <div className={rows.said}>
        <QuietLine said={said} subject={null} sends={false} />
      </div>
      <Found name={name} onClear={() => setTyped("")} />
      <ToPortal />
      {isNew && (
        <PatientForm
          patient={null}
          onClose={() => setIsNew(false)}
          onDone={(patient) => {
            setIsNew(false);
            setSaid(t("patients.added", { name: patient.name }));
          }}
        />
      )}
    </>
  );
}
